// Statistics against SciPy's and statsmodels', row by row of fixtures/statistics.json (make_statistics.py).
#define BOOST_TEST_MODULE oracle_statistics
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <skewgrad/evaluate/measures.hpp>

using namespace skewgrad;
using nlohmann::json;

namespace {

// All rows under a name; a fixture that lacks them is a failure, not an empty loop.
const json& rows(const std::string& name) {
    static const json all = [] {
        std::ifstream file(std::string(SKEWGRAD_FIXTURES) + "/statistics.json");
        return json::parse(file);
    }();
    const json& found = all.at(name);
    BOOST_REQUIRE_GE(found.size(), 2u);
    return found;
}
std::vector<double> numbers(const json& row, const char* name) { return row.at(name).get<std::vector<double>>(); }
double number(const json& row, const char* name) { return row.at(name).get<double>(); }

void check_close(double ours, double theirs, double tolerance, const json& row) {
    BOOST_TEST(std::abs(ours - theirs) <= tolerance * std::max(std::abs(theirs), 1e-300),
               ours << " instead of " << theirs << " for " << row.dump());
}

}  // namespace

// x stands as SciPy rounded it: near 1 the rest 1 - x is exact.
BOOST_AUTO_TEST_CASE(the_incomplete_beta_function) {
    for (const json& r : rows("incomplete_beta")) {
        const double x = number(r, "x");
        const double ours = incomplete_beta(x, 1 - x, number(r, "a"), number(r, "b"));
        // lgamma of 3e4 has lost four digits of the difference that the front factor is made of.
        check_close(ours, number(r, "value"), number(r, "a") > 1e3 ? 1e-9 : 1e-12, r);
    }
    BOOST_CHECK_THROW(incomplete_beta(0.5, 0.5, 0, 1), ValueError);
    BOOST_CHECK_THROW(incomplete_beta(0.5, 0.4, 1, 1), ValueError);
    BOOST_CHECK_THROW(incomplete_beta(-0.1, 1.1, 1, 1), ValueError);
    BOOST_TEST(incomplete_beta(0, 1, 2, 3) == 0);
    BOOST_TEST(incomplete_beta(1, 0, 2, 3) == 1);
}

BOOST_AUTO_TEST_CASE(students_t) {
    for (const json& r : rows("t_both_tails"))
        check_close(student_t_both_tails(number(r, "t"), number(r, "freedom")), number(r, "p"), 1e-11, r);
    for (const json& r : rows("t_quantile"))
        check_close(student_t_quantile(number(r, "level"), number(r, "freedom")), number(r, "t"), 1e-8, r);
    BOOST_TEST(student_t_both_tails(-2.5, 7) == student_t_both_tails(2.5, 7));
    BOOST_TEST(student_t_both_tails(INFINITY, 7) == 0);
    BOOST_CHECK_THROW(student_t_both_tails(1, 0), ValueError);
    BOOST_CHECK_THROW(student_t_both_tails(std::nan(""), 3), ValueError);
    BOOST_CHECK_THROW(student_t_quantile(95, 3), ValueError);
}

BOOST_AUTO_TEST_CASE(binomial_tails) {
    for (const json& r : rows("binomial_at_least"))
        check_close(binomial_at_least(r.at("k"), r.at("n"), number(r, "chance")), number(r, "p"), 1e-12, r);
    BOOST_CHECK_THROW(binomial_at_least(3, 2, 0.5), ValueError);
    const OutsidePrediction o = outside_prediction(9, 50);
    BOOST_TEST(o.expected == 2.5, boost::test_tools::tolerance(1e-12));
    BOOST_TEST((o.p > 0.0005 && o.p < 0.001));
}

BOOST_AUTO_TEST_CASE(intervals_of_means_and_predictions) {
    for (const json& r : rows("mean_estimate")) {
        const MeanEstimate e = mean_estimate(numbers(r, "values"), number(r, "level"));
        check_close(e.mean, number(r, "mean"), 1e-13, r);
        check_close(e.deviation, number(r, "deviation"), 1e-9, r);
        check_close(e.interval.low, number(r, "low"), 1e-8, r);
        check_close(e.interval.high, number(r, "high"), 1e-8, r);
        check_close(e.prediction.low, number(r, "prediction_low"), 1e-8, r);
        check_close(e.prediction.high, number(r, "prediction_high"), 1e-8, r);
        check_close(e.p, number(r, "p"), 1e-8, r);
    }
    const MeanEstimate one = mean_estimate(std::vector{0.25});
    BOOST_TEST(one.mean == 0.25);
    BOOST_TEST(one.p == 1);
    BOOST_TEST((std::isinf(one.interval.low) && std::isinf(one.prediction.high)));
    BOOST_CHECK_THROW(mean_estimate(std::vector<double>{}), ValueError);
    BOOST_CHECK_THROW(mean_estimate(std::vector{1.0, std::nan("")}), ValueError);
}

BOOST_AUTO_TEST_CASE(sign_flips) {
    for (const json& r : rows("sign_flip")) check_close(sign_flip_p(numbers(r, "values")), number(r, "p"), 1e-12, r);
    BOOST_TEST(sign_flip_p(std::vector{1., 2., 3., 4., 5.}) == 0.0625);  // five seeds never reach .05
    BOOST_TEST(sign_flip_p(std::vector{1., 2., 3., 4., 5., 6.}) == 0.03125);
    BOOST_CHECK_THROW(sign_flip_p(std::vector<double>{}), ValueError);
    BOOST_CHECK_THROW(sign_flip_p(std::vector<double>(25, 1.0)), ValueError);
}

BOOST_AUTO_TEST_CASE(wilcoxons_ranks) {
    for (const json& r : rows("signed_ranks")) {
        const SignedRanks w = signed_ranks(numbers(r, "values"));
        check_close(w.positive, number(r, "positive"), 1e-14, r);
        check_close(w.p, number(r, "p"), 1e-12, r);
    }
    BOOST_TEST(signed_ranks(std::vector<double>{0, 0}).p == 1);
    BOOST_TEST(signed_ranks(std::vector<double>{0, 0}).count == 0u);
    BOOST_CHECK_THROW(signed_ranks(std::vector{1.0, std::nan("")}), ValueError);
}

BOOST_AUTO_TEST_CASE(mcnemars_and_wilsons) {
    for (const json& r : rows("mcnemar")) check_close(mcnemar_p(r.at("b"), r.at("c")), number(r, "p"), 1e-12, r);
    for (const json& r : rows("wilson")) {
        const Interval i = wilson_interval({r.at("hits"), r.at("of")}, number(r, "level"));
        BOOST_TEST(std::abs(i.low - number(r, "low")) < 1e-12);
        BOOST_TEST(std::abs(i.high - number(r, "high")) < 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(holms_correction) {
    for (const json& r : rows("holm")) {
        const std::vector<double> ours = holm_adjusted(numbers(r, "p")), theirs = numbers(r, "adjusted");
        BOOST_REQUIRE_EQUAL(ours.size(), theirs.size());
        for (std::size_t i = 0; i < ours.size(); ++i) check_close(ours[i], theirs[i], 1e-13, r);
    }
    BOOST_TEST(holm_adjusted({}).empty());
    BOOST_CHECK_THROW(holm_adjusted(std::vector{1.5}), ValueError);
}

BOOST_AUTO_TEST_CASE(areas_slopes_quantiles) {
    for (const json& r : rows("area_under_curve"))
        check_close(area_under_curve(numbers(r, "positives"), numbers(r, "negatives")).value(), number(r, "area"),
                    1e-14, r);
    BOOST_TEST(!area_under_curve({}, std::vector{1.0}).has_value());
    BOOST_CHECK_THROW(area_under_curve(std::vector{std::nan("")}, std::vector{1.0}), ValueError);
    for (const json& r : rows("slope"))
        check_close(least_squares_slope(numbers(r, "x"), numbers(r, "y")).value(), number(r, "slope"), 1e-12, r);
    BOOST_TEST(!least_squares_slope(std::vector{1.0, 1.0}, std::vector{1.0, 2.0}).has_value());
    BOOST_CHECK_THROW(least_squares_slope(std::vector{1.0}, std::vector{1.0, 2.0}), ValueError);
    for (const json& r : rows("quantile"))
        BOOST_TEST(std::abs(bootstrap::quantile(numbers(r, "sorted"), number(r, "share")) - number(r, "value")) <
                   1e-14);
}
