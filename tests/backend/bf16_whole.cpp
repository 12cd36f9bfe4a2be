// Cpu<bf16> as a whole: small epsilons are seen, gradients are slopes, models move and trainings continue.
#define BOOST_TEST_MODULE backend_bf16_whole
#include <algorithm>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <skewgrad/attack/fgsm.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/evaluate/evaluate.hpp>
#include <skewgrad/train/trainer.hpp>
#include <string>
#include <vector>

#include "backend/passes.hpp"
#include "backend/steps.hpp"
#include "backend/subjects.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<2>, Conv<32>, Relu, MaxPool<2>, Dropout<25>, Conv<32>,
                     Relu, MaxPool<2>, Dense<64>, Relu, Dense<10>> {};

// Trained once for all cases, far enough to tell most images apart.
struct Trained {
    Splits data = Embedded{.train_per_class = 60, .test_per_class = 40}.load();
    Model<Net, Cpu<bf16>> model{Seed{3}};
    Trained() {
        const Trainer trainer{RmsProp{.learning_rate = 1e-3f}, Recipe{.batch = 32, .rounds = 50}};
        trainer.fit(model, data.train, ValidationData(data.train.store(), {}));
    }
};
const Trained& trained() {
    static const Trained once;
    return once;
}

template <class M>
double attacked_accuracy(const M& model, float epsilon) {
    const auto x = trained().data.test.images();
    const auto y = trained().data.test.labels();
    return evaluate(model, Attack<FGSM, Ascent>{.epsilon = epsilon}(model, x, y), y).accuracy().value();
}

// numerics: attacks. A pixel near 1 in bf16 would move by 1/256 or not at all.
BOOST_AUTO_TEST_CASE(half_a_grey_level_moves_the_accuracy_as_in_f32) {
    const Model<Net, Cpu<f32>> f32_model(trained().model);
    const double clean = evaluate(trained().model, trained().data.test).accuracy().value();
    BOOST_TEST(clean > 0.4);
    BOOST_TEST(std::abs(clean - evaluate(f32_model, trained().data.test).accuracy().value()) < 0.02);
    double before = clean;
    for (const float grey_levels : {0.5f, 1.0f, 2.0f}) {
        const double attacked = attacked_accuracy(trained().model, grey_levels / 255),
                     expected = attacked_accuracy(f32_model, grey_levels / 255);
        BOOST_TEST_MESSAGE("accuracy " << clean << ", at " << grey_levels << "/255: " << attacked << ", f32 "
                                       << expected);
        BOOST_TEST(attacked < before);
        BOOST_TEST(std::abs(attacked - expected) < 0.02);
        before = attacked;
    }
}

// The logits' answer to a step that bf16 pixels could not show is f32's. Roundings of activations remain in it: a step
// of 1/4000 moves logits by about as much as they do.
BOOST_AUTO_TEST_CASE(logits_answer_to_steps_below_a_bf16_pixel) {
    const auto& model = trained().model;
    const Model<Net, Cpu<f32>> f32_model(model);
    const auto x = trained().data.test.images();
    const auto y = trained().data.test.labels();
    const auto dx = f32_model.input_gradient(x, y);
    for (const auto& [step, allowed] : {std::pair(0.5f / 255, 0.2), {0.001f, 0.35}}) {
        auto moved = x;
        for (std::size_t i = 0; i < x.size(); ++i)
            moved.data()[i] += dx.data()[i] > 0 ? step : dx.data()[i] < 0 ? -step : 0;
        auto change = model.logits(moved), expected = f32_model.logits(moved);
        const auto z = model.logits(x), f32_z = f32_model.logits(x);
        for (std::size_t i = 0; i < z.size(); ++i) {
            change.data()[i] -= z.data()[i];
            expected.data()[i] -= f32_z.data()[i];
        }
        const double distance = relative_distance(change, expected);
        BOOST_TEST_MESSAGE("step " << step << ": " << distance);
        BOOST_TEST(distance < allowed);
    }
}

BOOST_AUTO_TEST_CASE(gradient_signs_follow_f32s) {
    const auto x = trained().data.test.images();
    const auto y = trained().data.test.labels();
    const auto mine = trained().model.input_gradient(x, y);
    const auto f32_dx = Model<Net, Cpu<f32>>(trained().model).input_gradient(x, y);
    std::vector<float> magnitudes(f32_dx.size());
    for (std::size_t i = 0; i < magnitudes.size(); ++i) magnitudes[i] = std::abs(f32_dx.data()[i]);
    std::nth_element(magnitudes.begin(), magnitudes.begin() + static_cast<std::ptrdiff_t>(magnitudes.size() / 2),
                     magnitudes.end());
    const float median = magnitudes[magnitudes.size() / 2];
    double same = 0, large = 0, same_large = 0;
    for (std::size_t i = 0; i < f32_dx.size(); ++i) {
        const bool agree = (mine.data()[i] > 0) == (f32_dx.data()[i] > 0);
        const bool above = std::abs(f32_dx.data()[i]) > median;
        same += agree;
        large += above;
        same_large += agree && above;
    }
    BOOST_TEST_MESSAGE("signs agree on " << same / static_cast<double>(f32_dx.size()) << " of the pixels, on "
                                         << same_large / large << " above the median");
    BOOST_TEST(same / static_cast<double>(f32_dx.size()) > 0.9);
    BOOST_TEST(same_large / large > 0.95);
}

// Central differences along the gradient itself: (L(x + h d) - L(x - h d)) / 2h = |g| for d = g / |g|. Steps are long
// enough for the loss to move by far more than bf16's roundings move it, so that curvature shows: a few per cent.
template <class B>
constexpr double slope_tolerance = 0.1;
template <>
constexpr double slope_tolerance<Cpu<f32>> = 0.03;
using Precisions = boost::mpl::list<Cpu<f32>, Cpu<bf16>>;

template <class M>
double mean_loss(const M& model, const xt::xtensor<float, 4>& x, const std::vector<Label>& y) {
    const auto z = model.logits(x);
    double sum = 0;
    for (std::size_t n = 0; n < y.size(); ++n) sum += cross_entropy(&z(n, 0), Net::classes, y[n]);
    return sum / static_cast<double>(y.size());
}
template <class V>
double norm(const V& v) {
    double sum = 0;
    for (const auto e : v) sum += double{e} * double{e};
    return std::sqrt(sum);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(input_gradient_is_a_slope_through_the_whole_network, B, Precisions) {
    Model<Net, B> model;
    model.set_parameters(trained().model.parameters());
    const auto x = trained().data.test.images();
    const std::vector<Label> y(trained().data.test.labels());
    const auto g = model.input_gradient(x, y);
    const double size = norm(g);
    // Of the sum of losses, so that the slope is |g|; a length that moves the mean loss by about 0.02.
    const double step = 0.02 * static_cast<double>(y.size()) / size;
    auto up = x, down = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float d = static_cast<float>(step / size * double{g.data()[i]});
        up.data()[i] += d;
        down.data()[i] -= d;
    }
    const double slope =
        (mean_loss(model, up, y) - mean_loss(model, down, y)) * static_cast<double>(y.size()) / (2 * step);
    BOOST_TEST_MESSAGE(B::name() << ": input slope " << slope / size << " of the gradient");
    BOOST_TEST(std::abs(slope / size - 1) < slope_tolerance<B>);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parameter_gradient_is_a_slope_through_the_whole_network, B, Precisions) {
    Model<Net, B> model;
    const auto values = trained().model.parameters();
    model.set_parameters(values);
    const auto x = trained().data.test.images();
    const std::vector<Label> y(trained().data.test.labels());
    const auto g = model.parameter_gradient(x, y);
    // All parameters together, then each layer's alone.
    std::size_t first = 0;
    std::vector<std::pair<std::size_t, std::size_t>> ranges{{0, values.size()}};
    for (const Parameter& p : Net::parameters) {
        ranges.push_back({first, p.size()});
        first += p.size();
    }
    for (const auto& [at, count] : ranges) {
        const double size = norm(std::vector<float>(g.begin() + static_cast<std::ptrdiff_t>(at),
                                                    g.begin() + static_cast<std::ptrdiff_t>(at + count)));
        const auto loss_at = [&](double step) {
            auto moved = values;
            for (std::size_t i = at; i < at + count; ++i) moved[i] += static_cast<float>(step / size * double{g[i]});
            model.set_parameters(moved);
            return mean_loss(model, x, y);
        };
        // The mean over some steps: each rounds the weights to other bf16 numbers.
        const double lengths[] = {0.016, 0.018, 0.02, 0.022, 0.024};
        double slope = 0;
        for (const double length : lengths)
            slope += (loss_at(length / size) - loss_at(-length / size)) / (2 * length / size) / std::size(lengths);
        BOOST_TEST_MESSAGE(B::name() << ": parameters " << at << " + " << count << ": slope " << slope / size);
        BOOST_TEST(std::abs(slope / size - 1) < slope_tolerance<B>, "parameters " << at << " + " << count);
    }
}

BOOST_AUTO_TEST_CASE(a_model_moves_between_backends_unchanged) {
    const auto& model = trained().model;
    const Model<Net, Cpu<f32>> there(model);
    const Model<Net, Cpu<bf16>> back(there);
    BOOST_TEST(same_bits(back.parameters(), model.parameters()));
    const auto x = trained().data.test.images();
    BOOST_TEST(same_bits(back.logits(x), model.logits(x)));
}

BOOST_AUTO_TEST_CASE(a_training_continues_from_its_file_with_the_same_bits) {
    const TemporaryFolder folder;
    const TrainingData& data = trained().data.train;
    const ValidationData none(data.store(), {});
    const Trainer trainer{RmsProp{.learning_rate = 1e-3f, .decay = 1e-2f},
                          Recipe{.batch = 25, .rounds = 3, .updates_per_round = 3, .flips = true}};
    Model<Net, Cpu<bf16>> whole(Seed{1});
    auto session = trainer.session(whole, data, none);
    session.advance();
    session.save(folder / "first");
    while (!session.finished()) session.advance();

    Model<Net, Cpu<bf16>> again(Seed{1}, Cpu<bf16>::Context(1));
    auto continued = trainer.session(again, data, none);
    continued.load(folder / "first");
    while (!continued.finished()) continued.advance();
    BOOST_TEST(same_bits(again.parameters(), whole.parameters()));

    Model<Net, Cpu<f32>> other(Seed{1});
    auto refused = trainer.session(other, data, none);
    BOOST_CHECK_THROW(refused.load(folder / "first"), FileError);
}

}  // namespace
