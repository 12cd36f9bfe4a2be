// Names for the claims in a plan: defaults by type, names that a study gives, doses, and what is refused.
#define BOOST_TEST_MODULE study_names
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/study/paper.hpp>
#include <skewgrad/study/study.hpp>
#include "means_learner.hpp"
#include "small_study.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using claims::AttackName, claims::Kind, claims::KindName, claims::Method;

namespace {

template <class Samplers, class Attacks = By<Attack<FGSM>>>
using Means = Study<MeansLearner, Samplers, From<SameModel, DifferentModel>, Attacks>;

/// A plan of two classes and one seed.
template <class... S>
Plan planned(std::tuple<S...> samplers, std::vector<Kind> transfer = {}) {
    return Means<On<S...>>{.learner = {},
                           .samplers = std::move(samplers),
                           .attacks = {},
                           .classes = {Label{2}, Label{3}},
                           .transfer = std::move(transfer)}
        .plan();
}
template <class... A>
std::vector<std::optional<AttackName>> names_of_attacks(std::tuple<A...> attacks) {
    const Means<On<Sampler<Balanced>>, By<A...>> study{
        .learner = {}, .samplers = {}, .attacks = std::move(attacks), .classes = {Label{2}}};
    std::vector<std::optional<AttackName>> names;
    for (const PlannedAttack& attack : study.plan().attacks) names.push_back(attack.name);
    return names;
}

/// The name of each sampler's networks, which is one.
std::vector<std::optional<KindName>> names_of_kinds(const Plan& plan) {
    std::map<std::size_t, std::optional<KindName>> found;
    for (const PlannedTraining& t : plan.trainings)
        BOOST_TEST((found.emplace(t.sampler, t.name).first->second == t.name));
    std::vector<std::optional<KindName>> names;
    for (const auto& [sampler, name] : found) names.push_back(name);
    return names;
}

/// What planning says of a study that it refuses.
std::string complaint(const auto& plan) {
    try {
        plan();
    } catch (const ValueError& error) {
        return error.what();
    }
    return {};
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

using Kinds = std::vector<std::optional<KindName>>;
using Methods = std::vector<std::optional<AttackName>>;
constexpr auto none = std::nullopt;

}  // namespace

BOOST_AUTO_TEST_CASE(samplers_have_names_by_their_types) {
    const Plan plan = planned(std::tuple(Sampler<Balanced>{}, Sampler<Balanced>{.count = 4}, Sampler<Under>{.count = 4},
                                         Sampler<Over>{.count = 5}, Sampler<Sham>{}, Sampler<LongTail>{}));
    BOOST_TEST((names_of_kinds(plan) == Kinds{KindName{Kind::balanced}, none, KindName{Kind::under},
                                              KindName{Kind::over}, KindName{Kind::sham}, none}));
    const Plan in_file_order = planned(
        std::tuple(Sampler<Balanced>{}, Sampler<UnderInFileOrder>{.count = 4}, Sampler<OverInFileOrder>{.count = 4}));
    BOOST_TEST((names_of_kinds(in_file_order) ==
                Kinds{KindName{Kind::balanced}, KindName{Kind::under}, KindName{Kind::over}}));
}

BOOST_AUTO_TEST_CASE(a_count_that_is_not_the_first_ones_is_a_dose) {
    const Plan plan =
        planned(std::tuple(Sampler<Under>{.count = 4}, Sampler<Over>{.count = 5}, Sampler<Over>{.count = 4},
                           std::vector<Sampler<Under>>{{.skewed_class = Label{2}, .count = 9}, {.count = 7}},
                           Sampler<UnderInFileOrder>{.count = 6}, Sampler<UnderInFileOrder>{.count = 7}));
    // The last is another network of seven images: the first has the name.
    BOOST_TEST((names_of_kinds(plan) == Kinds{KindName{Kind::under}, KindName{Kind::over}, KindName{Kind::over, 4},
                                              KindName{Kind::under, 9}, KindName{Kind::under, 7},
                                              KindName{Kind::under, 6}, none}));
    // Samplers of different classes have one name, and so have equal ones.
    const Plan parts = planned(std::tuple(std::vector<Sampler<Under>>{
        {.skewed_class = Label{3}, .count = 8}, {.skewed_class = Label{2}, .count = 8}, {.count = 8}}));
    for (const PlannedTraining& t : parts.trainings) BOOST_TEST((t.name == KindName{Kind::under}));
    // The study's own count is not that of a sampler with another name.
    const Plan named =
        planned(std::tuple(Called<Sampler<Under>>{{Kind::under, 9}, {.count = 9}}, Sampler<Under>{.count = 4}));
    BOOST_TEST((names_of_kinds(named) == Kinds{KindName{Kind::under, 9}, KindName{Kind::under}}));
}

BOOST_AUTO_TEST_CASE(attacks_have_names_by_their_types) {
    const auto names = names_of_attacks(
        std::tuple(Attack<FGSM>{.label = LabelSource::Predicted}, Attack<FGSM, Descent>{}, Attack<FGSM>{},
                   Attack<Iterative>{}, Attack<PermutedSign>{}, Attack<PermutedSign, Descent>{}, Attack<RandomSign>{},
                   Attack<PGD>{}, Attack<RandomSign>{.epsilon = .5f}, Attack<Momentum>{},
                   AsSelfCheck<Attack<RandomSign>>{}, Attack<FGSM>{.epsilon = .5f}, Attack<RandomSign>{.sample = 7}));
    BOOST_TEST((names == Methods{none, AttackName{Method::descent}, AttackName{Method::fast}, none,
                                 AttackName{Method::permuted}, none, AttackName{Method::random, 0}, none,
                                 AttackName{Method::random, 1}, none, none, none, AttackName{Method::random, 2}}));
    // A self-check alone is no attack of the claims'.
    BOOST_TEST((names_of_attacks(std::tuple(AsSelfCheck<Attack<FGSM>>{})) == Methods{none}));
}

BOOST_AUTO_TEST_CASE(names_that_a_study_gives_come_before_defaults) {
    const Plan plan = planned(std::tuple(
        Sampler<Balanced>{}, Sampler<Under>{.count = 4},
        std::vector<Called<Sampler<Balanced>>>{{{Kind::balanced}, {.count = 9}}, {{Kind::scarce}, {.count = 4}}},
        Called<Sampler<UnderInFileOrder>>{{Kind::under_adjusted, 7}, {.count = 3}}));
    BOOST_TEST((names_of_kinds(plan) == Kinds{none, KindName{Kind::under}, KindName{Kind::balanced},
                                              KindName{Kind::scarce}, KindName{Kind::under_adjusted, 7}}));
    const auto names =
        names_of_attacks(std::tuple(Attack<FGSM>{}, Called<Attack<PGD>>{{Method::fast}, {}}, Attack<RandomSign>{},
                                    Called<Attack<RandomSign>>{{Method::random, 0}, {}}, Attack<RandomSign>{},
                                    Called<AsSelfCheck<Attack<FGSM>>>{{Method::fast_tenth}, {}}));
    BOOST_TEST(
        (names == Methods{none, AttackName{Method::fast}, AttackName{Method::random, 1}, AttackName{Method::random, 0},
                          AttackName{Method::random, 2}, AttackName{Method::fast_tenth}}));
}

BOOST_AUTO_TEST_CASE(two_of_one_name_are_refused) {
    const auto samplers = [](auto... all) { return complaint([&] { planned(std::tuple(all...)); }); };
    const auto attacks = [](auto... all) { return complaint([&] { names_of_attacks(std::tuple(all...)); }); };
    const auto scarce = [](int count) { return Called<Sampler<Balanced>>{{Kind::scarce}, {.count = count}}; };
    const auto under = [](Label c, int dose) {
        return Called<Sampler<Under>>{{Kind::under, dose}, {.skewed_class = c, .count = 4}};
    };
    BOOST_TEST(samplers(scarce(4), Sampler<Balanced>{}, scarce(5)) ==
               "Study::samplers: numbers 0 and 2 are both called \"scarce\"");
    BOOST_TEST(samplers(Sampler<Balanced>{}, under(Label{2}, 4), under(Label{2}, 4)) ==
               "Study::samplers: numbers 1 and 2 are both called \"under at 4 images\"");
    BOOST_TEST(samplers(under(Label{2}, 4), under(Label{2}, 0)) == "");
    BOOST_TEST(samplers(under(Label{2}, 4), under(Label{3}, 4)) == "");
    BOOST_TEST(samplers(under(Label{2}, 4), under(unset_class, 4)) ==
               "Study::samplers: numbers 0 and 1 are both called \"under at 4 images\"");
    BOOST_TEST(attacks(Called<Attack<FGSM>>{{Method::iterative}, {}}, Called<Attack<PGD>>{{Method::iterative}, {}}) ==
               "Study::attacks: numbers 0 and 1 are both called \"iterative\"");
    BOOST_TEST(attacks(Called<Attack<RandomSign>>{{Method::random, 1}, {}}, Attack<FGSM>{},
                       Called<AsSelfCheck<Attack<FGSM>>>{{Method::random, 1}, {}}) ==
               "Study::attacks: numbers 0 and 2 are both called \"random sign, draw 1\"");
}

BOOST_AUTO_TEST_CASE(a_name_agrees_with_the_sampler_about_a_skewed_class) {
    const auto said = [](auto sampler) { return complaint([&] { planned(std::tuple(sampler)); }); };
    BOOST_TEST(said(Called<Sampler<Balanced>>{{Kind::over}, {}}) ==
               "Study::samplers: number 0 is called \"over\", but it has no skewed class");
    BOOST_TEST(said(Called<Sampler<Under>>{{Kind::scarce}, {.count = 4}}) ==
               "Study::samplers: number 0 is called \"scarce\", but it has a skewed class");
}

// Keys, digests and files know nothing of names.
BOOST_AUTO_TEST_CASE(a_name_is_in_no_key_and_no_file) {
    const TemporaryFolder folder;
    const auto run = [&]<class Samplers, class Attacks>(Means<Samplers, Attacks> study, const char* name) {
        study.data_protocol = {.per_class = 2};
        study.classes = {Label{2}};
        RunFolder here(folder / name);
        const StudyResults results = study.run(small_data(), here);
        std::vector<std::string> keys;
        for (const PlannedTraining& t : results.plan.trainings) keys.push_back(t.key.text());
        for (const PlannedCell& cell : results.plan.cells) keys.push_back(results.plan.key(cell).text());
        return std::pair(keys, results.plan);
    };
    const auto [keys, plan] = run(
        Means<On<Sampler<Balanced>, std::vector<Sampler<Balanced>>>, By<Attack<FGSM>, AsSelfCheck<Attack<FGSM>>>>{
            .learner = {},
            .samplers = {{}, {{.count = 3}}},
            .attacks = {{.epsilon = .1f}, {{.epsilon = .01f}}},
            .classes = {}},
        "plain");
    const auto [same_keys, named] = run(
        Means<On<Called<Sampler<Balanced>>, std::vector<Called<Sampler<Balanced>>>>,
              By<Called<Attack<FGSM>>, Called<AsSelfCheck<Attack<FGSM>>>>>{
            .learner = {},
            .samplers = {{{Kind::sham}, {}},
                         std::vector<Called<Sampler<Balanced>>>{{{Kind::balanced_as_over}, {.count = 3}}}},
            .attacks = {{{Method::iterative}, {.epsilon = .1f}}, {{Method::fast_tenth}, {{.epsilon = .01f}}}},
            .classes = {}},
        "named");
    BOOST_TEST(keys.size() > 6u);
    BOOST_TEST(keys == same_keys, boost::test_tools::per_element());
    const auto files = results_in(folder / "plain"), same_files = results_in(folder / "named");
    BOOST_TEST(files.size() > 4u);
    BOOST_TEST((files == same_files));
    BOOST_TEST((names_of_kinds(plan) == Kinds{KindName{Kind::balanced}, none}));
    BOOST_TEST((names_of_kinds(named) == Kinds{KindName{Kind::sham}, KindName{Kind::balanced_as_over}}));
    BOOST_TEST((named.attacks[1].name == AttackName{Method::fast_tenth} && named.attacks[1].self_check));
    BOOST_TEST(!named.attacks[0].self_check);
}

BOOST_AUTO_TEST_CASE(the_papers_study_has_every_name_once) {
    struct TenClasses : Network<Image<3, 32, 32>, MaxPool<8>, Dense<10>> {};
    const auto plan = [](const auto& protocol) {
        using Protocol = std::remove_cvref_t<decltype(protocol)>;
        return paper_study<Protocol, Cpu<f32>, TenClasses>(protocol, PaperScale{}, {.size_matched = true, .dose = true},
                                                           one_thread)
            .plan();
    };
    for (const Plan& p : {plan(AsWritten{}), plan(AsRun{})}) {
        std::map<Kind, int> kinds;
        std::set<int> doses;
        for (const PlannedTraining& t : p.trainings) {
            BOOST_REQUIRE(t.name.has_value());
            BOOST_TEST(t.adjusts.has_value() == (t.name->kind == Kind::under_adjusted ||  //
                                                 t.name->kind == Kind::over_adjusted));
            if (t.name->dose == 0)
                ++kinds[t.name->kind];
            else
                doses.insert(t.name->dose);
        }
        BOOST_TEST((kinds == std::map<Kind, int>{{Kind::balanced, 2},
                                                 {Kind::under, 10},
                                                 {Kind::over, 10},
                                                 {Kind::scarce, 1},
                                                 {Kind::sham, 1},
                                                 {Kind::under_adjusted, 10},
                                                 {Kind::over_adjusted, 10},
                                                 {Kind::balanced_as_under, 1},
                                                 {Kind::balanced_as_over, 1}}));
        BOOST_TEST(doses.size() == 3u);
        Methods names;
        for (const PlannedAttack& attack : p.attacks) names.push_back(attack.name);
        // The iterative attack of ten steps is not the claims'.
        BOOST_TEST((names ==
                    Methods{AttackName{Method::fast}, AttackName{Method::descent}, none, AttackName{Method::permuted},
                            AttackName{Method::random, 0}, AttackName{Method::random, 1}, AttackName{Method::random, 2},
                            AttackName{Method::random, 3}, AttackName{Method::random, 4}, AttackName{Method::iterative},
                            AttackName{Method::fast_tenth}, AttackName{Method::iterative_far}}));
        BOOST_TEST((p.attacks[11].self_check && p.attacks[10].self_check && !p.attacks[9].self_check));
    }
}

BOOST_AUTO_TEST_CASE(adjusted_networks_have_names_of_their_own) {
    const Plan plan = small_study().plan();
    std::size_t adjusted = 0;
    for (const PlannedTraining& t : plan.trainings) {
        if (!t.adjusts) continue;
        ++adjusted;
        BOOST_TEST((t.name == KindName{Kind::under_adjusted}));
        BOOST_TEST((plan.trainings[*t.adjusts].name == KindName{Kind::under}));
    }
    BOOST_TEST(adjusted == 1u);
    BOOST_TEST((claims::adjusted({Kind::over, 7}) == KindName{Kind::over_adjusted, 7}));
    BOOST_TEST((claims::adjusted({Kind::scarce}) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(transfer_goes_by_kinds) {
    const auto samplers = std::tuple(Sampler<Over>{.count = 4}, Sampler<LongTail>{}, Sampler<Under>{.count = 4},
                                     Called<Sampler<Balanced>>{{Kind::scarce}, {.count = 4}});
    const Plan plan = planned(samplers, {Kind::scarce, Kind::under});
    std::set<std::pair<Kind, Kind>> pairs;
    for (const PlannedCell& cell : plan.cells) {
        if (cell.from != Source::transfer) continue;
        const auto &victim = plan.trainings[cell.victim].name, &source = plan.trainings[cell.source].name;
        BOOST_REQUIRE((victim && source));
        pairs.emplace(victim->kind, source->kind);
    }
    BOOST_TEST((pairs == std::set<std::pair<Kind, Kind>>{
                             {Kind::scarce, Kind::under}, {Kind::under, Kind::scarce}, {Kind::under, Kind::under}}));
    BOOST_TEST(complaint([&] { planned(samplers, {Kind::under, Kind::balanced}); }) ==
               "Study::transfer: no sampler of the study is called \"balanced\" and trained for every class; they are "
               "called \"over\", \"under\", \"scarce\"");
    BOOST_TEST(contains(
        complaint([&] { planned(std::tuple(Sampler<Under>{.skewed_class = Label{3}, .count = 4}), {Kind::under}); }),
        "and trained for every class"));
}

// "A different model" is trained on the balanced sampler, wherever it stands; on the first where none is balanced.
BOOST_AUTO_TEST_CASE(a_different_model_is_the_balanced_one) {
    const auto sources = [](const Plan& plan) {
        std::set<std::size_t> samplers;
        for (const PlannedCell& cell : plan.cells)
            if (cell.from == Source::different_model) samplers.insert(plan.trainings[cell.source].sampler);
        return samplers;
    };
    const Sampler<Under> cut{.count = 4};
    BOOST_TEST((sources(planned(std::tuple(cut, Sampler<Balanced>{}))) == std::set<std::size_t>{1}));
    BOOST_TEST(
        (sources(planned(std::tuple(Sampler<Balanced>{}, Called<Sampler<Balanced>>{{Kind::balanced}, {.count = 9}}))) ==
         std::set<std::size_t>{1}));
    BOOST_TEST((sources(planned(std::tuple(Sampler<LongTail>{}, cut))) == std::set<std::size_t>{0}));
}
