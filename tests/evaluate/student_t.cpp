// No scatter is no certainty: equal values say nothing, and what images must scatter by bounds what seeds seem to.
#define BOOST_TEST_MODULE evaluate_student_t
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <skewgrad/core/random.hpp>
#include <skewgrad/evaluate/area_under_curve.hpp>
#include <skewgrad/evaluate/robustness.hpp>
#include <skewgrad/evaluate/slope.hpp>
#include <skewgrad/evaluate/smallest_epsilon.hpp>
#include <skewgrad/evaluate/student_t.hpp>

using namespace skewgrad;
namespace tt = boost::test_tools;

namespace {

double uniform(std::uint32_t repetition, std::uint32_t what, std::uint32_t which) {
    return (draw({.seed = Seed{7}, .purpose = Purpose::noise, .item = repetition, .epoch = what}, which)[0] + 0.5) /
           4294967296.0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(equal_values_are_not_certain) {
    for (const std::vector<double>& values :
         {std::vector{0.25, 0.25}, std::vector{0.25, 0.25, 0.25}, std::vector{0.0, 0.0}, std::vector{0.1 + 0.2, 0.3}}) {
        const MeanEstimate e = mean_estimate(values);
        BOOST_TEST(e.p == 1);
        BOOST_TEST((std::isinf(e.interval.low) && std::isinf(e.interval.high)));
        BOOST_TEST((std::isinf(e.prediction.low) && std::isinf(e.prediction.high)));
    }
}

// t(0.95, 1) = 12.7062, and P(|T| >= t) with one degree of freedom is 1 - (2 / pi) atan t.
BOOST_AUTO_TEST_CASE(what_is_known_to_scatter_counts_where_the_sample_scatters_less) {
    const MeanEstimate tie = mean_estimate(std::vector{0.25, 0.25}, 0.95, 0.0002);
    BOOST_TEST(tie.deviation == 0);
    BOOST_TEST(tie.least_deviation == std::sqrt(0.0002), tt::tolerance(1e-14));
    BOOST_TEST(tie.interval.high == 0.25 + 12.706204736432095 * 0.01, tt::tolerance(1e-9));
    BOOST_TEST(tie.interval.low == 0.25 - 12.706204736432095 * 0.01, tt::tolerance(1e-9));
    BOOST_TEST(tie.prediction.high == 0.25 + 12.706204736432095 * std::sqrt(0.0003), tt::tolerance(1e-9));
    BOOST_TEST(tie.p == 1 - 2 / std::acos(-1.0) * std::atan(25.0), tt::tolerance(1e-9));
    // A sample that scatters more than it must is taken as it is.
    const MeanEstimate wide = mean_estimate(std::vector{0.1, 0.4}, 0.95, 0.0002), plain = mean_estimate({{0.1, 0.4}});
    BOOST_TEST((wide.interval == plain.interval && wide.p == plain.p));
    BOOST_CHECK_THROW(mean_estimate(std::vector{0.1, 0.4}, 0.95, -1.0), ValueError);
    BOOST_CHECK_THROW(mean_estimate(std::vector{0.1, 0.4}, 0.95, std::nan("")), ValueError);
}

BOOST_AUTO_TEST_CASE(a_share_of_0_or_of_all_has_a_variance) {
    BOOST_TEST(binomial_variance(Ratio{30, 100}) == (30.5 / 101) * (70.5 / 101) / 100, tt::tolerance(1e-14));
    BOOST_TEST(binomial_variance(Ratio{0, 50}) == (0.5 / 51) * (50.5 / 51) / 50, tt::tolerance(1e-14));
    BOOST_TEST(binomial_variance(Ratio{50, 50}) == binomial_variance(Ratio{0, 50}), tt::tolerance(1e-14));
    for (std::int64_t hits = 0; hits <= 40; ++hits) {
        const double p = static_cast<double>(hits) / 40;
        BOOST_TEST(binomial_variance(Ratio{hits, 40}) >= p * (1 - p) / 40);
    }
    BOOST_TEST(std::isnan(binomial_variance(Ratio{})));
    BOOST_CHECK_THROW(binomial_variance(Ratio{3, 2}), ValueError);
}

// Two seeds of 40 images each, of which one in a hundred is right: most pairs tie at 0 and say that 0 is certain, or
// did before what the images scatter by was counted.
BOOST_AUTO_TEST_CASE(intervals_cover_where_seeds_tie) {
    constexpr int repetitions = 4000;
    constexpr double truth = 0.01;
    int covered = 0, ties = 0;
    for (std::uint32_t r = 0; r < repetitions; ++r) {
        std::vector<double> values;
        double variance = 0;
        for (std::uint32_t seed = 0; seed < 2; ++seed) {
            Ratio right{0, 40};
            for (std::uint32_t i = 0; i < 40; ++i) right.hits += uniform(r, seed, i) < truth;
            values.push_back(right.value());
            variance += binomial_variance(right) / 2;
        }
        ties += values[0] == values[1];
        const MeanEstimate e = mean_estimate(values, 0.95, variance);
        covered += e.interval.low <= truth && truth <= e.interval.high;
    }
    BOOST_TEST(ties > repetitions / 3);
    BOOST_TEST(covered >= 0.95 * repetitions, covered);
}

BOOST_AUTO_TEST_CASE(variances_of_other_statistics) {
    BOOST_TEST(log_odds_variance({9, 20}).value() == 1 / 9.5 + 1 / 11.5, tt::tolerance(1e-14));
    BOOST_TEST(log_odds_variance({0, 20}).value() == 2 + 1 / 20.5, tt::tolerance(1e-14));
    BOOST_TEST(!log_odds_variance({}).has_value());
    // An area of 1 over 10 and 4: the share 4 of 4.
    BOOST_TEST(area_variance_bound(1, 10, 4) == binomial_variance(Ratio{4, 4}), tt::tolerance(1e-14));
    BOOST_TEST(area_variance_bound(0.5, 4, 10) == 0.25 / 4, tt::tolerance(1e-14));
    const std::vector<double> weights = least_squares_weights(std::vector{1.0, 2.0, 6.0});
    BOOST_TEST(weights == (std::vector{-2.0 / 14, -1.0 / 14, 3.0 / 14}), tt::per_element());
    BOOST_TEST(least_squares_weights(std::vector{3.0, 3.0}).empty());
}

// 400 draws of log-normal epsilons: the median's logarithm scatters by sigma sqrt(pi / 2 / n).
BOOST_AUTO_TEST_CASE(the_variance_of_a_median) {
    constexpr int repetitions = 300;
    constexpr double sigma = 0.4;
    double mean = 0;
    for (std::uint32_t r = 0; r < repetitions; ++r) {
        std::vector<double> epsilons;
        for (std::uint32_t i = 0; i < 400; ++i)
            epsilons.push_back(0.01 * std::exp(sigma * std::sqrt(-2 * std::log(uniform(r, 3, i))) *
                                               std::cos(2 * std::acos(-1.0) * uniform(r, 4, i))));
        mean += median_log_variance(epsilons).value() / repetitions;
    }
    const double expected = sigma * sigma * std::acos(-1.0) / 2 / 400;
    BOOST_TEST(mean > expected);  // the farther of two ranks counts, and ranks are rounded away from the median
    BOOST_TEST(mean < 2 * expected);
    // Half of the images never flip: the median may as well lie at the end of the grid.
    constexpr double never = std::numeric_limits<double>::infinity();
    const double end = std::log(16.0 / 255 / 0.02);
    BOOST_TEST(median_log_variance(std::vector{0.01, 0.02, never, never}).value() == end * end, tt::tolerance(1e-6));
    BOOST_TEST(!median_log_variance(std::vector{never, never, 0.01}).has_value());
    BOOST_TEST(!median_log_variance(std::vector{0.0, 0.0, 0.01}).has_value());
}
