// The networks that the fixtures speak of, as types: networks.py has them under the same names.
#pragma once
#include <array>
#include <skewgrad/nn/network.hpp>

namespace skewgrad_tests {

using skewgrad::AveragePool, skewgrad::BatchNorm, skewgrad::Conv, skewgrad::Dense, skewgrad::Dropout, skewgrad::Image,
    skewgrad::MaxPool, skewgrad::Network, skewgrad::Normalize, skewgrad::Padding, skewgrad::Relu, skewgrad::Residual;

/// The paper's network as written: a ReLU after every convolution and the dense layer.
struct PaperNetwork : Network<Image<3, 32, 32>,  //
                              Conv<32>, Relu, Conv<32>, Relu, MaxPool<2>,
                              Dropout<25>,                                                                 //
                              Conv<64>, Relu, Conv<64>, Relu, Conv<64>, Relu, MaxPool<2>, Dropout<25>,     //
                              Conv<128>, Relu, Conv<128>, Relu, Conv<128>, Relu, MaxPool<2>, Dropout<25>,  //
                              Dense<512>, Relu, Dropout<50>, Dense<10>> {};

/// The README's network. Pools of 4 leave pixels that no gradient reaches.
struct PoolsOf4 : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<4>, Conv<32>, Relu, MaxPool<4>, Dense<10>> {};

struct CifarStatistics {
    static constexpr std::array<float, 3> mean{0.4914f, 0.4822f, 0.4465f}, deviation{0.247f, 0.2435f, 0.2616f};
};

// Small networks: one question each, on extents that are no multiples of anything.
struct DenseOnly : Network<Image<2, 3, 5>, Dense<7>> {};
struct Same3 : Network<Image<3, 7, 9>, Conv<5>, Relu, Dense<4>> {};
struct Same5 : Network<Image<3, 9, 7>, Conv<4, 5>, Relu, Dense<4>> {};
struct Valid3 : Network<Image<2, 9, 7>, Conv<6, 3, 1, Padding::valid>, Relu, Dense<5>> {};
struct Valid5 : Network<Image<3, 9, 8>, Conv<4, 5, 1, Padding::valid>, Relu, Dense<3>> {};
struct Pointwise : Network<Image<5, 6, 5>, Conv<7, 1>, Relu, Dense<4>> {};
struct Stride2 : Network<Image<3, 11, 8>, Conv<6, 3, 2>, Relu, Conv<5, 3, 2>, Relu, Dense<4>> {};
struct Stride2Of5 : Network<Image<2, 10, 13>, Conv<5, 5, 2>, Relu, Dense<4>> {};
struct Stride3Valid : Network<Image<3, 13, 11>, Conv<4, 3, 3, Padding::valid>, Relu, Dense<4>> {};
struct AveragePooled : Network<Image<3, 6, 9>, Conv<4>, Relu, AveragePool<3>, Dense<4>> {};
struct MaxPooled3 : Network<Image<3, 9, 6>, Conv<4>, MaxPool<3>, Relu, Dense<4>> {};
struct Normalized : Network<Image<3, 6, 5>, Normalize<CifarStatistics>, Conv<4>, Relu, Dense<4>> {};
struct Branched : Network<Image<3, 6, 7>, Conv<5>, Relu, Residual<Conv<5>, Relu, Conv<5>>, Relu, Dense<4>> {};
struct BatchNormed : Network<Image<3, 6, 8>, Conv<5>, BatchNorm, Relu,
                             Residual<Conv<5>, BatchNorm, Relu, Conv<5>, BatchNorm>, Relu, AveragePool<2>, Dense<4>> {};

// Trained for some steps, dropout and flips on.
struct Trained : Network<Image<3, 8, 8>, Conv<6>, Relu, MaxPool<2>, Dropout<25>, Conv<8>, Relu, MaxPool<2>, Dropout<25>,
                         Dense<11>, Relu, Dropout<50>, Dense<4>> {};

}  // namespace skewgrad_tests
