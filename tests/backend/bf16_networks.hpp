// Whole networks in bf16, and what they must agree with: the reference with the same roundings inserted.
#pragma once
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <skewgrad/model/model.hpp>
#include <vector>

#include "backend/layers.hpp"
#include "backend/rounded.hpp"
#include "backend/steps.hpp"
#include "backend/subjects.hpp"

namespace skewgrad_tests::bf16_networks {
using namespace skewgrad;

// Channels on both sides of blocks of 16 and lines of 32, images that no tile divides; user layers of both forms, first
// and last layers of every kind that can stand there.
struct Plain : Network<Image<3, 16, 16>, Conv<32>, Relu, Conv<32>, Relu, MaxPool<2>, Dropout<25>, Conv<64>, Relu,
                       MaxPool<2>, Dense<64>, Relu, Dropout<50>, Dense<10>> {};
struct Square7 : Network<Image<5, 7, 7>, Conv<17>, Relu, Conv<33, 3, 2>, Sigmoid, MaxPool<2>, Conv<20, 1>, Dense<33>,
                         Relu, Dropout<50>, Dense<5>> {};
struct Square12 : Network<Image<3, 12, 12>, Normalize<Statistics>, Conv<20, 5, 3>, Softplus, Conv<17, 3, 3>,
                          AveragePool<2>, Dense<2>> {};
struct Oblong : Network<Image<1, 9, 5>, Conv<33, 5>, Relu, Conv<1, 3, 2, Padding::valid>, ScaleAndShift, Relu,
                        Depthwise, MaxPool<2>, Dense<17>> {};
struct Branched : Network<Image<20, 9, 5>, Residual<Conv<20>, Relu, Conv<20>>, Relu, Dropout<25>,
                          Residual<Conv<33, 1>, Conv<20, 1>>, Residual<>, Dense<10>> {};
struct DenseImage : Network<Image<33, 3, 3>, Dense<17>, Relu, Dense<33>> {};
struct PooledLast : Network<Image<3, 8, 8>, Conv<16>, Relu, Conv<10>, Relu, MaxPool<8>> {};

using Networks = boost::mpl::list<Plain, Square7, Square12, Oblong, Branched, DenseImage, PooledLast>;

// Both backends round the same numbers. Where their f32 sums differ in the last bits, a sum near the middle of two bf16
// numbers is rounded the other way, and the next layer's sums differ by more: the share of numbers that do grows like a
// square root from layer to layer. What that does is held against what all the roundings together do (numerics:
// tolerances). Measured on 60 images it is below 0.05 where few layers multiply, but 0.31 of it in logits and 0.25 in
// gradients after Plain's five; a training step, where a pool's winner may change, 0.29.
template <class N>
inline constexpr double share = 0.25;
template <>
inline constexpr double share<Plain> = 0.4;
inline constexpr double share_of_step = 0.5;

template <class A, class B>
double distance(const A& a, const B& b) {
    double sum = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double d = static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]);
        sum += d * d;
    }
    return std::sqrt(sum);
}

// Few images would leave the distances to chance.
inline constexpr std::size_t image_count = 60;
inline const std::vector<Pick> picks = [] {
    std::vector<Pick> all(image_count);
    for (std::uint32_t i = 0; i < image_count; ++i) all[i] = {i * 7 % 60, static_cast<std::uint8_t>(i % 3)};
    return all;
}();
inline const Batch batch{.picks = picks, .epoch = 6, .seed = Seed{17}, .flips = true};

template <class N>
struct Subject {
    static constexpr std::size_t images = image_count;
    Model<N, Rounded<bf16>> rounded{Seed{11}};
    xt::xtensor<float, 4> x = random_images<float>(N::image, images);
    std::vector<Label> y = labels_in_turn(images, N::classes);
    std::shared_ptr<const ImageStore> store = noise_store<N>(image_count);

    explicit Subject(bool trained) {
        shake(rounded);
        StepSums state;
        if (trained) train(rounded, store, batch, RmsProp{.learning_rate = 1e-3f}, 20, state);
    }
    template <class B>
    Model<N, B> on(typename B::Context context = {}) const {
        Model<N, B> model({}, context);
        model.set_parameters(rounded.parameters());
        return model;
    }
};

/// Logits and gradients on each of the named contexts of B.
template <class N, class B, class Contexts>
void passes_agree(const Contexts& contexts, bool trained) {
    const Subject<N> s(trained);
    const auto f32_model = s.template on<Reference<float>>();
    const auto logits = s.rounded.logits(s.x);
    const auto dx = s.rounded.input_gradient(s.x, s.y);
    const auto dw = s.rounded.parameter_gradient(s.x, s.y);
    const double of_logits = distance(f32_model.logits(s.x), logits),
                 of_dx = distance(f32_model.input_gradient(s.x, s.y), dx),
                 of_dw = distance(f32_model.parameter_gradient(s.x, s.y), dw);
    BOOST_TEST(of_logits > 0);
    for (const auto& [name, context] : contexts) BOOST_TEST_CONTEXT(name << (trained ? ", trained" : ", fresh")) {
            const auto fast = s.template on<B>(context);
            BOOST_TEST(distance(fast.logits(s.x), logits) <= share<N> * of_logits);
            BOOST_TEST(distance(fast.input_gradient(s.x, s.y), dx) <= share<N> * of_dx);
            BOOST_TEST(distance(fast.parameter_gradient(s.x, s.y), dw) <= share<N> * of_dw);
        }
}

/// A training step likewise. Dropout's masks and the flips decide which numbers are summed at all: backends that drew
/// others would be far apart.
template <class N, class B, class Contexts>
void a_training_step_agrees(const Contexts& contexts) {
    const Subject<N> s(false);
    const auto before = s.rounded.parameters();
    const auto change = [&](auto model, StepSums& state) {
        train(model, s.store, batch, Sgd{.learning_rate = 1}, 1, state);
        auto moved = model.parameters();
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i] -= before[i];
        return moved;
    };
    StepSums expected, plain;
    const auto of_rounded = change(s.template on<Rounded<bf16>>(), expected);
    const double of_f32 = distance(change(s.template on<Reference<float>>(), plain), of_rounded);
    for (const auto& [name, context] : contexts) BOOST_TEST_CONTEXT(name) {
            StepSums state;
            const auto moved = change(s.template on<B>(context), state);
            BOOST_TEST(distance(moved, of_rounded) <= share_of_step * of_f32);
            BOOST_TEST(state.updates == 1u);
            BOOST_TEST(state.images == picks.size());
            BOOST_TEST(state.finite());
            BOOST_TEST(std::abs(state.loss_sum / expected.loss_sum - 1) < 1e-3);
        }
}

}  // namespace skewgrad_tests::bf16_networks
