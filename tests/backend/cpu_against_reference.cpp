// Cpu<f32> on every instruction set against the reference in double: whole networks on odd shapes, passes and updates.
// links: reference
#define BOOST_TEST_MODULE backend_cpu_against_reference
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/model.hpp>
#include <string>
#include <vector>

#include "backend/against_reference.hpp"
#include "backend/sets.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree, N, Networks) {
    const Subject<N> s;
    const double allowed = tolerance<N>(s.images);
    const auto logits = s.slow.logits(s.x);
    const auto dx = s.slow.input_gradient(s.x, s.y);
    const auto dw = s.slow.parameter_gradient(s.x, s.y);
    const auto losses = s.losses(s.slow);
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            const Model<N, Cpu<f32>> fast(s.slow, Cpu<f32>::Context(2, set));
            BOOST_TEST(relative_distance(fast.logits(s.x), logits) < allowed);
            BOOST_TEST(relative_distance(fast.input_gradient(s.x, s.y), dx) < allowed);
            BOOST_TEST(relative_distance(s.losses(fast), losses) < allowed);
            const auto weights = fast.parameter_gradient(s.x, s.y);
            std::size_t at = 0;
            for (const Parameter& p : N::parameters) {
                BOOST_TEST_CONTEXT(p.name << " at " << at)
                BOOST_TEST(relative_distance(weights, dw, at, p.size()) < allowed);
                at += p.size();
            }
        }
}

// Dropout's masks and the flips decide which numbers are summed at all: backends that drew others would be far apart.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_training_step_agrees_masks_and_flips_included, N, Networks) {
    const Subject<N> s;
    const auto size = static_cast<std::size_t>(N::image.size());
    std::vector<std::uint8_t> bytes(9 * size);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(256 * random_number(3, static_cast<std::uint32_t>(i)));
    const auto store = make_store("noise", N::image, std::move(bytes), labels_in_turn(9, N::classes));
    const std::vector<Pick> picks{{7, 0}, {2, 0}, {2, 1}, {0, 0}, {8, 3}};
    const Batch batch{.picks = picks, .epoch = 6, .seed = Seed{17}, .flips = true};
    const Sgd rate_1{.learning_rate = 1};

    StepSums slow_state;
    const auto before = s.slow.parameters();
    const auto slow = stepped(s.slow_copy(), store, batch, rate_1, slow_state);
    std::vector<double> change(slow.size());
    for (std::size_t i = 0; i < slow.size(); ++i) change[i] = slow[i] - before[i];
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            StepSums state;
            const auto fast =
                stepped(Model<N, Cpu<f32>>(s.slow, Cpu<f32>::Context(2, set)), store, batch, rate_1, state);
            std::vector<double> moved(slow.size());
            for (std::size_t i = 0; i < slow.size(); ++i) moved[i] = fast[i] - before[i];
            // The sum w + dw rounds to w's own precision, which weighs more than the gradient's error where dw is
            // small: half an ulp of weights below 2.
            const double rounding = 0x1p-24 * std::sqrt(static_cast<double>(slow.size()));
            double size_of_change = 0;
            for (const double d : change) size_of_change += d * d;
            BOOST_TEST(relative_distance(moved, change) <
                       tolerance<N>(picks.size()) + rounding / std::sqrt(size_of_change));
            BOOST_TEST(state.updates == 1u);
            BOOST_TEST(state.images == picks.size());
            BOOST_TEST(state.correct == slow_state.correct);
            BOOST_TEST(state.finite());
            BOOST_TEST(std::abs(state.loss_sum / slow_state.loss_sum - 1) < tolerance<N>(1));
        }
}

// More images than a training workspace holds run through it in blocks: the step is that of the whole batch's mean
// loss.
BOOST_AUTO_TEST_CASE(a_batch_of_several_blocks_is_one_batch) {
    using N = Wide;
    constexpr std::size_t images = 75;
    const auto size = static_cast<std::size_t>(N::image.size());
    std::vector<std::uint8_t> bytes(images * size);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(256 * random_number(4, static_cast<std::uint32_t>(i)));
    const auto y = labels_in_turn(images, N::classes);
    const auto store = make_store("noise", N::image, std::move(bytes), y);
    std::vector<Pick> picks(images);
    for (std::uint32_t i = 0; i < images; ++i) picks[i] = {i, 0};
    const Batch batch{.picks = picks};

    const auto check = [&]<class B>(const Model<N, B>& model, double allowed) {
        const xt::xtensor<typename B::Real, 4> x = TrainingData(store).images();
        const auto gradient = model.parameter_gradient(x, y);
        const auto before = model.parameters();
        StepSums state;
        Model<N, B> copy{Seed{}, model.context()};
        copy.set_parameters(before);
        const auto after = stepped(std::move(copy), store, batch, Sgd{.learning_rate = 1}, state);
        std::vector<double> moved(before.size());
        for (std::size_t i = 0; i < before.size(); ++i) moved[i] = static_cast<double>(before[i]) - after[i];
        BOOST_TEST(relative_distance(moved, std::vector<double>(gradient.begin(), gradient.end())) < allowed);
        BOOST_TEST(state.images == images);
        BOOST_TEST(state.updates == 1u);
    };
    const Subject<N> s;
    check(s.slow, 1e-13);                                           // roundings of double
    check(Model<N, Cpu<f32>>(s.slow, Cpu<f32>::Context(2)), 1e-4);  // w - dw rounds to w's own precision
}

// A workspace that has held infinities and NaNs, in padding channels too, gives what a fresh one gives.
BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_workspace_held_before_does_not_matter, N, Networks) {
    const Subject<N> s;
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            const Model<N, Cpu<f32>> sound(s.slow, Cpu<f32>::Context(2, set));
            Model<N, Cpu<f32>> diverged(s.slow, Cpu<f32>::Context(2, set));
            auto values = diverged.parameters();
            for (std::size_t i = 0; i < values.size(); ++i) values[i] *= i % 3 == 0 ? NAN : 1e30f;
            diverged.set_parameters(values);
            const auto expected = sound.input_gradient(s.x, s.y);
            const auto expected_weights = sound.parameter_gradient(s.x, s.y);
            ModelPasses<Model<N, Cpu<f32>>> passes(sound, s.x, s.y, static_cast<int>(s.y.size()));
            passes.gradient(diverged);
            passes.weights(diverged);
            passes.gradient(sound);
            BOOST_TEST(same_bits(passes.dx(), expected));
            passes.gradient(diverged, true);
            BOOST_TEST(same_bits(passes.weights(sound), expected_weights));
        }
}

}  // namespace
