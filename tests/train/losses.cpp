// A loss of a user's own: class tables, formulas that change with the epoch, on every backend, recorded too.
// links: reference
#define BOOST_TEST_MODULE train_losses
#include <algorithm>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/study/learner.hpp>
#include <skewgrad/train/trainer.hpp>
#include <string>
#include <vector>

#include "backend/recording_device.hpp"
#include "backend/steps.hpp"
#include "nn/cross_entropy.hpp"
#include "store/temporary_folder.hpp"
#include "train/small.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

/// w_y times cross-entropy, w_y = most / n_y from epoch `from` on, before that 1: deferred reweighting.
struct DeferredWeights {
    static constexpr const char* name = "deferred_weights";
    static constexpr bool pairs = false;
    static constexpr auto fields = names("from");
    std::uint32_t from = 1;

    struct Formula {
        bool weighs;
        template <class R>
        SKEWGRAD_FN double operator()(const LossCase<R>& of, double scale, R* dz, R* other) const {
            const double w = weighs ? static_cast<double>(of.table[of.label]) : 1.0;
            return w * loss::CrossEntropyFormula{}(of, scale * w, dz, other);
        }
    };
    std::vector<float> table(std::span<const int> counts) const {
        std::vector<float> weights;
        const int most = *std::max_element(counts.begin(), counts.end());
        for (std::size_t k = 0; k < counts.size(); ++k) {
            if (counts[k] < 1) throw ValueError("deferred_weights: class " + std::to_string(k) + " has no images");
            weights.push_back(static_cast<float>(most) / static_cast<float>(counts[k]));
        }
        return weights;
    }
    Formula at(Moment m) const { return {m.epoch >= from}; }
};
static_assert(Loss<DeferredWeights>);

struct Net : Network<Image<2, 6, 6>, Conv<5>, Relu, Dense<4>> {};
using Backends = boost::mpl::list<Cpu<f32>, Cpu<bf16>, Reference<double>, OnRecordingDevice<f32>>;

// With a rate of 1 and plain steps the weights move by the gradient of the weighted mean.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_class_table_weighs_the_gradient, B, Backends) {
    const auto store = noise_store<Net>(12);
    std::vector<Pick> picks;
    for (std::uint32_t i = 0; i < 12; ++i) picks.push_back({.item = i});
    using M = Model<Net, B>;
    using Real = typename B::Real;
    const auto moved = [&](const auto& loss, std::uint32_t epoch, std::span<const Pick> batch) {
        M model(Seed{3});
        const auto before = model.parameters();
        using L = std::remove_cvref_t<decltype(loss)>;
        NetworkInTraining<B, Sgd> network(model.context(), M::plan(), model.backend_parameters(),
                                          Sgd{.learning_rate = 1}, 12);
        const std::vector<int> counts{6, 3, 2, 1};
        TrainStep<typename M::SpaceType, L, Unperturbed> step(network, M::SpaceType::share(network.queue(), store),
                                                              loss, {}, false, counts, 12);
        step(batch, Seed{1}, {.epoch = epoch});
        std::vector<double> all;
        const auto after = model.parameters();
        for (std::size_t i = 0; i < after.size(); ++i)
            all.push_back(static_cast<double>(after[i]) - static_cast<double>(before[i]));
        return std::pair(all, step.state().loss_sum);
    };
    const auto plain = moved(CrossEntropy{}, 0, picks), early = moved(DeferredWeights{}, 0, picks),
               late = moved(DeferredWeights{}, 1, picks);
    BOOST_TEST(early.first == plain.first);
    BOOST_TEST(early.second == plain.second);
    // The gradient is the sum over the images' own, each weighed by its class.
    std::vector<double> expected(plain.first.size());
    double loss = 0;
    for (std::size_t i = 0; i < picks.size(); ++i) {
        const double weight = std::array{1.0, 2.0, 3.0, 6.0}[i % 4];
        const auto one = moved(CrossEntropy{}, 0, std::span(picks).subspan(i, 1));
        loss += weight * one.second;
        for (std::size_t k = 0; k < expected.size(); ++k) expected[k] += weight * one.first[k] / 12;
    }
    const bool coarse = std::is_same_v<B, Cpu<bf16>>;
    BOOST_TEST(late.second == loss, boost::test_tools::tolerance(coarse ? 1e-2 : 1e-5));
    BOOST_TEST(relative_distance(late.first, expected) < (coarse ? 2e-2 : sizeof(Real) == 8 ? 1e-12 : 1e-4));
    BOOST_TEST(relative_distance(late.first, plain.first) > 0.1);
}

// What differs between two replays of a recording reaches the device: here the formula.
BOOST_AUTO_TEST_CASE(a_formula_switches_between_two_replays) {
    const auto store = noise_store<Net>(8);
    std::vector<Pick> picks;
    for (std::uint32_t i = 0; i < 8; ++i) picks.push_back({.item = i});
    const auto trained = [&]<class B>(std::type_identity<B>) {
        Model<Net, B> model(Seed{3});
        Steps<Model<Net, B>, Adam, DeferredWeights> steps(model, store, Adam{}, 8, true, {.from = 3});
        StepSums sums;
        for (std::uint32_t epoch = 0; epoch < 6; ++epoch)
            steps(Batch{.picks = picks, .epoch = epoch, .seed = Seed{5}}, sums);
        return model.parameters();
    };
    RecordingDevice::replays = 0;
    const auto recorded = trained(std::type_identity<OnRecordingDevice<f32>>{});
    BOOST_TEST(RecordingDevice::replays == 5);
    BOOST_TEST(same_bits(recorded, trained(std::type_identity<cuda::Policy<f32, cuda::Emulated>>{})));
}

BOOST_AUTO_TEST_CASE(counts_that_a_loss_cannot_have_are_refused_before_training) {
    const auto parts = small_parts();
    std::vector<std::uint32_t> without;
    for (std::size_t i = 0; i < parts.fit.size(); ++i)
        if (parts.fit.label(i) != Label{2}) without.push_back(parts.fit.items()[i]);
    const TrainingData fit(parts.fit.store(), without);
    Model<SmallNet, Cpu<f32>> model(Seed{1}, one_thread);
    const Trainer trainer{Sgd{}, Recipe{}, DeferredWeights{}};
    BOOST_CHECK_EXCEPTION(trainer.session(model, fit, parts.validation), ValueError, [](const ValueError& e) {
        return std::string(e.what()).find("class 2 has no images") != std::string::npos;
    });
}

// The loss is a part of what a session and a training are.
BOOST_AUTO_TEST_CASE(a_loss_and_its_values_are_identity) {
    const TemporaryFolder folder;
    const auto parts = small_parts();
    Model<SmallNet, Cpu<f32>> model(Seed{1}, one_thread);
    const Recipe recipe{.batch = 8, .rounds = 3};
    const Trainer trainer{Sgd{}, recipe, DeferredWeights{.from = 2}};
    auto session = trainer.session(model, parts.fit, parts.validation);
    session.advance();
    session.save(folder / "session");
    session.advance();
    const auto expected = model.parameters();
    session.load(folder / "session");
    session.advance();
    BOOST_TEST(same_bits(model.parameters(), expected));
    const auto refused = [&](const auto& other, const std::string& what) {
        auto another = other.session(model, parts.fit, parts.validation);
        BOOST_CHECK_EXCEPTION(another.load(folder / "session"), FileError, [&](const FileError& e) {
            return std::string(e.what()).find(what) != std::string::npos;
        });
    };
    refused(Trainer{Sgd{}, recipe}, "loss");
    refused(Trainer{Sgd{}, recipe, DeferredWeights{.from = 3}}, "loss.values.from");

    using Plain = NetworkLearner<SmallNet, Cpu<f32>, Sgd>;
    using Weighed = NetworkLearner<SmallNet, Cpu<f32>, Sgd, Cpu<f32>, DeferredWeights>;
    BOOST_TEST(Plain{}.json() != Weighed{}.json());
    BOOST_TEST(Weighed{.loss = {.from = 2}}.json() != Weighed{}.json());
}

// Attacks go up a user's loss as well: here twice as steep, which no sign shows, and the other way where it is negated.
struct Negated {
    static constexpr const char* name = "negated";
    static constexpr bool pairs = false;
    static constexpr auto fields = names();
    struct Formula {
        template <class R>
        SKEWGRAD_FN double operator()(const LossCase<R>& of, double scale, R* dz, R* other) const {
            return -2 * loss::CrossEntropyFormula{}(of, -2 * scale, dz, other);
        }
    };
    std::vector<float> table(std::span<const int>) const { return {}; }
    Formula at(Moment) const { return {}; }
};

BOOST_AUTO_TEST_CASE(an_attack_takes_a_users_loss) {
    const Model<SmallNet, Cpu<f32>> model(Seed{1}, one_thread);
    const auto x = random_images<float>(SmallNet::image, 9);
    const auto y = labels_in_turn(9, SmallNet::classes);
    const auto down = Attack<FGSM, Descent>{.epsilon = 0.05f}(model, x, y);
    BOOST_TEST(same_bits(Attack<FGSM, Ascent, Negated>{.epsilon = 0.05f}(model, x, y), down));
    BOOST_TEST(same_bits(Attack<Iterative, Ascent, Negated>{.epsilon = 0.05f, .steps = 3}(model, x, y),
                         Attack<Iterative, Descent>{.epsilon = 0.05f, .steps = 3}(model, x, y)));
}

}  // namespace
