// What decides a result is in its key: each field of each value type, changed in turn, gives another key.
#define BOOST_TEST_MODULE study_identity
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <skewgrad/sampling/samplers.hpp>
#include <skewgrad/study/paper.hpp>
#include <skewgrad/train/adversarial.hpp>
#include "core/change_each.hpp"
#include "small_study.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

using Samplers =
    std::tuple<Sampler<Under>, Sampler<Over>, Sampler<Balanced>, Sampler<Replicate>, Sampler<Step>, Sampler<LongTail>,
               Sampler<Profile>, Sampler<UnderInFileOrder>, Sampler<OverInFileOrder>, Sampler<Sham>>;
using Attacks = std::tuple<Attack<FGSM, Ascent>, Attack<FGSM, Descent>, Attack<Iterative, Ascent>, Attack<PGD, Ascent>,
                           Attack<Momentum, Ascent>, Attack<RandomSign, Ascent>, Attack<PermutedSign, Ascent>,
                           AsSelfCheck<Attack<FGSM, Ascent>>>;
using Protocols = std::tuple<HoldOutBeforeSampling, AsAuthorsRan>;
using Optimisers = std::tuple<RmsProp, TorchRmsProp, TensorFlowRmsProp, Sgd, Adam>;

/// Every text that `key()` gives while a field of `v` is another differs from all the others and from the first.
template <class V>
void every_field_counts(V& v, const auto& key) {
    std::set<std::string> keys{key()};
    change_each(v, "",
                [&](const std::string& path) { BOOST_TEST(keys.insert(key()).second, path << " is in no key"); });
    BOOST_TEST(keys.contains(key()));
}

// A layer of a user's own without a name, and one with.
template <bool named>
struct Halve {
    static float value(float x) { return x / 2; }
    static float slope(float) { return .5f; }
    static double value(double x) { return x / 2; }
    static double slope(double) { return .5; }
};
template <>
struct Halve<true> : Halve<false> {
    static constexpr const char* name = "halve";
};
/// A loss with the same fields as cross-entropy, none, and another name.
struct OtherLoss {
    static constexpr const char* name = "other";
    static constexpr bool pairs = false;
    static constexpr auto fields = names();
    std::vector<float> table(std::span<const int>) const { return {}; }
    loss::CrossEntropyFormula at(Moment) const { return {}; }
};

template <bool named>
struct OwnLayer : Network<Image<2, 6, 6>, Conv<4>, Halve<named>, MaxPool<2>, Dense<4>> {};
static_assert(first_nameless_layer<OwnLayer<false>>() == 2 && first_nameless_layer<OwnLayer<true>>() == 0);

std::string complaint(const auto& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(each_field_of_a_sampler, S, Samplers) {
    S sampler{};
    every_field_counts(sampler, [&] { return study::description(sampler).dump(); });
}
BOOST_AUTO_TEST_CASE_TEMPLATE(each_field_of_an_attack, A, Attacks) {
    A attack{};
    every_field_counts(attack, [&] { return study::description(attack).dump(); });
}
BOOST_AUTO_TEST_CASE_TEMPLATE(each_field_of_a_data_protocol, P, Protocols) {
    P protocol{};
    every_field_counts(protocol, [&] { return study::description(protocol).dump(); });
}
BOOST_AUTO_TEST_CASE_TEMPLATE(each_field_of_an_optimiser_and_a_recipe, O, Optimisers) {
    NetworkLearner<SmallNet, Cpu<f32>, O> learner{};
    const auto key = [&] { return learner.json().dump(); };
    every_field_counts(learner.optimiser, key);
    every_field_counts(learner.recipe, key);
    // And in a checkpoint's identity.
    const auto session = [&] {
        return checkpoint::Identity{.network = {},
                                    .backend = {},
                                    .runs_on = {},
                                    .loss = {},
                                    .perturbation = {},
                                    .optimiser = named_json(learner.optimiser),
                                    .recipe = learner.recipe,
                                    .seed = {},
                                    .digests = {}}
            .json()
            .dump();
    };
    every_field_counts(learner.optimiser, session);
    every_field_counts(learner.recipe, session);
}

BOOST_AUTO_TEST_CASE(the_direction_of_an_attack_and_the_kind_of_a_value) {
    BOOST_TEST(study::description(Attack<FGSM, Ascent>{}) != study::description(Attack<FGSM, Descent>{}));
    BOOST_TEST(study::description(AsSelfCheck<Attack<FGSM>>{}) != study::description(Attack<FGSM>{}));
    BOOST_TEST(named_json(TorchRmsProp{}) != named_json(RmsProp{}));
    BOOST_TEST((study::description(Attack<FGSM, Ascent, OtherLoss>{}) != study::description(Attack<FGSM, Ascent>{})));
    using Up = Adversarial<Attack<PGD, Ascent>>;
    BOOST_TEST(named_json(Up{}) != named_json(Adversarial<Attack<PGD, Descent>>{}));
    BOOST_TEST(named_json(Up{}) != named_json(Adversarial<Attack<FGSM>>{}));
    BOOST_TEST(named_json(Up{}) != (named_json(Adversarial<Attack<PGD>, Views::beside>{})));
}

BOOST_AUTO_TEST_CASE(a_folder_filled_with_another_batch_or_length_of_a_round_is_refused) {
    const TemporaryFolder folder;
    const auto run = [&](const auto& study) {
        RunFolder here(folder / "run");
        return study.run(small_data(), here);
    };
    run(small_study());
    auto other = small_study();
    other.learner.recipe.batch = 2;
    BOOST_TEST(contains(complaint([&] { run(other); }), "learner.recipe.batch is 8 there and 2 here"));
    other = small_study();
    other.learner.recipe.updates_per_round = 2;
    BOOST_TEST(contains(complaint([&] { run(other); }), "learner.recipe.updates_per_round is 0 there and 2 here"));
}

BOOST_AUTO_TEST_CASE(a_recipes_updates_a_round_are_made) {
    auto study = small_study();
    study.learner.recipe.updates_per_round = 3;
    const StudyResults results = study.run(small_data());
    BOOST_TEST(results.trainings[0].history.rounds.back().updates == 6u);  // two rounds
    // Without them the protocol says how long a round is, in batches of the recipe's size.
    study.learner.recipe.updates_per_round = 0;
    for (const int batch : {2, 5}) {
        study.learner.recipe.batch = batch;
        const TrainingSet data = study.data_protocol(small_data(), Sampler<Balanced>{}, Seed{1});
        const auto images = static_cast<int>(data.fit.size());
        BOOST_TEST(study.run(small_data()).trainings[0].history.rounds[0].updates ==
                   static_cast<std::uint64_t>(images / batch));
        BOOST_TEST(AsAuthorsRan{}(small_data(), Sampler<UnderInFileOrder>{.skewed_class = Label{1}, .count = 2}, {})
                       .round.short_batch);
    }
    BOOST_TEST((RoundLength{.images = 10, .short_batch = true}.updates(4) == 3));
    BOOST_TEST((RoundLength{.images = 10}.updates(4) == 2));
    BOOST_TEST((RoundLength{.images = 3}.updates(4) == 1));
}

BOOST_AUTO_TEST_CASE(a_layer_without_a_name_is_refused_by_a_folder_and_named_by_its_position) {
    const auto study_of = [](auto learner) {
        return small_study(
            decltype(learner){.optimiser = {}, .recipe = {.batch = 8, .rounds = 1}, .context = one_thread});
    };
    const auto nameless = study_of(NetworkLearner<OwnLayer<false>, Cpu<f32>, RmsProp>{});
    const auto with_name = study_of(NetworkLearner<OwnLayer<true>, Cpu<f32>, RmsProp>{});
    const TemporaryFolder folder;
    const auto run = [&](const auto& study) {
        RunFolder here(folder / "run");
        study.run(small_data(), here);
    };
    BOOST_TEST(contains(complaint([&] { run(nameless); }), "the layer at position 2 of the network has no name"));
    BOOST_TEST(complaint([&] { nameless.run(small_data()); }) == "");
    BOOST_TEST(complaint([&] { run(with_name); }) == "");
}
