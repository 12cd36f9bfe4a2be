// links: report
// Verdicts as tables and text: the numbers are the verdicts', what is missing is said, a failed check is loud.
#define BOOST_TEST_MODULE report_claims
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include <skewgrad/report/claim_files.hpp>
#include <skewgrad/report/claim_tables.hpp>
#include <skewgrad/report/paper_prediction.hpp>
#include "store/temporary_folder.hpp"
#include "study/fake_evidence.hpp"

using namespace skewgrad;
using namespace skewgrad::claims;

namespace {

double number(const Table& table, std::size_t row, std::size_t column) {
    const auto& value = table.rows().at(row).at(column).value();
    if (const auto* d = std::get_if<double>(&value)) return *d;
    if (const auto* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
    return static_cast<double>(std::get<std::uint64_t>(value));
}
std::string text(const Table& table, std::size_t row, std::size_t column) {
    return std::get<std::string>(table.rows().at(row).at(column).value());
}

struct Judged {
    fake::Study study;
    Evidence evidence;
    std::vector<SelfCheck> checks;
    std::vector<Verdict> verdicts;

    explicit Judged(const std::function<void(fake::Study&)>& change)
        : study(fake::three(change)),
          evidence(study.evidence()),
          checks(self_checks(evidence)),
          verdicts(judge(PaperClaims{}, evidence,
                         {.bootstrap = CrossedOptions{.draws = 20}, .failed_checks = failed(checks)})) {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(tables_show_the_verdicts_numbers) {
    const Judged j(
        [](fake::Study& s) { s.networks[Kind::under].flips = 0.8, s.networks[Kind::under].iterative = 0.95; });
    const Table table = report::verdict_table(j.verdicts);
    BOOST_TEST(table.rows().size() == j.verdicts.size());
    const Verdict& c1 = j.verdicts[1];
    BOOST_TEST(text(table, 1, 0) == "C1");
    BOOST_TEST(number(table, 1, 1) == 6);
    BOOST_TEST(number(table, 1, 3) == 100 * c1.estimate.over_seeds.mean);
    BOOST_TEST(number(table, 1, 4) == 100 * c1.estimate.over_seeds.interval.low);
    BOOST_TEST(number(table, 1, 7) == 100 * c1.estimate.crossed->interval.high);
    BOOST_TEST(number(table, 1, 11) == 10);
    BOOST_TEST(text(table, 1, 14).starts_with("supported"));
    const std::size_t c8 = table.rows().size() - 1;
    BOOST_TEST(text(table, c8, 14).starts_with("not run: seed 1, scarce, "));
    BOOST_TEST(table.rows()[c8][3].empty());

    const Table seeds = report::seed_table(j.verdicts, j.evidence.blocks);
    BOOST_TEST(seeds.rows().size() == j.verdicts.size());
    BOOST_TEST(number(seeds, 1, 4) == 100 * c1.estimate.by_seed[2]);
    BOOST_TEST(seeds.rows()[c8][2].empty());
    const Table means = report::class_means_table(j.verdicts, j.evidence.class_names());
    BOOST_TEST(number(means, 1, 5) == 100 * c1.estimate.classes[3].over_seeds.mean);
    BOOST_TEST(means.rows()[10][2].empty());  // C4a is not about airplanes
    const Table classes = report::class_table(j.verdicts, j.evidence.class_names());
    BOOST_TEST(text(classes, 13, 1) == "cat");
    BOOST_TEST(number(classes, 13, 2) == 100 * c1.estimate.classes[3].over_seeds.mean);
    const Table beside = report::beside_table(j.verdicts);
    BOOST_TEST(beside.rows().size() > j.verdicts.size());
    for (const auto& row : beside.rows())  // measured, or its lack is named
        BOOST_TEST((!row[3].empty() || !std::get<std::string>(row[6].value()).empty()));
}

BOOST_AUTO_TEST_CASE(a_verdict_in_words) {
    const Judged j([](fake::Study& s) {
        s.networks[Kind::under].flips = 0.8;
        s.networks[Kind::under].rounds = 12, s.networks[Kind::under].out_of_rounds = true;
        s.seeds = {3, 4};
    });
    const std::string c1 = report::verdict_text(j.verdicts[1]);
    BOOST_TEST(c1.starts_with("C1: an under-sampled class is more vulnerable (section 4.1)\n  undecided, capped at 12 "
                              "rounds: 20 networks\n  mean "),
               c1);
    BOOST_TEST(c1.find("  2 seeds: ") != c1.npos, c1);
    BOOST_TEST(c1.find("10 classes for, 0 against") != c1.npos, c1);
    BOOST_TEST(c1.find("out of rounds: seed 3, under (airplane); ") != c1.npos, c1);
    BOOST_TEST(c1.find("; 17 more") != c1.npos, c1);
    const std::string c8 = report::verdict_text(j.verdicts.back());
    BOOST_TEST(c8.find("\n  not run: seed 3, scarce, fast from its own gradient on airplane; ") != c8.npos, c8);
}

BOOST_AUTO_TEST_CASE(a_failed_check_is_loud) {
    const auto sound = Judged([](fake::Study&) {});
    const auto tables_of = [](const Judged& j) { return report::judgement_tables({j.evidence, j.checks, j.verdicts}); };
    BOOST_TEST(tables_of(sound)[0].title == "Self-checks");
    const auto masked = Judged([](fake::Study& s) { s.networks[Kind::over].iterative = 0.1; });
    const auto tables = tables_of(masked);
    BOOST_TEST(tables[0].title == "Self-checks: 1 FAILED");
    BOOST_TEST(text(tables[0].table, 2, 1) == "FAILED");
    BOOST_TEST(text(tables[0].table, 2, 3).ends_with("; 57 more"));
}

BOOST_AUTO_TEST_CASE(files_hold_the_tables) {
    const Judged j([](fake::Study& s) { s.seeds = {1, 2}; });
    const skewgrad_tests::TemporaryFolder folder;
    report::write_judgement({j.evidence, j.checks, j.verdicts}, folder / "deep");
    const std::string claims_csv = read_whole_text(folder.path() / "deep" / "claims.csv");
    BOOST_TEST(claims_csv == to_csv(report::verdict_table(j.verdicts)));
    BOOST_TEST(read_whole_text(folder.path() / "deep" / "claim_classes.csv").find("\nC1,cat,") != std::string::npos);
    for (const char* name :
         {"claim_seeds.csv", "claims_beside.csv", "self_checks.csv", "confusion_flow.csv", "paper_cells.csv"})
        BOOST_TEST(std::filesystem::file_size(folder.path() / "deep" / name) > 100u, name);
    std::ofstream(folder / "file") << "in the way";
    BOOST_CHECK_THROW(report::write_judgement({j.evidence, j.checks, j.verdicts}, folder / "file"), FileError);
}

BOOST_AUTO_TEST_CASE(flow_of_the_pairs) {
    const Judged j([](fake::Study& s) {
        s.images = 2000;
        s.seeds = {1};
        s.to_partner = [](int c, bool attacked) { return !attacked ? 0.3 : c == 3 ? 0.6 : 0.4; };
    });
    const Table table = report::flow_table(j.evidence);
    BOOST_TEST(table.rows().size() == 12u);  // three networks, four directions
    BOOST_TEST(text(table, 1, 1) == "cat");
    BOOST_TEST(text(table, 1, 2) == "dog");
    BOOST_TEST(std::abs(number(table, 1, 4) - 30) < 9);  // of 300 errors
    BOOST_TEST(std::abs(number(table, 1, 6) - 60) < 4);
    BOOST_TEST(number(table, 1, 7) == number(table, 1, 6) - number(table, 1, 4), boost::test_tools::tolerance(1e-9));
    BOOST_TEST(number(table, 1, 8) == number(table, 1, 7) - number(table, 2, 7), boost::test_tools::tolerance(1e-9));
    BOOST_TEST(text(table, 2, 1) == "dog");
}

// Cells made to lie where the paper's do, and then twelve points off. Seeds scatter by more than their images do.
BOOST_AUTO_TEST_CASE(the_papers_cells_against_predictions) {
    const auto prediction = [](double off, double apart = 2) {
        std::deque<std::vector<ImageRecord>> kept;
        Evidence e({paper::class_names.begin(), paper::class_names.end()});
        e.blocks = {1, 2, 3};
        for (const std::uint64_t seed : e.blocks)
            for (std::uint16_t c = 0; c < 10; ++c) {
                const auto add = [&](Kind kind, Gradient gradient, double published) {
                    auto& records = kept.emplace_back(1000);
                    const double right = 10 * (published + off) + 10 * apart * (static_cast<double>(seed) - 2);
                    for (std::size_t i = 0; i < 1000; ++i)
                        records[i].attacked.predicted = Prediction(static_cast<double>(i) < right ? c : (c + 1) % 10);
                    e.add(CellName{.victim = {.block = seed,
                                              .kind = kind,
                                              .skewed = skews(kind) ? std::optional(Label{c}) : std::nullopt},
                                   .attacked = Label{c},
                                   .gradient = gradient},
                          records);
                };
                const auto& row = paper::class_accuracy[c];
                add(Kind::balanced, Gradient::own, row.same_balanced);
                add(Kind::under, Gradient::own, row.same_under);
                add(Kind::over, Gradient::own, row.same_over);
                add(Kind::under, Gradient::other_seed, row.different_under);
                add(Kind::over, Gradient::other_seed, row.different_over);
            }
        return report::paper_prediction(e);
    };
    const auto same = prediction(0);
    BOOST_TEST(same.cells.size() == 50u);
    BOOST_TEST(same.count.outside == 0);
    BOOST_TEST(same.count.expected == 2.5, boost::test_tools::tolerance(1e-12));
    // Seeds two points apart: 4.30 * 2 sqrt(4/3) = 9.94 points either side.
    BOOST_TEST(same.cells[0].ours.prediction.high - same.cells[0].ours.mean == 9.9365,
               boost::test_tools::tolerance(1e-3));
    // Seeds that tie: what 1,000 images scatter by, of which 60 % are right.
    const auto tie = prediction(0, 0);
    BOOST_TEST(tie.cells[0].ours.prediction.high - tie.cells[0].ours.mean ==
                   4.30265 * std::sqrt(4.0 / 3) * 100 * std::sqrt(binomial_variance(Ratio{600, 1000})),
               boost::test_tools::tolerance(1e-4));
    BOOST_TEST(tie.count.outside == 0);
    const auto off = prediction(12);
    BOOST_TEST(off.count.outside == 50);
    BOOST_TEST(report::prediction_text(off).starts_with("50 of 50 cells"));
    BOOST_TEST(report::prediction_table(off).rows().size() == 50u);
    BOOST_TEST(report::prediction_text(report::paper_prediction(Evidence({"a"}))) ==
               "not run: the paper's classes are CIFAR-10's, which these are not");
    const Evidence alone({paper::class_names.begin(), paper::class_names.end()});
    BOOST_TEST(report::prediction_text(report::paper_prediction(alone)).starts_with("not run: fewer than two seeds"));
}
