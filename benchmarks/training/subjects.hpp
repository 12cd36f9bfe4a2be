// What is timed: the backends, the paper's network, one of twice its width and a residual one, and their training.
#pragma once
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/skewgrad.hpp>
#include <skewgrad/study/paper_networks.hpp>

#if defined(__CUDACC__)
#include <skewgrad/cuda.hpp>
#endif

namespace training {

using namespace skewgrad;

/// Every backend of this build, one line each: in one by nvcc the GPU's alone.
template <class Visit>
void for_each_backend(Visit visit) {
#if defined(__CUDACC__)
    visit(std::type_identity<Cuda<f32>>{});
    visit(std::type_identity<Cuda<bf16>>{});
#else
    visit(std::type_identity<Cpu<f32>>{});
    visit(std::type_identity<Cpu<bf16>>{});
#endif
}

struct PaperNetwork : AsWrittenNetwork {
    static constexpr const char* name = "paper";
};
/// The same blocks, each with twice the channels.
struct WideNetwork : Network<Image<3, 32, 32>,                                                            //
                             Conv<64>, Relu, Conv<64>, Relu, MaxPool<2>, Dropout<25>,                     //
                             Conv<128>, Relu, Conv<128>, Relu, Conv<128>, Relu, MaxPool<2>, Dropout<25>,  //
                             Conv<256>, Relu, Conv<256>, Relu, Conv<256>, Relu, MaxPool<2>, Dropout<25>,  //
                             Dense<512>, Relu, Dropout<50>, Dense<10>> {
    static constexpr const char* name = "wide";
};
/// Three residual branches, with batch normalisation after every convolution.
struct ResidualNetwork : Network<Image<3, 32, 32>,                                                  //
                                 Conv<32>, BatchNorm, Relu,                                         //
                                 Residual<Conv<32>, BatchNorm, Relu, Conv<32>, BatchNorm>, Relu,    //
                                 Conv<64, 3, 2>, BatchNorm, Relu,                                   //
                                 Residual<Conv<64>, BatchNorm, Relu, Conv<64>, BatchNorm>, Relu,    //
                                 Conv<128, 3, 2>, BatchNorm, Relu,                                  //
                                 Residual<Conv<128>, BatchNorm, Relu, Conv<128>, BatchNorm>, Relu,  //
                                 AveragePool<8>, Dense<10>> {
    static constexpr const char* name = "residual";
};
template <class Visit>
void for_each_network(Visit visit) {
    visit(std::type_identity<PaperNetwork>{});
    visit(std::type_identity<WideNetwork>{});
    visit(std::type_identity<ResidualNetwork>{});
}

/// A network's training by the paper's optimiser; `session.advance()` makes `updates` updates: one, or on a GPU, which
/// works ahead, as many as pass between two readings of its sums.
template <class N, class B>
struct Course {
    static constexpr int updates = requires { B::workspace_images; } ? 32 : 1;
    Model<N, B> model;
    Session<N, B, RmsProp> session;

    Course(const TrainingData& data, int batch, typename B::Context on)
        : model(Seed{7}, std::move(on)),
          session(model, whole_batches(data, batch), ValidationData(data.store(), {}),
                  RmsProp{.learning_rate = 1e-4f, .decay = 1e-5f},
                  Recipe{.batch = batch, .rounds = 1'000'000, .patience = 1'000'000, .updates_per_round = updates},
                  Seed{7}) {}

private:
    // So that every update is of the same size.
    static TrainingData whole_batches(const TrainingData& data, int batch) {
        const auto size = static_cast<std::size_t>(batch);
        std::vector<std::uint32_t> items(data.size() / size * size);
        std::iota(items.begin(), items.end(), 0u);
        return data.of_items(items);
    }
};

}  // namespace training
