// Wilson's interval and McNemar's exact test against published values and against sums of exact binomials.
#define BOOST_TEST_MODULE evaluate_intervals
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include <skewgrad/evaluate/intervals.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/evaluate/paired.hpp>

using namespace skewgrad;
namespace tt = boost::test_tools;

BOOST_AUTO_TEST_CASE(z_of_the_usual_levels) {
    BOOST_TEST(normal_z(0.90) == 1.6448536269514722, tt::tolerance(1e-14));
    BOOST_TEST(normal_z(0.95) == 1.959963984540054, tt::tolerance(1e-14));
    BOOST_TEST(normal_z(0.99) == 2.5758293035489004, tt::tolerance(1e-14));
    BOOST_TEST(normal_z(0.6826894921370859) == 1.0, tt::tolerance(1e-14));
    for (const double bad : {0.0, 1.0, -0.5, 95.0, std::nan("")}) BOOST_CHECK_THROW(normal_z(bad), ValueError);
}

// Newcombe 1998 ("Two-sided confidence intervals for the single proportion"), table I, method 3: 4 decimals.
BOOST_AUTO_TEST_CASE(wilson_as_newcombe_tabulates_it) {
    struct Row {
        std::int64_t hits, of;
        double low, high;
    };
    for (const Row r :
         {Row{81, 263, .2553, .3662}, Row{15, 148, .0624, .1605}, Row{0, 20, .0000, .1611}, Row{1, 29, .0061, .1718}}) {
        const Interval i = wilson_interval({r.hits, r.of});
        BOOST_TEST(std::abs(i.low - r.low) <= 0.00005, r.hits << " of " << r.of << ": " << i.low);
        BOOST_TEST(std::abs(i.high - r.high) <= 0.00005, r.hits << " of " << r.of << ": " << i.high);
    }
}

BOOST_AUTO_TEST_CASE(wilson_to_all_digits) {
    BOOST_TEST(wilson_interval({5, 10}).low == 0.236593090512564, tt::tolerance(1e-13));
    BOOST_TEST(wilson_interval({5, 10}).high == 0.763406909487436, tt::tolerance(1e-13));
    BOOST_TEST(wilson_interval({110, 1000}).low == 0.0920793726718571, tt::tolerance(1e-13));
    BOOST_TEST(wilson_interval({110, 1000}).high == 0.1309054989468759, tt::tolerance(1e-13));
    BOOST_TEST(wilson_interval({5, 10}, 0.99).low == 0.1842255182472355, tt::tolerance(1e-13));
}

BOOST_AUTO_TEST_CASE(wilson_at_the_ends) {
    const Interval none = wilson_interval({0, 10}), all = wilson_interval({10, 10});
    BOOST_TEST(none.low == 0.0);
    BOOST_TEST(none.high == 0.2775327998628892, tt::tolerance(1e-13));
    BOOST_TEST(all.high == 1.0);
    BOOST_TEST(all.low == 1 - 0.2775327998628892, tt::tolerance(1e-13));
    for (std::int64_t n = 1; n <= 300; ++n) {  // exactly, whatever the rounding
        BOOST_TEST(wilson_interval({0, n}).low == 0.0);
        BOOST_TEST(wilson_interval({n, n}).high == 1.0);
    }
    BOOST_TEST((wilson_interval({0, 0}) == Interval{0, 1}));
    BOOST_CHECK_THROW(wilson_interval({3, 2}), ValueError);
    BOOST_CHECK_THROW(wilson_interval({-1, 2}), ValueError);
    BOOST_CHECK_THROW(wilson_interval({1, 2}, 95), ValueError);
    BOOST_CHECK_THROW(wilson_interval({0, 0}, 95), ValueError);
}

// Its level is what it says: the share of binomial outcomes whose interval holds the truth is near 95 % on average.
BOOST_AUTO_TEST_CASE(wilson_covers) {
    double covered = 0;
    int truths = 0;
    constexpr int n = 60;
    for (double p = 0.05; p < 0.951; p += 0.01, ++truths) {
        double mass = std::pow(1 - p, n);
        for (int k = 0; k <= n; ++k) {
            const Interval i = wilson_interval({k, n});
            if (i.low <= p && p <= i.high) covered += mass;
            mass *= (n - k) * p / ((k + 1) * (1 - p));
        }
    }
    BOOST_TEST((covered / truths > 0.945 && covered / truths < 0.96), "average coverage " << covered / truths);
}

// Expected: 2 sum C(n, i) / 2^n in exact rational arithmetic.
BOOST_AUTO_TEST_CASE(mcnemar_exactly) {
    struct Row {
        std::int64_t b, c;
        double p;
    };
    for (const Row r :
         {Row{0, 5, 0.0625}, Row{1, 9, 0.021484375}, Row{5, 15, 0.04138946533203125}, Row{10, 25, 0.01667384780012071},
          Row{121, 59, 4.434449263755176e-06}, Row{7, 8, 1.0}, Row{0, 1, 1.0}, Row{300, 420, 8.807756168615078e-06},
          Row{3000, 3300, 0.00016475607669748032}, Row{0, 1000, 1.8665272370064378e-301}}) {
        BOOST_TEST(mcnemar_p(r.b, r.c) == r.p, tt::tolerance(1e-11));
        BOOST_TEST(mcnemar_p(r.c, r.b) == mcnemar_p(r.b, r.c));
    }
}

BOOST_AUTO_TEST_CASE(mcnemar_without_disagreement) {
    BOOST_TEST(mcnemar_p(0, 0) == 1.0);
    BOOST_TEST(mcnemar_p(12, 12) == 1.0);
    BOOST_TEST(mcnemar_p(0, 100'000) == 0.0);  // below the smallest double
    BOOST_CHECK_THROW(mcnemar_p(-1, 3), ValueError);
}

BOOST_AUTO_TEST_CASE(mcnemar_of_two_lists) {
    const std::vector<Label> truth(9, Label{1});
    std::vector<Prediction> first(9, Prediction{1}), second(9, Prediction{0});
    first[7] = Prediction{2}, second[7] = Prediction{1};  // only the second
    first[8] = Prediction{0}, second[8] = Prediction{3};  // both wrong, differently: agreement about being right
    second[6] = Prediction{1};                            // both right
    const PairedTest test = mcnemar(truth, first, second);
    BOOST_TEST(test.only_first == 6);
    BOOST_TEST(test.only_second == 1);
    BOOST_TEST(test.of == 9);
    BOOST_TEST(test.p == 0.125, tt::tolerance(1e-14));  // 2 (1 + 7) / 128
    first[0] = no_prediction;
    BOOST_TEST(mcnemar(truth, first, second).only_first == 5);
    first.pop_back();
    BOOST_CHECK_THROW(mcnemar(truth, first, second), ValueError);
    BOOST_CHECK_THROW(mcnemar(truth, second, first), ValueError);
}
