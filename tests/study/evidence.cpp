// A study's results as evidence: each network and cell under its name, each number as the study has it.
#define BOOST_TEST_MODULE study_evidence
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/evaluate/matched_flips.hpp>
#include <skewgrad/study/claims.hpp>
#include <skewgrad/study/study.hpp>
#include "means_learner.hpp"

using namespace skewgrad;
using namespace skewgrad::claims;

namespace {

constexpr float epsilon = .02f;

// The paper's three samplers, the fourth corner, sizes that match, and a dose.
using Wide =
    Study<MeansLearner,
          On<Sampler<Balanced>, Sampler<Under>, Sampler<Over>, std::vector<Called<Sampler<Balanced>>>, Sampler<Under>>,
          From<SameModel, DifferentModel>, By<Attack<FGSM, Ascent>, Attack<RandomSign>>>;

const StudyResults& results() {
    static const StudyResults all = [] {
        Wide study{.learner = {},
                   // 18 images a class after the hold-out: under has 166 in all, over 54.
                   .samplers = {Sampler<Balanced>{}, Sampler<Under>{.count = 4}, Sampler<Over>{.count = 4},
                                std::vector<Called<Sampler<Balanced>>>{{{Kind::scarce}, {.count = 4}},
                                                                       {{Kind::balanced_as_under}, {.count = 16}},
                                                                       {{Kind::balanced_as_over}, {.count = 5}}},
                                Sampler<Under>{.count = 9}},
                   .attacks = {Attack<FGSM, Ascent>{.epsilon = epsilon}, Attack<RandomSign>{.epsilon = epsilon}},
                   .data_protocol = {.per_class = 2},
                   .classes = {Label{2}, Label{3}, Label{7}},
                   .seeds = {Seed{1}, Seed{5}},
                   .smallest_epsilons = false};
        return study.run(Embedded{.train_per_class = 20, .test_per_class = 80}.load(1));
    }();
    return all;
}
const Evidence& evidence() {
    static const Evidence all = evidence_of(results(), Embedded{}.similarity);
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_network_has_its_name) {
    BOOST_TEST((evidence().blocks == std::vector<std::uint64_t>{1, 5}));
    for (const std::uint64_t seed : {1u, 5u}) {
        for (const Kind kind : {Kind::balanced, Kind::scarce, Kind::balanced_as_under, Kind::balanced_as_over})
            BOOST_REQUIRE_MESSAGE(evidence().find(NetworkName{.block = seed, .kind = kind}) != nullptr, name_of(kind));
        for (const std::uint16_t c : {2, 3, 7})
            for (const auto& [kind, dose, own] :
                 {std::tuple(Kind::under, 0, 4), {Kind::under, 9, 9}, {Kind::over, 0, 18}}) {
                const auto* network = evidence().find(NetworkName{seed, kind, Label{c}, dose});
                BOOST_REQUIRE(network != nullptr);
                BOOST_TEST(network->counts.at(c) == own);
                BOOST_TEST(network->clean.at(c).size() == 80u);
                BOOST_TEST(network->out_of_rounds);
                BOOST_TEST(network->rounds == 1);
            }
    }
    BOOST_TEST(evidence().networks().size() == 2u * (4 + 9));
    BOOST_TEST(evidence().find(NetworkName{.block = 1, .kind = Kind::scarce})->counts.at(7) == 4);
}

BOOST_AUTO_TEST_CASE(cells_are_the_studys_own_records) {
    std::size_t looked_at = 0;
    for (std::size_t i = 0; i < results().cells.size(); ++i) {
        const PlannedCell& planned = results().plan.cells[i];
        const PlannedTraining& victim = results().plan.trainings[planned.victim];
        if (planned.attack != 0 || victim.sampler > 2) continue;
        const Kind kind = victim.sampler == 0 ? Kind::balanced : victim.sampler == 1 ? Kind::under : Kind::over;
        const CellName name{.victim = {.block = victim.seed.value, .kind = kind, .skewed = victim.skewed},
                            .attacked = planned.attacked_class,
                            .gradient = planned.from == Source::same_model ? Gradient::own : Gradient::other_seed};
        const auto found = evidence().images(name);
        BOOST_REQUIRE(found.has_value());
        const CellHandle cell = results().cells[i];
        BOOST_REQUIRE(found->size() == cell->images.size());
        for (std::size_t n = 0; n < found->size(); ++n) {
            BOOST_TEST((*found)[n].item == cell->images[n].item);
            BOOST_TEST(((*found)[n].attacked == cell->images[n].attacked));
        }
        ++looked_at;
    }
    BOOST_TEST(looked_at == 2u * 3 * 3 * 2);
}

// C1's statistic counted again from the study's cells, by the measure of evaluate/.
BOOST_AUTO_TEST_CASE(a_claims_values_are_the_studys) {
    const auto cell = [&](std::size_t sampler, std::uint64_t seed, Label c) {
        for (std::size_t i = 0; i < results().cells.size(); ++i) {
            const PlannedCell& p = results().plan.cells[i];
            const PlannedTraining& t = results().plan.trainings[p.victim];
            if (p.attack == 0 && p.from == Source::same_model && t.sampler == sampler && t.seed.value == seed &&
                p.attacked_class == c)
                return results().cells[i];
        }
        throw std::runtime_error("no such cell");
    };
    const Positions positions = estimating::all_positions(evidence());
    std::int64_t flips = 0;
    for (const std::uint64_t seed : {1u, 5u})
        for (const Label c : {Label{2}, Label{3}, Label{7}}) {
            const Reading reading;
            const CaseValue value = UnderIsMoreVulnerable::statistic(Case(evidence(), seed, c, reading, positions));
            const CellHandle b = cell(0, seed, c), u = cell(1, seed, c);
            const auto labels = b->labels(c);
            const auto before_u = u->before(), after_u = u->after(), before_b = b->before(), after_b = b->after();
            const MatchedFlips m = matched_flips(labels, {before_u, after_u}, {before_b, after_b});
            BOOST_TEST(value.images == m.matched());
            BOOST_TEST(value.value.has_value() == (m.matched() > 0));
            if (value.value)
                BOOST_TEST(*value.value == m.rate(0).value() - m.rate(1).value(), boost::test_tools::tolerance(1e-12));
            flips += m.flips[0] + m.flips[1];
        }
    BOOST_TEST(flips > 10);
}

BOOST_AUTO_TEST_CASE(the_embedded_sets_pairs) {
    BOOST_TEST(index(evidence().partners.at(6).value()) == 7);
    BOOST_TEST(index(evidence().partners.at(9).value()) == 8);
    BOOST_TEST(evidence().similarity.at(7) == double(.55f));
    const auto of_cifar =
        naming::partners({"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"});
    BOOST_TEST(index(of_cifar[3].value()) == 5);
    BOOST_TEST(index(of_cifar[9].value()) == 1);
    BOOST_TEST(!of_cifar[0].has_value());
}

// With one seed the other balanced network is a source and no block of its own.
BOOST_AUTO_TEST_CASE(another_seeds_network_is_no_seed_of_the_study) {
    Study<MeansLearner, On<Sampler<Balanced>, Sampler<Under>>, From<SameModel, DifferentModel>, By<Attack<FGSM>>> study{
        .learner = {},
        .samplers = {Sampler<Balanced>{}, Sampler<Under>{.count = 4}},
        .attacks = {Attack<FGSM>{.epsilon = epsilon}},
        .data_protocol = {.per_class = 2},
        .classes = {Label{3}},
        .seeds = {Seed{8}}};
    const StudyResults small = study.run(Embedded{.train_per_class = 20, .test_per_class = 6}.load(1));
    const Evidence e = evidence_of(small);
    BOOST_TEST((e.blocks == std::vector<std::uint64_t>{8}));
    BOOST_TEST(e.find(NetworkName{.block = 9}) != nullptr);
    BOOST_TEST(e.cells().size() == 4u);
    BOOST_TEST(e.similarity.empty());
}

// The plan's names decide, not what a network was trained on.
BOOST_AUTO_TEST_CASE(networks_go_by_the_plans_names) {
    StudyResults other = results();
    for (PlannedTraining& t : other.plan.trainings) {
        if (t.sampler == 5) t.name = KindName{Kind::sham};
        if (t.sampler == 6) t.name = KindName{Kind::under_adjusted};
        if (t.sampler == 3) t.name = std::nullopt;
    }
    other.plan.attacks[1].name = AttackName{Method::permuted};
    const Evidence e = evidence_of(other);
    BOOST_TEST(e.find(NetworkName{.block = 5, .kind = Kind::sham}) != nullptr);
    BOOST_TEST(e.find(NetworkName{.block = 5, .kind = Kind::balanced_as_over}) == nullptr);
    BOOST_TEST(e.find(NetworkName{.block = 5, .kind = Kind::scarce}) == nullptr);
    const NetworkName adjusted{.block = 1, .kind = Kind::under_adjusted, .skewed = Label{2}};
    BOOST_TEST(e.find(adjusted) != nullptr);
    BOOST_TEST(e.find(CellName{.victim = adjusted, .attacked = Label{2}}) != nullptr);
    const NetworkName sham{.block = 1, .kind = Kind::sham};
    BOOST_TEST(e.find(CellName{.victim = sham, .attacked = Label{2}}) != nullptr);
    BOOST_TEST(e.find(CellName{.victim = sham, .attacked = Label{2}, .method = Method::permuted}) != nullptr);
    BOOST_TEST(e.find(CellName{.victim = sham, .attacked = Label{2}, .method = Method::random}) == nullptr);
}

// A study in progress: what was not trained or attacked yet is no evidence, and what is there is.
BOOST_AUTO_TEST_CASE(a_study_in_progress_has_gaps) {
    StudyResults partial = results();
    for (std::size_t i = 0; i < partial.cells.size(); ++i)
        if (partial.plan.trainings[partial.plan.cells[i].victim].seed == Seed{5}) partial.cells.put(i, {});
    for (std::size_t t = 0; t < partial.trainings.size(); ++t)
        if (partial.plan.trainings[t].sampler == 3 && partial.plan.trainings[t].seed == Seed{5})
            partial.trainings[t].clean = {};
    const Evidence e = evidence_of(partial);
    BOOST_TEST(e.find(NetworkName{.block = 5, .kind = Kind::scarce}) == nullptr);
    BOOST_TEST(e.find(NetworkName{.block = 5}) != nullptr);
    const Verdict v = judge(ClaimList<UnderIsMoreVulnerable>{}, e, {.bootstrap = std::nullopt}).front();
    BOOST_TEST((v.estimate.seeds == std::vector<std::uint64_t>{1}));
    BOOST_TEST(v.estimate.left_out.front().starts_with("seed 5 (not run: seed 5, "));
}
