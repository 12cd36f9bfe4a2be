// Claims on evidence with known answers: each verdict comes out where it must, and says what it is made of.
#define BOOST_TEST_MODULE study_claims
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <utility>
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
const Estimate& share(const Verdict& v, const std::string& name) {
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
    BOOST_TEST(share(v, "smallest epsilon").over_seeds.mean == std::log(2.0), boost::test_tools::tolerance(0.1));
    BOOST_TEST(share(v, "absolute drop").over_seeds.mean > 0.1);
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
    BOOST_TEST(share(v, "absolute drop").over_seeds.mean == 0.5 * 0.8 - 0.85 * 0.6, boost::test_tools::tolerance(0.2));
    BOOST_TEST(share(v, "relative difference").over_seeds.mean == 0.2, boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(what_the_iterative_attack_does_not_show_is_named) {
    auto study = fake::three([](fake::Study& s) { s.networks[Kind::under].flips = 0.8; });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "supported, not under iterative (negligible)");
    BOOST_TEST(std::abs(share(v, "iterative").over_seeds.mean) < 0.02);
}

BOOST_AUTO_TEST_CASE(networks_that_ran_out_of_rounds_are_counted_and_named) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.8, s.networks[Kind::under].iterative = 0.95;
        s.networks[Kind::under].rounds = 12, s.networks[Kind::under].out_of_rounds = true;
        s.networks[Kind::over].rounds = 12, s.networks[Kind::over].out_of_rounds = true;  // not this claim's
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.in_words() == "supported, capped at 12 rounds: 60 networks");
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
    BOOST_TEST(square.in_words() == "not run: seed 1, scarce, fast from its own gradient on airplane (and 9 more)");
    BOOST_TEST(says(square.estimate.not_run, "scarce, fast from its own gradient on cat"));
    const Verdict similarity = judged<FlowGrowsWithSimilarity>(study);
    BOOST_TEST(similarity.in_words() == "not run: classes that it concerns");
    const Verdict c1 = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(says(share(c1, "logits adjusted").not_run, "under, logits adjusted (bird)"));
    BOOST_TEST(says(share(c1, "balanced at the same size").not_run, "balanced at the size of under"));
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

namespace {

/// Seed 1's records as those of further seeds, so that every statistic ties.
Evidence tied(const Evidence& one, const std::vector<std::uint64_t>& seeds) {
    Evidence all(one.class_names());
    all.blocks = seeds;
    all.partners = one.partners;
    all.similarity = one.similarity;
    for (const std::uint64_t seed : seeds) {
        for (const auto& [of, record] : one.networks()) {
            NetworkName name = of;
            name.block = seed;
            all.add(name, record);
        }
        for (const auto& [of, images] : one.cells()) {
            CellName name = of;
            name.victim.block = seed;
            all.add(name, images);
        }
    }
    return all;
}

}  // namespace

// Of 100 images that both get right, the attack flips 60 in one network and 40 in the other, in two classes and seeds.
BOOST_AUTO_TEST_CASE(seeds_that_tie_are_as_uncertain_as_their_images) {
    const auto verdict_of = [](std::size_t in_under, std::size_t in_balanced) {
        std::deque<std::vector<ImageRecord>> kept;
        Evidence evidence({"a", "b"});
        evidence.blocks = {1, 2};
        for (const std::uint64_t seed : evidence.blocks)
            for (const Label c : {Label{0}, Label{1}})
                for (const Kind kind : {Kind::under, Kind::balanced}) {
                    auto& records = kept.emplace_back(100);
                    for (std::size_t i = 0; i < 100; ++i) {
                        records[i].clean.predicted = Prediction(index(c));
                        const bool flipped = i < (kind == Kind::under ? in_under : in_balanced);
                        records[i].attacked.predicted = Prediction(flipped ? 1 - index(c) : index(c));
                        records[i].smallest_epsilon = 0.01;
                    }
                    evidence.add(CellName{.victim = {.block = seed,
                                                     .kind = kind,
                                                     .skewed = skews(kind) ? std::optional(c) : std::nullopt},
                                          .attacked = c},
                                 records);
                }
        return judge(ClaimList<UnderIsMoreVulnerable>{}, evidence, quick).front();
    };
    const auto close = boost::test_tools::tolerance(1e-9);
    const Verdict v = verdict_of(60, 40);
    const double variance = 2 * (60.5 / 101) * (40.5 / 101) / 100;  // of one class's difference
    BOOST_TEST(v.in_words() == "undecided");
    BOOST_TEST(v.estimate.over_seeds.mean == 0.2, close);
    BOOST_TEST(v.estimate.image_variance.value() == variance / 2, close);
    BOOST_TEST(v.estimate.over_seeds.interval.high == 0.2 + 12.706204736432095 * std::sqrt(variance / 2 / 2), close);
    BOOST_TEST(v.estimate.over_seeds.p > 0.05);
    BOOST_TEST(v.holm_p > 0.05);
    BOOST_TEST(v.estimate.classes[0].over_seeds.interval.high == 0.2 + 12.706204736432095 * std::sqrt(variance / 2),
               close);
    // At the floor and at the ceiling, and where nothing differs at all.
    for (const auto& [under, balanced] : {std::pair{100, 0}, std::pair{0, 0}, std::pair{100, 100}}) {
        const Estimate e = verdict_of(static_cast<std::size_t>(under), static_cast<std::size_t>(balanced)).estimate;
        BOOST_TEST((e.over_seeds.interval.low < e.over_seeds.mean && e.over_seeds.mean < e.over_seeds.interval.high));
        BOOST_TEST(e.over_seeds.p > 0);
    }
}

// Shares, matched flips, log-odds, slopes, areas, logarithms of epsilons: no claim, and nothing beside one, is certain
// because its seeds agree.
BOOST_AUTO_TEST_CASE(no_kind_of_statistic_is_certain_without_scatter) {
    fake::Study study;
    study.networks = {{Kind::balanced, {}}, {Kind::under, {.flips = 0.8}}, {Kind::over, {.flips = 0.4}},
                      {Kind::scarce, {}},   {Kind::under_adjusted, {}},    {Kind::over_adjusted, {}}};
    study.seeds = {1};
    Evidence one = study.evidence();
    for (std::size_t c = 0; c < 10; ++c) one.similarity.push_back(static_cast<double>(c) / 10);
    const Evidence evidence = tied(one, {1, 2, 3});
    int estimates = 0, log_odds = 0, log_ratios = 0;
    const auto check = [&](const std::string& name, Unit unit, const Estimate& e) {
        if (!e.measured()) return;
        ++estimates;
        log_odds += unit == Unit::log_odds;
        log_ratios += unit == Unit::log_ratio;
        BOOST_TEST(e.over_seeds.deviation < 1e-12, name);
        BOOST_TEST(e.over_seeds.p > 0, name);
        BOOST_TEST(e.over_seeds.interval.high - e.over_seeds.interval.low > 1e-3, name);
        for (const ClassEffect& c : e.classes) BOOST_TEST(c.over_seeds.p > 0, name);
        BOOST_TEST(e.image_variance.has_value(), name);
    };
    for (const Verdict& v : judge(PaperClaims{}, evidence, quick)) {
        check(v.id, v.unit, v.estimate);
        for (const BesideEstimate& b : v.beside) check(v.id + ", " + b.name, b.unit, b.estimate);
    }
    BOOST_TEST(estimates > 40);
    BOOST_TEST((log_odds > 0 && log_ratios > 1));
}

// A statistic of a user's own that does not say how its images scatter.
struct Unexplained : Claim {
    static constexpr const char *id = "X2", *says = "a number without a variance";
    static CaseValue statistic(const Case& at) {
        return {static_cast<double>(attacked_right(at(Kind::balanced), at.label()).hits) / 400, 400};
    }
};

BOOST_AUTO_TEST_CASE(without_a_variance_of_images_few_seeds_decide_nothing) {
    fake::Study study;
    study.networks = {{Kind::balanced, {.flips = 0.5, .scatter = 0.02}}};
    const auto verdict_of = [&](std::vector<std::uint64_t> seeds) {
        study.seeds = std::move(seeds);
        return judge(ClaimList<Unexplained>{}, study.evidence(), quick).front();
    };
    const Verdict six = verdict_of({1, 2, 3, 4, 5, 6}), three = verdict_of({1, 2, 3});
    BOOST_TEST((six.decision == Decision::supported));
    BOOST_TEST(!six.estimate.image_variance.has_value());
    BOOST_TEST(three.estimate.over_seeds.p < 0.01);
    BOOST_TEST((three.decision == Decision::undecided));
    study.seeds = {1};
    const Evidence one = study.evidence();
    const Verdict tie = judge(ClaimList<Unexplained>{}, tied(one, {1, 2, 3, 4, 5, 6}), quick).front();
    BOOST_TEST((tie.decision == Decision::undecided));
    BOOST_TEST(tie.estimate.over_seeds.p == 1);
}

// A measure beside a claim that is undefined for one class: the claim's mean over the same classes stands next to it.
BOOST_AUTO_TEST_CASE(what_stands_beside_is_held_against_the_same_classes) {
    auto study = fake::three([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.8;
        s.more = [](Kind k, std::uint64_t, int c) { return k == Kind::under && c == 4 ? 0.15 : 0.0; };
        s.spoil = [](const CellName& n, std::vector<ImageRecord>& records) {
            if (n.attacked == Label{4} && n.victim.kind == Kind::under && n.victim.block == 2)
                for (ImageRecord& r : records) r.smallest_epsilon = std::numeric_limits<double>::infinity();
        };
    });
    const Verdict v = judged<UnderIsMoreVulnerable>(study);
    BOOST_TEST(v.estimate.classes.size() == 10u);
    double others = 0;
    for (const ClassEffect& c : v.estimate.classes)
        if (c.label != Label{4}) others += c.over_seeds.mean / 9;
    for (const BesideEstimate& b : v.beside) {
        if (!b.estimate.measured()) continue;
        const bool fewer = b.name == "smallest epsilon";
        BOOST_TEST(b.estimate.classes.size() == (fewer ? 9u : 10u), b.name);
        BOOST_TEST(b.claim_mean.value() == (fewer ? others : v.estimate.over_seeds.mean),
                   boost::test_tools::tolerance(1e-9));
        if (fewer) BOOST_TEST(says(b.estimate.left_out, "deer (seed 2: "));
    }
}

// The one rule of every average, on columns made by hand: 1, 2 are seeds, and a, b, c classes.
BOOST_AUTO_TEST_CASE(a_class_that_is_undefined_anywhere_leaves_everywhere) {
    const std::vector<std::string> names{"a", "b", "c"};
    const std::vector<std::uint64_t> seeds{1, 2};
    const auto full = [](std::string name) {
        ComparedColumn column{.name = std::move(name)};
        for (const Label c : {Label{0}, Label{1}, Label{2}})
            for (const std::uint64_t seed : {1u, 2u}) column.values[c][seed] = {0.5, 100, {}};
        return column;
    };
    std::vector<ComparedColumn> columns{full("first"), full("second"), {.name = "never run"}};
    columns[2].lacks[Label{0}][1] = "its networks";
    const auto classes = [&](const Compared& over) {
        std::string all;
        for (const Label c : over.classes) all += names[static_cast<std::size_t>(index(c))];
        return all;
    };
    BOOST_TEST(classes(compare(names, seeds, columns)) == "abc");
    BOOST_TEST(compare(names, seeds, columns).left_out.empty());
    columns[1].values[Label{1}][2] = {std::nullopt, 49};  // undefined in one column and one seed
    Compared over = compare(names, seeds, columns);
    BOOST_TEST(classes(over) == "ac");
    BOOST_TEST(over.seeds == seeds, boost::test_tools::per_element());
    BOOST_TEST(over.left_out == std::vector<std::string>{"b (second, seed 2: 49 images)"},
               boost::test_tools::per_element());
    columns[0].values.erase(Label{2});  // a class that one column has for no seed
    columns[0].lacks[Label{2}][1] = "network of c";
    over = compare(names, seeds, columns);
    BOOST_TEST(classes(over) == "a");
    BOOST_TEST(says(over.left_out, "c (first, not run)"));
    BOOST_TEST(says(over.not_run, "network of c"));
    columns = {full("first"), full("second")};
    columns[1].values[Label{0}].erase(2);  // a seed in progress
    columns[1].lacks[Label{0}][2] = "network of a";
    over = compare(names, seeds, columns);
    BOOST_TEST(classes(over) == "abc");
    BOOST_TEST(over.seeds == std::vector<std::uint64_t>{1}, boost::test_tools::per_element());
    BOOST_TEST(says(over.left_out, "seed 2 (not run: network of a)"));
    columns[0].values[Label{1}].erase(1);  // every seed lacks something: then the classes leave
    over = compare(names, seeds, columns);
    BOOST_TEST(classes(over) == "c");
    BOOST_TEST(over.seeds == seeds, boost::test_tools::per_element());
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
