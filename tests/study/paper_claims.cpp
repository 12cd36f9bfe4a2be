// Every hypothesis of docs/claims.md on evidence whose effects are known: the statistic is the one that is written.
#define BOOST_TEST_MODULE study_paper_claims
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/study/claims.hpp>
#include "fake_evidence.hpp"

using namespace skewgrad;
using namespace skewgrad::claims;

namespace {

// Chances of the four networks of the square, and what follows from them.
constexpr double clean_b = 0.88, clean_u = 0.70, clean_o = 0.93, clean_s = 0.80;
constexpr double flips_b = 0.60, flips_u = 0.80, flips_o = 0.45, flips_s = 0.70;

fake::Study whole() {
    fake::Study study;
    study.images = 800;
    study.networks = {
        {Kind::balanced, {.clean = clean_b, .flips = flips_b, .iterative = 0.7, .transferred = 0.2, .noise = 0.02}},
        {Kind::under,
         {.clean = clean_u,
          .clean_others = 0.90,
          .flips = flips_u,
          .iterative = 0.9,
          .transferred = 0.3,
          .permuted = 0.04,
          .to_partner_attacked = 0.55}},
        {Kind::over,
         {.clean = clean_o,
          .clean_others = 0.75,
          .flips = flips_o,
          .iterative = 0.6,
          .transferred = 0.05,
          .epsilon = 0.012}},
        {Kind::scarce, {.clean = clean_s, .flips = flips_s}},
        {Kind::sham, {.clean = clean_b, .flips = flips_b}}};
    return study;
}
const std::vector<Verdict>& verdicts() {
    static const std::vector<Verdict> all = [] {
        fake::Study study = whole();
        return judge(PaperClaims{}, study.evidence(), {.bootstrap = CrossedOptions{.draws = 30}});
    }();
    return all;
}
const Verdict& verdict(const std::string& id) {
    for (const Verdict& v : verdicts())
        if (v.id == id) return v;
    throw std::runtime_error("no claim is called " + id);
}
double share(const Verdict& v, const std::string& name) {
    for (const BesideEstimate& b : v.beside)
        if (b.name == name) {
            BOOST_REQUIRE_MESSAGE(b.estimate.measured(), v.id << ", " << name);
            return b.estimate.over_seeds.mean;
        }
    throw std::runtime_error("nothing beside " + v.id + " is called " + name);
}
void check_mean(const std::string& id, double expected, double within = 0.012) {
    const Verdict& v = verdict(id);
    BOOST_REQUIRE_MESSAGE(v.estimate.measured(), id);
    BOOST_TEST(std::abs(v.estimate.over_seeds.mean - expected) < within,
               id << ": " << v.estimate.over_seeds.mean << ", not " << expected);
    BOOST_REQUIRE(v.estimate.crossed.has_value());
    BOOST_TEST(v.estimate.crossed->interval.low < expected + 2 * within, id);
    BOOST_TEST(v.estimate.crossed->interval.high > expected - 2 * within, id);
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_of_them_are_there_once_with_a_direction_and_an_effect) {
    std::set<std::string> ids;
    for (const Verdict& v : verdicts()) {
        BOOST_TEST(ids.insert(v.id).second, v.id);
        BOOST_TEST(!v.exploratory);
        BOOST_TEST((v.alternative == Alternative::two_sided) == (v.id == "C8"));
        BOOST_TEST(v.smallest_effect == (v.id == "C2b" ? std::log(1.05) : 0.02), boost::test_tools::tolerance(1e-12));
    }
    for (const char* id :
         {"C0",  "C1",  "C2",  "C2b",      "C3 under", "C3 over",   "C3b under", "C3b over", "C3c under", "C3c over",
          "C4a", "C4b", "C4c", "C5 under", "C5 over",  "C5b under", "C5b over",  "C6",       "C7",        "C8"})
        BOOST_TEST(ids.contains(id), id);
    BOOST_TEST(ids.size() == 20u);
}

BOOST_AUTO_TEST_CASE(vulnerability) {
    // The least of ten classes, each clean_b flips_b on average: below it by about 1.5 of their standard deviations.
    BOOST_TEST(std::abs(verdict("C0").estimate.over_seeds.mean - clean_b * flips_b) < 0.05);
    BOOST_TEST(verdict("C0").estimate.over_seeds.mean < clean_b * flips_b - 0.005);
    BOOST_TEST(share(verdict("C0"), "random sign less attack") < clean_b * (flips_b - 0.02));
    check_mean("C1", flips_u - flips_b);
    check_mean("C2", flips_b - flips_o);
    check_mean("C2b", std::log(0.012 / 0.008), 0.03);
    check_mean("C6", flips_b - (flips_u + flips_o) / 2);
    check_mean("C8", (flips_u - flips_b) - (flips_s - flips_o), 0.02);
    BOOST_TEST(std::abs(share(verdict("C8"), "own scarcity") - 0.225) < 0.015);
    BOOST_TEST(std::abs(share(verdict("C8"), "others' scarcity") - -0.125) < 0.015);
    BOOST_TEST((verdict("C1").decision == Decision::supported));
    BOOST_TEST((verdict("C6").decision == Decision::contradicted));
    BOOST_TEST((verdict("C8").decision == Decision::supported));  // two-sided, on the lower side
    BOOST_TEST(verdict("C8").estimate.over_seeds.mean < 0);
}

// In the balanced network half of the images flip in the order of their margins and half blindly; in the others all are
// blind.
BOOST_AUTO_TEST_CASE(confidence) {
    fake::Study study = whole();
    study.networks[Kind::balanced].follows_margin = 0.5;
    const Verdict v =
        judge(ClaimList<RobustnessFollowsConfidence>{}, study.evidence(), {.bootstrap = std::nullopt}).front();
    BOOST_TEST(v.estimate.over_seeds.mean > 0.15);
    BOOST_TEST(v.estimate.over_seeds.mean < 0.4);
    BOOST_TEST((v.decision == Decision::supported));
    BOOST_TEST(std::abs(share(v, "in under")) < 0.015);
    BOOST_TEST(share(v, "margin / norm1(g)") == v.estimate.over_seeds.mean);  // all norms are 1
    check_mean("C7", 0);
}

BOOST_AUTO_TEST_CASE(transfer) {
    const auto gain = [](double clean, double own, double other) { return clean * (own - other); };
    check_mean("C3 under", gain(clean_u, flips_u, 0.3));
    check_mean("C3 over", gain(clean_o, flips_o, 0.05));
    check_mean("C3b under", gain(clean_u, flips_u, 0.3) - gain(clean_b, flips_b, 0.2), 0.02);
    check_mean("C3b over", gain(clean_o, flips_o, 0.05) - gain(clean_b, flips_b, 0.2), 0.02);
    check_mean("C3c under", clean_u * (0.3 - 0.04));
    check_mean("C3c over", clean_o * (0.05 - 0.03));
    BOOST_TEST(std::abs(share(verdict("C3 under"), "transfer rate") - 0.3) < 0.02);
    BOOST_TEST(std::abs(share(verdict("C3 over"), "source shares the seed") - gain(clean_o, flips_o, 0.25)) < 0.015);
    for (const BesideEstimate& b : verdict("C3c under").beside)
        if (b.role == Beside::Role::context) BOOST_TEST(!b.estimate.not_run.empty());
}

BOOST_AUTO_TEST_CASE(confusions) {
    // Errors with the attack are a mix: those that were wrong before are asked again, so all go by the attacked share.
    check_mean("C4a", 0.4 - 0.3, 0.03);
    check_mean("C4b", 0.55 - 0.4, 0.02);
    BOOST_TEST(verdict("C4a").estimate.classes.size() == 4u);  // cat, dog, automobile, truck
    BOOST_TEST(std::abs(share(verdict("C4a"), "random sign") - 0.1) < 0.03);
    BOOST_TEST((verdict("C4c").decision == Decision::not_run));
}

BOOST_AUTO_TEST_CASE(accuracy_without_attack) {
    check_mean("C5 under", clean_b - clean_u);
    check_mean("C5 over", clean_o - clean_b);
    check_mean("C5b under", 0.90 - clean_b);
    check_mean("C5b over", clean_s - 0.75);
    BOOST_TEST(verdict("C5 under").beside.empty());
    BOOST_TEST(verdict("C5b under").beside.size() == 1u);
}

// Similarity 0.1 .. 0.7: what the attack adds is made to grow from 0 by 0.5 a unit of it.
BOOST_AUTO_TEST_CASE(flow_against_similarity) {
    const std::array<float, 5> ladder = Embedded{}.similarity;
    fake::Study study;
    study.images = 600;
    study.networks = {{Kind::balanced, {.clean = 0.6}}};
    study.classes = Embedded::class_names();
    fake::Study* of = &study;
    const auto verdict_at = [&](double slope) {
        of->to_partner = [=](int c, bool attacked) {
            return 0.2 + (attacked ? slope * ladder.at(static_cast<std::size_t>(c / 2)) : 0.0);
        };
        Evidence evidence = of->evidence();
        for (std::size_t c = 0; c < 10; ++c) {
            evidence.partners.at(c) = static_cast<Label>(c ^ 1);
            evidence.similarity.push_back(ladder.at(c / 2));
        }
        return judge(ClaimList<FlowGrowsWithSimilarity>{}, evidence, {.bootstrap = std::nullopt}).front();
    };
    const Verdict grows = verdict_at(0.5);
    BOOST_TEST((grows.decision == Decision::supported));
    BOOST_TEST(std::abs(grows.estimate.over_seeds.mean - 0.5) < 0.06, grows.estimate.over_seeds.mean);
    BOOST_TEST(std::abs(share(grows, "share with the attack") - 0.5) < 0.06);
    BOOST_TEST(std::abs(share(grows, "share without")) < 0.06);
    BOOST_TEST((verdict_at(-0.2).decision == Decision::contradicted));
    BOOST_TEST(std::abs(verdict_at(0.0).estimate.over_seeds.mean) < 0.06);
}

// The class at 100, 300 (doses), 900 (the study's own) and 4,500 of 45,000: flips fall by .05 a doubling of its share.
BOOST_AUTO_TEST_CASE(flips_against_dose) {
    std::deque<std::vector<ImageRecord>> kept;
    Evidence evidence({"cat", "dog"});
    evidence.blocks = {1, 2};
    constexpr std::size_t images = 4000;
    for (const std::uint64_t seed : evidence.blocks)
        for (const int count : {100, 300, 900, 4500}) {
            NetworkName name{.block = seed, .kind = Kind::under, .skewed = Label{0}, .dose = count == 900 ? 0 : count};
            if (count == 4500) name = {.block = seed};
            evidence.add(name, NetworkRecord{.clean = {}, .counts = {count, 4500}});
            const double doublings = std::log2(count / (count + 4500.0));
            auto& records = kept.emplace_back(images);
            for (std::size_t i = 0; i < images; ++i) {
                records[i].clean.predicted = Prediction{0};
                records[i].attacked.predicted = i < images * (0.4 - 0.05 * doublings) ? Prediction{1} : Prediction{0};
            }
            evidence.add(CellName{.victim = name, .attacked = Label{0}}, records);
        }
    const auto dose = [](const Evidence& e) {
        return estimate(
            e, BalanceIsFragile::dose, mean_over_classes, [](const Evidence&, Label c) { return c == Label{0}; }, {},
            std::nullopt);
    };
    BOOST_TEST(std::abs(dose(evidence).over_seeds.mean - -0.05) < 0.001);
    fake::Study without = whole();
    BOOST_TEST(dose(without.evidence()).not_run.size() > 0u);
}
