// Training with batch normalisation: the same bits on any number of threads and in a recording, attacks with either
// statistics in a step, sessions that go on.
#define BOOST_TEST_MODULE train_batch_norm
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/evaluate/evaluate.hpp>
#include <skewgrad/train/adversarial.hpp>
#include <skewgrad/train/trainer.hpp>
#include <span>
#include <utility>
#include <vector>

#include "backend/recording_device.hpp"
#include "backend/steps.hpp"
#include "backend/subjects.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Residuals : Network<Image<3, 12, 12>, Conv<16>, BatchNorm, Relu,
                           Residual<Conv<16>, BatchNorm, Relu, Conv<16>, BatchNorm>, Relu, AveragePool<12>, Dense<5>> {
};
struct Small : Network<Image<3, 6, 6>, BatchNorm, Conv<5>, BatchNorm, Relu, Dense<7>, BatchNorm, Relu, Dense<4>> {};
using Backends = boost::mpl::list<Cpu<f32>, Cpu<bf16>>;

/// Noise under stripes whose width tells the class.
std::shared_ptr<const ImageStore> striped(Shape shape, std::size_t images, int classes) {
    std::vector<std::uint8_t> bytes(images * static_cast<std::size_t>(shape.size()));
    const auto y = labels_in_turn(images, classes);
    const auto size = static_cast<std::size_t>(shape.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int w = static_cast<int>(i) % shape.w, width = index(y[i / size]) + 1;
        const float noise = random_number(3, static_cast<std::uint32_t>(i));
        bytes[i] = static_cast<std::uint8_t>((w / width % 2 == 0 ? 100 : 40) + 100 * noise);
    }
    return make_store("striped", shape, std::move(bytes), y);
}

// 75 images in batches of 40: more than a block of a training without batch normalisation, and a short last batch.
template <class B, class P>
std::pair<std::vector<float>, History> residuals_trained(typename B::Context on, const P& perturbation, int rounds) {
    Model<Residuals, B> model(Seed{2}, on);
    const auto store = striped(Residuals::image, 85, Residuals::classes);
    std::vector<std::uint32_t> fit, held;
    for (std::uint32_t i = 0; i < 85; ++i) (i < 75 ? fit : held).push_back(i);
    const Trainer trainer{RmsProp{.learning_rate = 3e-3f},
                          Recipe{.batch = 40, .rounds = rounds, .patience = rounds, .updates_per_round = 2},
                          CrossEntropy{}, perturbation};
    History history = trainer.fit(model, TrainingData(store, fit), ValidationData(store, held));
    return {model.parameters(), std::move(history)};
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_residual_network_learns_the_same_on_any_threads, B, Backends) {
    const auto [one, history] = residuals_trained<B>(typename B::Context(1), Unperturbed{}, 12);
    BOOST_TEST(history.rounds.back().updates == 24u);
    BOOST_TEST(history.rounds.back().train_loss < 0.5 * history.rounds.front().train_loss);
    // Evaluation uses the running statistics, which have followed the batches.
    BOOST_TEST(history.rounds.back().validation_loss < 0.75 * history.rounds.front().validation_loss);
    for (const int threads : {2, 3}) {
        const auto [many, other] = residuals_trained<B>(typename B::Context(threads), Unperturbed{}, 12);
        BOOST_TEST(same_bits(many, one), threads << " threads");
        BOOST_TEST(other.rounds.back().train_loss == history.rounds.back().train_loss);
        BOOST_TEST(other.rounds.back().validation_loss == history.rounds.back().validation_loss);
    }
}

/// PGD within a step, with the running statistics or those of the batch as the attack changes it.
constexpr Adversarial<Attack<PGD>> by_running{{.epsilon = 0.06f, .alpha = 0.03f, .steps = 2}, BatchStatistics::running};
constexpr Adversarial<Attack<PGD>> by_batch{{.epsilon = 0.06f, .alpha = 0.03f, .steps = 2}, BatchStatistics::batch};

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attack_within_a_step_takes_either_statistics, B, Backends) {
    const auto trained = [](int threads, const auto& perturbation) {
        return residuals_trained<B>(typename B::Context(threads), perturbation, 2).first;
    };
    std::vector<std::vector<float>> all;
    for (const auto& perturbation : {by_running, by_batch}) {
        const auto one = trained(1, perturbation);
        for (const float w : one) BOOST_REQUIRE(std::isfinite(w));
        for (const int threads : {2, 3}) BOOST_TEST(same_bits(trained(threads, perturbation), one));
        all.push_back(one);
    }
    BOOST_TEST(!same_bits(all[0], all[1]));
    BOOST_TEST(!same_bits(all[0], trained(1, Unperturbed{})));
}

// With the batch's statistics FGSM's gradient is that of a pass with these over the step's own images.
BOOST_AUTO_TEST_CASE(an_attack_with_the_batchs_statistics_climbs_the_batchs_loss) {
    using M = Model<Residuals, Cpu<f32>>;
    const auto store = striped(Residuals::image, 40, Residuals::classes);
    const std::vector<Pick> picks = [] {
        std::vector<Pick> all(40);
        for (std::uint32_t i = 0; i < 40; ++i) all[i] = {i, 0};
        return all;
    }();
    const auto loss = [&](const auto& perturbation) {
        M model(Seed{4}, Cpu<f32>::Context(2));
        using P = std::remove_cvref_t<decltype(perturbation)>;
        Steps<M, Sgd, CrossEntropy, P> steps(model, store, Sgd{.learning_rate = 0}, 40, false, {}, perturbation);
        StepSums sums;
        steps(Batch{.picks = picks}, sums);
        return sums.loss_sum;
    };
    using Fast = Adversarial<Attack<FGSM>>;
    const double plain = loss(Unperturbed{}), running = loss(Fast{{.epsilon = 0.02f}, BatchStatistics::running}),
                 batch = loss(Fast{{.epsilon = 0.02f}, BatchStatistics::batch});
    BOOST_TEST(loss(Fast{{.epsilon = 0}, BatchStatistics::batch}) == plain);
    BOOST_TEST(batch > plain);
    BOOST_TEST(batch > running);  // an untrained network's running statistics are far from any batch's
}

/// The images' own loss and the squared distance of the attacked images' logits from theirs.
struct Paired {
    static constexpr const char* name = "paired";
    static constexpr bool pairs = true;
    static constexpr auto fields = names();
    struct Formula {
        template <class R>
        SKEWGRAD_FN double operator()(const LossCase<R>& of, double scale, R* dz, R* other) const {
            const LossCase<R> own{of.other, nullptr, of.classes, of.label, of.label, nullptr};
            double loss = loss::CrossEntropyFormula{}(own, scale, other, static_cast<R*>(nullptr));
            for (int k = 0; k < of.classes; ++k) {
                const double apart = static_cast<double>(of.z[k]) - static_cast<double>(of.other[k]);
                loss += apart * apart;
                if (dz) dz[k] = static_cast<R>(scale * 2 * apart);
                if (other) other[k] -= static_cast<R>(scale * 2 * apart);
            }
            return loss;
        }
    };
    std::vector<float> table(std::span<const int>) const { return {}; }
    Formula at(Moment) const { return {}; }
};
static_assert(Loss<Paired>);

/// What some steps leave of Small.
template <class B, class L, class P>
std::vector<float> small_trained(typename B::Context on, const L& loss, const P& perturbation) {
    Model<Small, B> model(Seed{3}, on);
    const auto store = striped(Small::image, 45, Small::classes);
    Steps<Model<Small, B>, Adam, L, P> steps(model, store, Adam{}, 40, true, loss, perturbation);
    StepSums sums;
    std::vector<Pick> picks(45);
    for (std::uint32_t i = 0; i < 45; ++i) picks[i] = {i, 0};
    for (Batch batch{.seed = Seed{5}}; batch.epoch < 4; ++batch.epoch)
        for (const auto& [first, count] : {std::pair{0, 40}, {40, 5}}) {
            batch.picks =
                std::span<const Pick>(picks).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
            steps(batch, sums);
        }
    BOOST_TEST(sums.updates == 8u);
    model.context().wait();
    return model.parameters();
}

// The attacked images stand beside the batch's own; each of the two is normalised by itself.
BOOST_AUTO_TEST_CASE_TEMPLATE(two_views_train_the_same_on_any_threads, B, Backends) {
    const Adversarial<Attack<FGSM>, Views::beside> beside{{.epsilon = 0.05f}, BatchStatistics::batch};
    const auto one = small_trained<B>(typename B::Context(1), Paired{}, beside);
    for (const float w : one) BOOST_REQUIRE(std::isfinite(w));
    for (const int threads : {2, 3})
        BOOST_TEST(same_bits(small_trained<B>(typename B::Context(threads), Paired{}, beside), one));
}

// The step is one recording for each size of batch: normalisation, statistics and the attack's passes are in it.
BOOST_AUTO_TEST_CASE(recorded_and_direct_steps_give_the_same_bits) {
    using Recorded = OnRecordingDevice<f32>;
    using Direct = cuda::Policy<f32, cuda::Emulated>;
    const auto same = [](const auto& perturbation) {
        RecordingDevice::replays = 0;
        const auto recorded = small_trained<Recorded>({}, CrossEntropy{}, perturbation);
        BOOST_TEST(RecordingDevice::replays > 3);
        BOOST_TEST(same_bits(recorded, small_trained<Direct>({}, CrossEntropy{}, perturbation)));
    };
    same(Unperturbed{});
    same(by_batch);
}

BOOST_AUTO_TEST_CASE(a_session_goes_on_with_the_same_statistics) {
    const TemporaryFolder folder;
    const auto store = striped(Small::image, 53, Small::classes);
    std::vector<std::uint32_t> fit, held;
    for (std::uint32_t i = 0; i < 53; ++i) (i < 45 ? fit : held).push_back(i);
    const TrainingData data(store, fit);
    const ValidationData validation(store, held);
    const Trainer trainer{Adam{}, Recipe{.batch = 40, .rounds = 3, .updates_per_round = 3}};
    Model<Small, Cpu<f32>> model(Seed{1}, Cpu<f32>::Context(2)), same(Seed{1}, Cpu<f32>::Context(1));
    auto whole = trainer.session(model, data, validation);
    whole.advance();
    whole.save(folder / "session");
    whole.advance();
    auto again = trainer.session(same, data, validation);
    again.load(folder / "session");
    again.advance();
    BOOST_TEST(same_bits(same.parameters(), model.parameters()));
}

// What evaluation and attacks see of a trained network does not depend on how images are batched.
BOOST_AUTO_TEST_CASE(a_trained_network_is_attacked_image_by_image) {
    const auto store = striped(Residuals::image, 70, Residuals::classes);
    Model<Residuals, Cpu<f32>> model(Seed{2}, Cpu<f32>::Context(2));
    model.set_parameters(residuals_trained<Cpu<f32>>(Cpu<f32>::Context(2), Unperturbed{}, 2).first);
    const TestData data(store);
    const xt::xtensor<float, 4> x = data.images();
    const auto y = data.labels();
    BOOST_TEST(same_bits(model.logits(data), model.logits(x)));
    const auto together = Attack<FGSM, Ascent>{.epsilon = 0.02f}(model, x, y);
    const std::size_t pixels = x.size() / 70;
    for (const std::size_t n : {std::size_t{0}, std::size_t{33}, std::size_t{69}}) {
        auto one = xt::xtensor<float, 4>::from_shape({1, 3, 12, 12});
        std::copy_n(x.data() + n * pixels, pixels, one.data());
        const auto alone = Attack<FGSM, Ascent>{.epsilon = 0.02f}(model, one, std::span(y).subspan(n, 1));
        BOOST_TEST(std::memcmp(alone.data(), together.data() + n * pixels, pixels * sizeof(float)) == 0);
    }
}

}  // namespace
