// Adversarial training: PGD-AT and FGSM with random starts as steps of any backend, resumable, the same bits.
#define BOOST_TEST_MODULE train_adversarial
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/study/learner.hpp>
#include <skewgrad/train/adversarial.hpp>
#include <skewgrad/train/trainer.hpp>
#include <string>
#include <vector>

#include "backend/recording_device.hpp"
#include "backend/steps.hpp"
#include "store/temporary_folder.hpp"
#include "train/small.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

/// FGSM-RS (Wong et al. 2020): one step of 1.25 epsilon from a uniform start.
constexpr Adversarial<Attack<PGD>> fgsm_rs{{.epsilon = 0.06f, .alpha = 0.075f, .steps = 1}};
/// PGD-AT (Madry et al. 2018), epsilon growing over two epochs.
constexpr Adversarial<Attack<PGD>> pgd_at{{.epsilon = 0.06f, .alpha = 0.02f, .steps = 3}, BatchStatistics::running, 2};

template <class B, class P>
std::vector<float> trained(typename B::Context on, const P& perturbation, int rounds = 2) {
    const auto parts = small_parts();
    Model<SmallNet, B> model(Seed{1}, on);
    const Trainer trainer{Adam{}, Recipe{.batch = 8, .rounds = rounds, .updates_per_round = 5}, CrossEntropy{},
                          perturbation};
    trainer.fit(model, parts.fit, ValidationData(parts.fit.store(), {}));
    return model.parameters();
}

struct NoDropout : Network<Image<2, 6, 6>, Conv<5>, Relu, Dense<4>> {};

BOOST_AUTO_TEST_CASE(its_loss_is_the_attacked_images_loss) {
    using M = Model<NoDropout, Cpu<f32>>;
    const auto store = noise_store<NoDropout>(6);
    const TrainingData all(store);
    std::vector<Pick> picks;
    for (std::uint32_t i = 0; i < 6; ++i) picks.push_back({.item = i});
    M model(Seed{4}, one_thread);
    for (const float epsilon : {0.0f, 0.1f}) {
        const Adversarial<Attack<FGSM>> fast{{.epsilon = epsilon}};
        const auto moved = fast.attack(model, all.images(), all.labels());
        const auto z = model.logits(moved);
        double expected = 0;
        for (std::size_t n = 0; n < 6; ++n)
            expected += loss::of_row(CrossEntropy{}, std::span<const float>(&z(n, 0), 4), all.label(n));
        Steps<M, Sgd, CrossEntropy, Adversarial<Attack<FGSM>>> steps(model, store, Sgd{.learning_rate = 0}, 6, false,
                                                                     {}, fast);
        StepSums sums;
        steps(Batch{.picks = picks}, sums);
        BOOST_TEST(sums.loss_sum == expected, boost::test_tools::tolerance(1e-12));
    }
}

using Backends = boost::mpl::list<Cpu<f32>, Cpu<bf16>>;
BOOST_AUTO_TEST_CASE_TEMPLATE(any_number_of_threads_gives_the_same_bits, B, Backends) {
    for (const auto& perturbation : {fgsm_rs, pgd_at}) {
        const auto one = trained<B>(typename B::Context(1), perturbation);
        BOOST_TEST(same_bits(trained<B>(typename B::Context(3), perturbation), one));
        BOOST_TEST(!same_bits(trained<B>(typename B::Context(1), Unperturbed{}), one));
    }
    BOOST_TEST(!same_bits(trained<B>(typename B::Context(1), fgsm_rs), trained<B>(typename B::Context(1), pgd_at)));
}

// The whole step, attack included, is one recording; the warm-up of epsilon reaches the replays.
BOOST_AUTO_TEST_CASE(recorded_and_direct_steps_give_the_same_bits) {
    using Recorded = OnRecordingDevice<f32>;
    using Direct = cuda::Policy<f32, cuda::Emulated>;
    RecordingDevice::replays = 0;
    const auto recorded = trained<Recorded>({}, pgd_at, 3);
    BOOST_TEST(RecordingDevice::replays > 5);
    BOOST_TEST(same_bits(recorded, trained<Direct>({}, pgd_at, 3)));
}

BOOST_AUTO_TEST_CASE(a_session_goes_on_with_the_same_bits) {
    const TemporaryFolder folder;
    const auto parts = small_parts();
    const Recipe recipe{.batch = 8, .rounds = 3, .updates_per_round = 4};
    const Trainer trainer{Adam{}, recipe, CrossEntropy{}, pgd_at};
    Model<SmallNet, Cpu<f32>> model(Seed{1}, one_thread), other(Seed{2}, one_thread);
    auto whole = trainer.session(model, parts.fit, parts.validation);
    whole.advance();
    whole.save(folder / "session");
    whole.advance();
    other.set_parameters(std::vector<float>(SmallNet::state_size));
    Model<SmallNet, Cpu<f32>> same(Seed{1}, one_thread);
    auto again = trainer.session(same, parts.fit, parts.validation);
    again.load(folder / "session");
    again.advance();
    BOOST_TEST(same_bits(same.parameters(), model.parameters()));

    Adversarial<Attack<PGD>> longer = pgd_at;
    longer.attack.steps = 4;
    auto another = Trainer{Adam{}, recipe, CrossEntropy{}, longer}.session(same, parts.fit, parts.validation);
    BOOST_CHECK_EXCEPTION(another.load(folder / "session"), FileError, [](const FileError& e) {
        return std::string(e.what()).find("perturbation.values.attack.values.steps") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_and_what_differs_is_another_training) {
    const auto parts = small_parts();
    Model<SmallNet, Cpu<f32>> model(Seed{1}, one_thread);
    Adversarial<Attack<PGD>> without = pgd_at;
    without.attack.steps = 0;
    const Trainer trainer{Adam{}, Recipe{}, CrossEntropy{}, without};
    BOOST_CHECK_THROW(trainer.session(model, parts.fit, parts.validation), ValueError);
    using Learner = NetworkLearner<SmallNet, Cpu<f32>, Adam, Cpu<f32>, CrossEntropy, Adversarial<Attack<PGD>>>;
    BOOST_CHECK_THROW(Learner{.perturbation = without}.check_values(), ValueError);
    BOOST_TEST(Learner{.perturbation = pgd_at}.json() != Learner{.perturbation = fgsm_rs}.json());
    BOOST_TEST(Learner{}.json() != (NetworkLearner<SmallNet, Cpu<f32>, Adam>{}.json()));
}

}  // namespace
