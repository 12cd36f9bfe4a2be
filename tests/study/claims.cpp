// Claims on evidence with known answers: each verdict comes out where it must, and says what it is made of.
#define BOOST_TEST_MODULE study_claims
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <skewgrad/study/claims.hpp>
#include "fake_evidence.hpp"

using namespace skewgrad;
using namespace skewgrad::claims;

namespace {

const JudgeOptions quick{.bootstrap = std::nullopt};

template <class Claim>
Verdict judged(fake::Study& study, const JudgeOptions& options = quick) {
    const Evidence evidence = study.evidence();
    return judge(ClaimList<Claim>{}, evidence, options).front();
}
bool says(const std::vector<std::string>& texts, const std::string& what) {
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& t) { return t.find(what) != t.npos; });
}
const Estimate& beside(const Verdict& v, const std::string& name) {
    for (const BesideEstimate& b : v.beside)
        if (b.name == name) return b.estimate;
    throw std::runtime_error("nothing beside " + v.id + " is called " + name);
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_effect_is_supported) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.8;
        s.networks[Kind::under].iterative = 0.95;
        s.networks[Kind::under].epsilon = 0.004;
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "supported");
    BOOST_TEST(v.estimate.over_seeds.mean == 0.2, boost::test_tools::tolerance(0.1));
    BOOST_TEST(v.estimate.by_seed.size() == 6u);
    BOOST_TEST(v.estimate.classes.size() == 10u);
    BOOST_TEST(v.estimate.above() == 10);
    BOOST_TEST(v.estimate.below() == 0);
    BOOST_TEST((v.estimate.images > 18'000 && v.estimate.images < 24'000));  // 85 % of 24,000 are right in both
    BOOST_TEST(v.estimate.sign_flip_p.value() == 0.03125);
    BOOST_TEST(v.holm_p < 0.001);
    for (const ClassEffect& c : v.estimate.classes) BOOST_TEST(c.holm_p < 0.05);
    BOOST_TEST(beside(v, "smallest epsilon").over_seeds.mean == std::log(2.0), boost::test_tools::tolerance(0.1));
    BOOST_TEST(beside(v, "absolute drop").over_seeds.mean > 0.1);
}

BOOST_AUTO_TEST_CASE(the_opposite_is_contradicted) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.5;
        s.networks[Kind::under].iterative = 0.6;
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "contradicted");
    BOOST_TEST(v.estimate.below() == 10);
}

BOOST_AUTO_TEST_CASE(no_effect_is_negligible) {
    auto study = fake::three([](fake::Study&) {});
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "negligible");
    BOOST_TEST(std::abs(v.estimate.over_seeds.mean) < 0.01);
}

BOOST_AUTO_TEST_CASE(what_scatters_is_undecided) {
    auto study = fake::three([](fake::Study& s) {
        s.more = [](Kind k, std::uint64_t seed, int) { return k != Kind::under ? 0.0 : seed % 2 == 0 ? 0.2 : -0.1; };
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "undecided");
    BOOST_TEST(v.estimate.over_seeds.mean == 0.05, boost::test_tools::tolerance(0.2));
}

// An effect that is surely there and surely too small to deserve the name is neither supported nor, with its interval
// reaching over the smallest effect, negligible.
BOOST_AUTO_TEST_CASE(decisions_follow_the_rules_to_the_letter) {
    const auto at = [](double mean, double reach, std::size_t count = 6, double p = 0.001) {
        return MeanEstimate{.count = count, .mean = mean, .interval = {mean - reach, mean + reach}, .p = p};
    };
    const auto decided = [](const MeanEstimate& e, double corrected = 0.01, Alternative d = Alternative::greater,
                            bool passed = true) { return std::string(name_of(decide(e, d, 0.02, corrected, passed))); };
    BOOST_TEST(decided(at(0.03, 0.02)) == "supported");
    BOOST_TEST(decided(at(0.02, 0.01)) == "supported");
    BOOST_TEST(decided(at(0.019, 0.01)) == "undecided");
    BOOST_TEST(decided(at(0.01, 0.005)) == "negligible");
    BOOST_TEST(decided(at(0.01, 0.01)) == "negligible");
    BOOST_TEST(decided(at(0.01, 0.02)) == "undecided");
    BOOST_TEST(decided(at(0.03, 0.03)) == "undecided");  // a is not above 0
    BOOST_TEST(decided(at(0.03, 0.02), 0.05) == "undecided");
    BOOST_TEST(decided(at(-0.03, 0.02)) == "contradicted");
    BOOST_TEST(decided(at(-0.03, 0.02), 0.01, Alternative::two_sided) == "supported");
    BOOST_TEST(decided(at(0.03, 0.02), 0.01, Alternative::greater, false) == "undecided");
    BOOST_TEST(decided(at(0.01, 0.005), 0.01, Alternative::greater, false) == "negligible");
    BOOST_TEST(decided(at(0.03, 0.02, 5, 0.02)) == "undecided");  // fewer than 6 seeds
    BOOST_TEST(decided(at(0.03, 0.02, 5, 0.009)) == "supported");
    BOOST_TEST(decided(at(0.0, 0.01, 5, 0.9)) == "undecided");
    BOOST_TEST(decided(MeanEstimate{.count = 1, .mean = 0.5}) == "undecided");
}

BOOST_AUTO_TEST_CASE(one_seed_has_an_estimate_and_no_verdict) {
    auto study = fake::three([](fake::Study& s) {
        s.seeds = {7};
        s.networks[Kind::under].flips = 0.9;
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study, {.bootstrap = CrossedOptions{.draws = 50}});
    BOOST_TEST((v.decision == Decision::undecided));
    BOOST_TEST(v.estimate.over_seeds.mean == 0.3, boost::test_tools::tolerance(0.1));
    BOOST_TEST(!v.estimate.sign_flip_p.has_value());
    // The images' share of the error is there all the same.
    BOOST_TEST(v.estimate.crossed.value().interval.low > 0.25);
    BOOST_TEST(v.estimate.crossed.value().interval.high < 0.35);
}

// As in the paper: the relative measures see more, the absolute drop sees less.
BOOST_AUTO_TEST_CASE(a_measure_on_the_other_side_is_named) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].clean = 0.5;
        s.networks[Kind::under].flips = 0.8;
        s.networks[Kind::under].iterative = 0.95;
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "supported, depends on the measure (absolute drop, drop in log-odds)");
    BOOST_TEST(beside(v, "absolute drop").over_seeds.mean == 0.5 * 0.8 - 0.85 * 0.6, boost::test_tools::tolerance(0.2));
    BOOST_TEST(beside(v, "relative difference").over_seeds.mean == 0.2, boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(what_the_iterative_attack_does_not_show_is_named) {
    auto study = fake::three([](fake::Study& s) { s.networks[Kind::under].flips = 0.8; });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "supported, not under iterative (negligible)");
    BOOST_TEST(std::abs(beside(v, "iterative").over_seeds.mean) < 0.02);
}

BOOST_AUTO_TEST_CASE(networks_that_ran_out_of_looks_are_counted_and_named) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.8, s.networks[Kind::under].iterative = 0.95;
        s.networks[Kind::under].looks = 12, s.networks[Kind::under].out_of_looks = true;
        s.networks[Kind::over].looks = 12, s.networks[Kind::over].out_of_looks = true;  // not this claim's
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "supported, capped at 12 looks: 60 networks");
    BOOST_TEST(v.capped.size() == 60u);
    BOOST_TEST(says(v.capped, "seed 2, under (cat)"));
    const auto checks = self_checks(study.evidence());
    BOOST_TEST(failed(checks).empty());
}

BOOST_AUTO_TEST_CASE(a_class_with_few_matched_images_leaves_by_name) {
    auto study = fake::three([](fake::Study& s) {
        s.images = 58;
        s.networks[Kind::under].clean = 0.86;
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(!v.estimate.left_out.empty());
    BOOST_TEST(v.estimate.classes.size() + v.estimate.left_out.size() == 10u);
    for (const std::string& text : v.estimate.left_out) BOOST_TEST(says({text}, "(seed 1: "), text);
    // With none left there is nothing to decide, but the cells were run.
    auto tiny = fake::three([](fake::Study& s) { s.images = 40; });
    const Verdict none = judged<UnderIsMoreVulnerable>(tiny);
    BOOST_TEST((none.decision == Decision::undecided));
    BOOST_TEST(none.estimate.left_out.size() == 10u);
    BOOST_TEST(!none.estimate.measured());
}

BOOST_AUTO_TEST_CASE(what_is_not_in_the_study_is_named) {
    auto study = fake::three([](fake::Study&) {});
    const Verdict square = judged<SkewAsSuch>(study);
    BOOST_TEST(square.in_words() == "not run: seed 1, few, fast from its own gradient on airplane (and 9 more)");
    BOOST_TEST(says(square.estimate.not_run, "few, fast from its own gradient on cat"));
    const Verdict similarity = judged<FlowGrowsWithSimilarity>(study);
    BOOST_TEST(similarity.in_words() == "not run: classes that it concerns");
    const Verdict c1 = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(says(beside(c1, "logits adjusted").not_run, "under, logits adjusted (bird)"));
    BOOST_TEST(says(beside(c1, "balanced at the same size").not_run, "balanced at the size of under"));
}

BOOST_AUTO_TEST_CASE(a_seed_in_progress_is_left_out_and_a_class_that_none_has_is_not_run) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.8;
        s.has = [](const CellName& n) {
            if (n.victim.kind != Kind::under) return true;
            return n.attacked != Label{9} && !(n.victim.block == 6 && n.attacked == Label{4});
        };
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.estimate.seeds.size() == 5u);
    BOOST_TEST(says(v.estimate.left_out, "seed 6 (not run: seed 6, under (deer), fast"));
    BOOST_TEST(v.estimate.classes.size() == 9u);
    BOOST_TEST(says(v.estimate.not_run, "under (truck)"));
    BOOST_TEST((v.decision == Decision::supported));  // 5 seeds, but p < .01
}

BOOST_AUTO_TEST_CASE(a_failed_self_check_supports_nothing) {
    auto study = fake::three([](fake::Study& s) { s.networks[Kind::under].flips = 0.8; });
    const Verdict v = judged<UnderIsMoreVulnerable>(study, {.bootstrap = std::nullopt, .failed_checks = {"the check"}});
    BOOST_TEST((v.decision == Decision::undecided));
    BOOST_TEST(says(v.remarks, "a self-check failed (the check)"));
}

BOOST_AUTO_TEST_CASE(two_evidences_of_one_name_or_of_other_images_are_refused) {
    Evidence evidence({"a", "b"});
    const std::vector<ImageRecord> four(4), five(5);
    const CellName name{.victim = {.block = 1}, .attacked = Label{0}};
    evidence.add(name, four);
    BOOST_CHECK_THROW(evidence.add(name, four), ValueError);
    CellName other = name;
    other.method = Method::iterative;
    BOOST_CHECK_THROW(evidence.add(other, five), ValueError);
    evidence.add(NetworkName{.block = 1}, {});
    BOOST_CHECK_THROW(evidence.add(NetworkName{.block = 1}, {}), ValueError);
}

// A claim of one's own.
struct MoreNoiseSensitive : Claim {
    static constexpr const char *id = "X1", *says = "under-sampled classes flip under noise";
    static CaseValue statistic(const Case& at) { return drop(*at.noise(Kind::under, 0), at.label()); }
};

BOOST_AUTO_TEST_CASE(a_claim_of_ones_own_takes_three_lines) {
    auto study = fake::three([](fake::Study& s) { s.networks[Kind::under].noise = 0.3; });
    const Verdict v = judged<MoreNoiseSensitive>(study);
    BOOST_TEST(v.in_words() == "supported");
    BOOST_TEST(v.exploratory);
    BOOST_TEST(v.estimate.over_seeds.mean == 0.3 * 0.85, boost::test_tools::tolerance(0.1));
    BOOST_TEST(v.beside.empty());
}

BOOST_AUTO_TEST_CASE(holm_corrects_written_claims_as_one_family_and_exploratory_ones_as_another) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.62;
        s.networks[Kind::over].flips = 0.57;
        s.networks[Kind::balanced].scatter = 0.05;
    });
    const Evidence evidence = study.evidence();
    const auto v = judge(ClaimList<UnderIsMoreVulnerable, OverIsLessVulnerable, MoreNoiseSensitive>{}, evidence, quick);
    const std::vector<double> p{v[0].estimate.over_seeds.p, v[1].estimate.over_seeds.p};
    const auto corrected = holm_adjusted(p);
    BOOST_TEST(v[0].holm_p == corrected[0]);
    BOOST_TEST(v[1].holm_p == corrected[1]);
    BOOST_TEST(std::max(v[0].holm_p / p[0], v[1].holm_p / p[1]) > 1.5);  // it did correct
    BOOST_TEST(v[2].holm_p == v[2].estimate.over_seeds.p);
}
