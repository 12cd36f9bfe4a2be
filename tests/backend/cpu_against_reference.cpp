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

#include "backend/layers.hpp"
#include "backend/sets.hpp"
#include "backend/subjects.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

// Channels on both sides of the kernels' blocks of 16, images that no tile divides.
struct Square7 : Network<Image<5, 7, 7>, Conv<17>, Relu, Conv<33, 3, 2>, Sigmoid, MaxPool<2>, Conv<20, 1>, Dense<33>,
                         Relu, Dropout<50>, Dense<5>> {};
struct Square12 : Network<Image<3, 12, 12>, Normalize<Statistics>, Conv<20, 5, 3>, Softplus, Conv<17, 3, 3>,
                          AveragePool<2>, Dense<2>> {};
struct Oblong : Network<Image<1, 9, 5>, Conv<33, 5>, Relu, Conv<1, 3, 2, Padding::valid>, ScaleAndShift, Relu,
                        Depthwise, MaxPool<2>, Dense<17>> {};
struct Wide : Network<Image<17, 12, 12>, AveragePool<2>, Conv<20, 5>, Relu, MaxPool<3>, Dense<3>> {};
struct Branched : Network<Image<20, 9, 5>, Residual<Conv<20>, Relu, Conv<20>>, Relu, Dropout<25>,
                          Residual<Conv<33, 1>, Conv<20, 1>>, Residual<>, Dense<10>> {};
struct PooledImage : Network<Image<33, 7, 7>, MaxPool<7>, Dense<20>, Sigmoid, Dense<3>> {};
struct DenseImage : Network<Image<33, 3, 3>, Dense<17>, Relu, Dense<33>> {};

using Networks = boost::mpl::list<Square7, Square12, Oblong, Wide, Branched, PooledImage, DenseImage>;

/// Products in the sums on the way from the pixels to the loss and back to the pixels or into a weight.
template <class N>
double products(std::size_t images) {
    double t = 0, pixels = 1;
    for (const NodePlan& node : N::nodes) {
        if (node.parameter_size == 0) continue;
        t += 2.0 * static_cast<double>(node.parameter_size) / node.out_shape.c;  // taps x channels, there and back
        pixels = std::fmax(pixels, node.out_shape.h * node.out_shape.w);
    }
    return t + pixels * static_cast<double>(images);
}

/// f32 sums of t products stand within 2e-7 sqrt(t) of the reference (numerics: tolerances). A whole network's
/// roundings add up as one walk over all products on the way.
template <class N>
double tolerance(std::size_t images) {
    return 2e-7 * std::sqrt(products<N>(images));
}

template <class N>
struct Subject {
    static constexpr std::size_t images = 5;
    Model<N, Reference<double>> slow{Seed{11}};
    xt::xtensor<double, 4> x = random_images<float>(N::image, images);
    std::vector<Label> y = labels_in_turn(images, N::classes);

    Subject() {
        shake(slow);
        // Both start from the same numbers: those that f32 can hold.
        std::vector<double> values = slow.parameters();
        for (double& v : values) v = static_cast<float>(v);
        slow.set_parameters(values);
    }
    Model<N, Reference<double>> slow_copy() const {
        Model<N, Reference<double>> copy;
        copy.set_parameters(slow.parameters());
        return copy;
    }
    template <class M>
    std::vector<double> losses(const M& model) const {
        std::vector<double> all(images);
        const auto loaded = model.load(x);
        auto dx = model.copy(loaded);
        auto own = model.workspace(Mode::attack, images);
        model.gradient(loaded, y, own, dx, {}, all);
        return all;
    }
};

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

/// The parameters after one step on a batch of bytes.
template <class M, class O>
std::vector<typename M::Real> stepped(M model, const std::shared_ptr<const ImageStore>& store, const Batch& batch,
                                      const O& optimiser, StepState& state) {
    using Program = typename M::Program;
    auto& on = model.context();
    auto own = Program::make_workspace(on, Mode::train, static_cast<int>(batch.picks.size()));
    auto training = Program::make_training(on, optimiser);
    const auto bytes = Program::upload(on, store);
    Program::template train_step<CrossEntropy>(on, model.backend_parameters(), bytes, batch, own, training, state);
    return model.parameters();
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

    StepState slow_state;
    const auto before = s.slow.parameters();
    const auto slow = stepped(s.slow_copy(), store, batch, rate_1, slow_state);
    std::vector<double> change(slow.size());
    for (std::size_t i = 0; i < slow.size(); ++i) change[i] = slow[i] - before[i];
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            StepState state;
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
        auto x = model.unload(model.load(TrainingData(store)));
        const auto gradient = model.parameter_gradient(x, y);
        const auto before = model.parameters();
        StepState state;
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
            const auto x = sound.load(s.x);
            const auto expected = sound.input_gradient(s.x, s.y);
            const auto expected_weights = sound.parameter_gradient(s.x, s.y);

            auto own = sound.workspace(Mode::attack, s.images);
            auto dx = sound.copy(x);
            std::vector<float> weights(N::state_size);
            using Program = typename Model<N, Cpu<f32>>::Program;
            const auto all_weights = [&](const Model<N, Cpu<f32>>& model) {
                Program::template parameter_gradient<CrossEntropy>(model.context(), model.backend_parameters(), x, s.y,
                                                                   own, weights);
            };
            diverged.gradient(x, s.y, own, dx, {}, {});
            all_weights(diverged);
            sound.gradient(x, s.y, own, dx, {}, {});
            BOOST_TEST(same_bits(sound.unload(dx), expected));
            diverged.gradient(x, s.y, own, dx, {}, {});
            all_weights(sound);
            BOOST_TEST(same_bits(weights, expected_weights));
        }
}

}  // namespace
