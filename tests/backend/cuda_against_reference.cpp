// The CUDA backend against the reference in double: on a GPU where nvcc compiles this, else its kernels on the CPU.
// links: reference
#define BOOST_TEST_MODULE backend_cuda_against_reference
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/against_reference.hpp"
#include "backend/cuda_device.hpp"
#include "backend/steps.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

using B = OnDevice<f32>;

BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree, N, Networks) {
    const Subject<N> s;
    const double allowed = tolerance<N>(s.images);
    const Model<N, B> fast(s.slow, device<f32>());
    BOOST_TEST(relative_distance(fast.logits(s.x), s.slow.logits(s.x)) < allowed);
    BOOST_TEST(relative_distance(fast.input_gradient(s.x, s.y), s.slow.input_gradient(s.x, s.y)) < allowed);
    BOOST_TEST(relative_distance(s.losses(fast), s.losses(s.slow)) < allowed);
    const auto weights = fast.parameter_gradient(s.x, s.y);
    const auto dw = s.slow.parameter_gradient(s.x, s.y);
    std::size_t at = 0;
    for (const Parameter& p : N::parameters) {
        BOOST_TEST_CONTEXT(p.name << " at " << at) BOOST_TEST(relative_distance(weights, dw, at, p.size()) < allowed);
        at += p.size();
    }
}

// Dropout's masks and the flips decide which numbers are summed at all: backends that drew others would be far apart.
// The third step is the first that a device runs as one recorded piece.
BOOST_AUTO_TEST_CASE_TEMPLATE(training_steps_agree_masks_and_flips_included, N, Networks) {
    const Subject<N> s;
    const std::vector<Pick> picks{{7, 0}, {2, 0}, {2, 1}, {0, 0}, {8, 3}};
    const Batch batch{.picks = picks, .epoch = 6, .seed = Seed{17}, .flips = true};
    const Sgd optimiser{.learning_rate = 0.01f};
    StepSums slow_state, state;
    auto slow = s.slow_copy();
    Model<N, B> fast(s.slow, device<f32>());
    const auto before = slow.parameters();
    const auto store = noise_store<N>(9);
    train(slow, store, batch, optimiser, 3, slow_state);
    train(fast, store, batch, optimiser, 3, state);
    const auto expected = slow.parameters();
    const auto found = fast.parameters();
    std::vector<double> moved(before.size()), change(before.size());
    double size = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        change[i] = expected[i] - before[i];
        moved[i] = found[i] - before[i];
        size += change[i] * change[i];
    }
    const double rounding = 3 * 0x1p-24 * std::sqrt(static_cast<double>(before.size()) / size);
    BOOST_TEST(relative_distance(moved, change) < 3 * tolerance<N>(picks.size()) + rounding);
    BOOST_TEST(state.updates == 3u);
    BOOST_TEST(state.images == 3 * picks.size());
    BOOST_TEST(state.correct == slow_state.correct);
    BOOST_TEST(state.finite());
    BOOST_TEST(std::abs(state.loss_sum / slow_state.loss_sum - 1) < 3 * tolerance<N>(1));
}

// Every optimiser's formula, slots and all, against the reference: from gradients that differ by roundings only.
BOOST_AUTO_TEST_CASE(every_optimiser_steps_as_on_the_reference) {
    using N = DenseImage;
    const Subject<N> s;
    const std::vector<Pick> picks{{1, 0}, {2, 0}, {3, 0}};
    const Batch batch{.picks = picks, .seed = Seed{3}};
    const auto store = noise_store<N>(5);
    const auto check = [&](const auto& optimiser) {
        StepSums slow_state, state;
        auto slow = s.slow_copy();
        Model<N, B> fast(s.slow, device<f32>());
        train(slow, store, batch, optimiser, 3, slow_state);
        train(fast, store, batch, optimiser, 3, state);
        BOOST_TEST(relative_distance(fast.parameters(), slow.parameters()) < 5e-5);
        BOOST_TEST(state.updates == 3u);
    };
    check(RmsProp{.learning_rate = 1e-3f, .decay = 0.1f});
    check(TorchRmsProp{.learning_rate = 1e-3f});
    check(TensorFlowRmsProp{});
    check(Sgd{.learning_rate = 1e-2f, .momentum = 0.9f, .weight_decay = 1e-3f, .nesterov = true});
    check(Adam{});
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_stops_the_updates) {
    using N = DenseImage;
    Model<N, B> model(Seed{1}, device<f32>());
    auto values = model.parameters();
    for (auto& v : values) v *= 1e30f;
    model.set_parameters(values);
    const auto before = model.parameters();
    const std::vector<Pick> picks{{1, 0}, {2, 0}};
    StepSums state;
    state.updates = 5;
    train(model, noise_store<N>(5), Batch{.picks = picks}, Sgd{.learning_rate = 1}, 3, state);
    BOOST_TEST(!state.finite());
    BOOST_TEST(state.first_non_finite == 5u);
    BOOST_TEST(state.updates == 5u);
    BOOST_TEST(state.images == 0u);
    BOOST_TEST(same_bits(model.parameters(), before));
}

}  // namespace
