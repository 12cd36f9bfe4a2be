// The grid of epsilons, crossings placed by hand, and medians that count infinities.
#define BOOST_TEST_MODULE evaluate_smallest_epsilon
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/evaluate/smallest_epsilon.hpp>

using namespace skewgrad;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float no_number = std::numeric_limits<float>::quiet_NaN();
constexpr double never = std::numeric_limits<double>::infinity();

const std::vector<float> grid{0.0F, 0.01F, 0.02F, 0.04F};

double crossing(const std::vector<float>& margins) { return smallest_epsilon(margins, grid); }

}  // namespace

BOOST_AUTO_TEST_CASE(the_grid) {
    const auto g = epsilon_grid();
    BOOST_TEST(g.size() == 66u);
    BOOST_TEST(g[0] == 0.0F);
    BOOST_TEST(g[1] == 1.0F / 4000.0F);
    BOOST_TEST(g[9] == 2.0F / 4000.0F);
    BOOST_TEST(g[57] == 128.0F / 4000.0F);
    BOOST_TEST(g[65] == 16.0F / 255.0F);
    for (int k = 0; k < 64; ++k)
        BOOST_TEST(g[static_cast<std::size_t>(k) + 1] == std::exp2(k / 8.0) / 4000.0,
                   boost::test_tools::tolerance(6e-8));
    BOOST_TEST(std::exp2(64 / 8.0) / 4000.0 > 16.0 / 255.0);  // so 63 is the last k
    BOOST_CHECK_NO_THROW(check_epsilon_grid(g));
}

BOOST_AUTO_TEST_CASE(between_neighbours_the_margin_is_linear_in_log_epsilon) {
    // 3 at .01, -1 at .02: three quarters of the way in log epsilon.
    BOOST_TEST(crossing({5, 3, -1, -2}) == 0.01 * std::exp2(0.75), boost::test_tools::tolerance(1e-7));
    BOOST_TEST(crossing({5, 3, 1, -1}) == 0.02 * std::sqrt(2.0), boost::test_tools::tolerance(1e-7));
}

BOOST_AUTO_TEST_CASE(from_zero_the_margin_is_linear_in_epsilon) {
    BOOST_TEST(crossing({3, -1, -1, -1}) == 0.0075, boost::test_tools::tolerance(1e-7));
    BOOST_TEST(crossing({1, -9, -1, -1}) == 0.001, boost::test_tools::tolerance(1e-7));
}

BOOST_AUTO_TEST_CASE(a_margin_of_zero_is_the_crossing) {
    BOOST_TEST(crossing({3, 2, 0, 1}) == double{grid[2]});
    BOOST_TEST(crossing({3, 0, 1, 1}) == double{grid[1]});
}

BOOST_AUTO_TEST_CASE(wrong_without_attack_needs_no_epsilon) {
    BOOST_TEST(crossing({-1, 2, 2, 2}) == 0.0);
    BOOST_TEST(crossing({0, 2, 2, 2}) == 0.0);
}

BOOST_AUTO_TEST_CASE(none_on_the_grid_is_infinity) {
    BOOST_TEST(crossing({5, 3, 1, 0.001F}) == never);
    BOOST_TEST(smallest_epsilon(std::vector<float>{1}, std::vector<float>{0}) == never);
}

BOOST_AUTO_TEST_CASE(the_first_flip_counts_whatever_follows) {
    BOOST_TEST(crossing({3, -1, 4, -4}) == 0.0075, boost::test_tools::tolerance(1e-7));
}

BOOST_AUTO_TEST_CASE(the_crossing_lies_between_its_neighbours) {
    // Margins so uneven that rounding could leave the interval.
    BOOST_TEST(crossing({1, 1e-30F, -1e30F, 0}) == double{grid[1]});
    BOOST_TEST(crossing({1, 1e30F, -1e-30F, 0}) == double{grid[2]});
    BOOST_TEST(crossing({1e30F, -1e-30F, 0, 0}) == double{grid[1]});
    // exp(log(right / left)) is now and then a last bit too much or too little.
    const auto real = epsilon_grid();
    for (std::size_t i = 2; i < real.size(); ++i) {
        std::vector<float> late(real.size(), 1e30F), early(real.size(), 1e-30F);
        late[i] = -1e-30F;
        early[i] = -1e30F;
        BOOST_TEST((smallest_epsilon(late, real) <= double{real[i]}));
        BOOST_TEST((smallest_epsilon(early, real) >= double{real[i - 1]}));
    }
}

BOOST_AUTO_TEST_CASE(a_margin_that_is_no_number_flips) {
    for (const float bad : {no_number, -inf, inf}) {
        BOOST_TEST(crossing({5, 3, bad, 3}) == double{grid[2]});
        BOOST_TEST(crossing({bad, 3, 3, 3}) == 0.0);
        BOOST_TEST(crossing({5, 3, 3, bad}) == double{grid[3]});
    }
}

BOOST_AUTO_TEST_CASE(many_images) {
    const xt::xtensor<float, 2> margins{{3, 5, -1}, {-1, 3, 1}, {1, 1, 1}, {1, 0.5F, 1}};  // epsilons x images
    const auto all = smallest_epsilons(margins, grid);
    BOOST_TEST(all.size() == 3u);
    BOOST_TEST(all[0] == 0.0075, boost::test_tools::tolerance(1e-7));
    BOOST_TEST(all[1] == never);
    BOOST_TEST(all[2] == 0.0);
    BOOST_CHECK_THROW(smallest_epsilons(margins, std::vector<float>{0, 1}), ValueError);
}

BOOST_AUTO_TEST_CASE(grids_that_are_none) {
    const std::vector<float> two{1, 1};
    BOOST_CHECK_THROW(smallest_epsilon(two, std::vector<float>{0.1F, 0.2F}), ValueError);
    BOOST_CHECK_THROW(smallest_epsilon(two, std::vector<float>{0, 0}), ValueError);
    BOOST_CHECK_THROW(smallest_epsilon(two, std::vector<float>{0, no_number}), ValueError);
    BOOST_CHECK_THROW(smallest_epsilon(two, std::vector<float>{0, inf}), ValueError);
    BOOST_CHECK_THROW(smallest_epsilon({}, std::vector<float>{}), ValueError);
    BOOST_CHECK_THROW(smallest_epsilon(std::vector<float>{1}, std::vector<float>{0, 0.1F}), ValueError);
}

BOOST_AUTO_TEST_CASE(medians_count_infinities) {
    const auto odd = median_epsilon(std::vector<double>{0.3, never, 0.1});
    BOOST_TEST(odd.value.value() == 0.3);
    BOOST_TEST(odd.of == 3);
    BOOST_TEST(odd.infinite == 1);
    BOOST_TEST(median_epsilon(std::vector<double>{0.4, 0.1, 0.3, 0.2}).value.value() == 0.2);  // the lower middle
    BOOST_TEST(median_epsilon(std::vector<double>{0.7}).value.value() == 0.7);
    BOOST_TEST(median_epsilon(std::vector<double>{0, 0, 0.7}).value.value() == 0.0);
}

BOOST_AUTO_TEST_CASE(medians_of_more_than_half_infinities_are_undefined) {
    const auto half = median_epsilon(std::vector<double>{never, 0.1, never, 0.3});
    BOOST_TEST(half.value.value() == 0.3);
    const auto more = median_epsilon(std::vector<double>{never, never, 0.1});
    BOOST_TEST(!more.value.has_value());
    BOOST_TEST(more.of == 3);
    BOOST_TEST(more.infinite == 2);
    BOOST_TEST(!median_epsilon(std::vector<double>{never, never}).value.has_value());
    BOOST_TEST(!median_epsilon({}).value.has_value());
    BOOST_CHECK_THROW(median_epsilon(std::vector<double>{0.1, std::nan("")}), ValueError);
    BOOST_CHECK_THROW(median_epsilon(std::vector<double>{-0.1}), ValueError);
}
