// Intervals hold the truth as often as they say: simulated from laws whose truth is known, with fixed seeds.
#define BOOST_TEST_MODULE evaluate_coverage
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include <skewgrad/core/random.hpp>
#include <skewgrad/evaluate/crossed_bootstrap.hpp>
#include <skewgrad/evaluate/sign_flip.hpp>
#include <skewgrad/evaluate/student_t.hpp>

using namespace skewgrad;

namespace {

// A standard normal number, a function of where it is used (Box and Muller 1958).
double normal(std::uint32_t repetition, std::uint32_t what, std::uint32_t which) {
    const Words w = draw({.seed = Seed{11}, .purpose = Purpose::noise, .item = repetition, .epoch = what}, which);
    const double u = (w[0] + 0.5) / 4294967296.0, v = w[1] / 4294967296.0;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

// 4 standard errors of a share near `p` over `n` repetitions.
double slack(double p, int n) { return 4 * std::sqrt(p * (1 - p) / n); }

}  // namespace

BOOST_AUTO_TEST_CASE(t_intervals_cover_at_any_number_of_seeds) {
    constexpr int repetitions = 4000;
    constexpr double truth = 0.7;
    for (const std::size_t seeds : {2u, 3u, 6u, 10u}) {
        int covered = 0, predicted = 0, rejected = 0;
        for (std::uint32_t r = 0; r < repetitions; ++r) {
            std::vector<double> values(seeds), null(seeds);
            for (std::uint32_t s = 0; s < seeds; ++s) {
                null[s] = 2 * normal(r, 1, s);
                values[s] = truth + null[s];
            }
            const MeanEstimate e = mean_estimate(values);
            covered += e.interval.low <= truth && truth <= e.interval.high;
            const double next = truth + 2 * normal(r, 2, 0);
            predicted += e.prediction.low <= next && next <= e.prediction.high;
            rejected += mean_estimate(null).p < 0.05;
        }
        BOOST_TEST(std::abs(covered / double(repetitions) - 0.95) < slack(0.95, repetitions), seeds << ": " << covered);
        BOOST_TEST(std::abs(predicted / double(repetitions) - 0.95) < slack(0.95, repetitions),
                   seeds << ": " << predicted);
        BOOST_TEST(std::abs(rejected / double(repetitions) - 0.05) < slack(0.05, repetitions),
                   seeds << ": " << rejected);
    }
}

BOOST_AUTO_TEST_CASE(sign_flips_reject_the_null_no_more_often_than_they_say) {
    constexpr int repetitions = 4000;
    int rejected = 0;
    for (std::uint32_t r = 0; r < repetitions; ++r) {
        std::vector<double> values(6);
        for (std::uint32_t s = 0; s < 6; ++s) values[s] = normal(r, 3, s);
        rejected += sign_flip_p(values) < 0.05;
    }
    // Of 6 values only the smallest p, 1/32, is below .05.
    BOOST_TEST(std::abs(rejected / double(repetitions) - 1.0 / 32) < slack(1.0 / 32, repetitions), rejected);
}

namespace {

// Seeds and images both scatter: value(s, i) = truth + seed's + image's + their own. How often the crossed bootstrap's
// percentiles hold the truth of the mean.
double crossed_coverage(std::size_t seeds, double seed_scatter, double image_scatter, int repetitions) {
    constexpr std::size_t images = 40;
    constexpr double truth = 0.3;
    int covered = 0;
    for (int r = 0; r < repetitions; ++r) {
        const auto repetition = static_cast<std::uint32_t>(r);
        std::vector<std::vector<double>> values(seeds, std::vector<double>(images));
        for (std::uint32_t s = 0; s < seeds; ++s)
            for (std::uint32_t i = 0; i < images; ++i)
                values[s][i] = truth + seed_scatter * normal(repetition, 4, s) +
                               image_scatter * normal(repetition, 5, i) + 0.2 * normal(repetition, 6 + s, i);
        const std::array<std::size_t, 1> sizes{images};
        const CrossedBootstrap b = crossed_bootstrap(seeds, sizes,
                                                     [&](const CrossedDraw& draw) {
                                                         double sum = 0;
                                                         for (const auto s : draw.blocks)
                                                             for (const auto i : draw.images[0]) sum += values[s][i];
                                                         return sum / static_cast<double>(seeds * images);
                                                     },
                                                     {.draws = 200, .seed = Seed{static_cast<std::uint64_t>(r)}});
        covered += b.interval.low <= truth && truth <= b.interval.high;
    }
    return covered / double(repetitions);
}

}  // namespace

// Its percentiles hold where images scatter, which an interval over seeds cannot see; over six seeds that scatter they
// are too narrow, which is why they decide nothing.
BOOST_AUTO_TEST_CASE(crossed_bootstrap_covers_images_but_not_a_handful_of_seeds) {
    const double of_images = crossed_coverage(6, 0.0, 1.0, 400);
    BOOST_TEST((of_images > 0.89 && of_images < 0.99), of_images);
    const double of_both = crossed_coverage(20, 0.3, 1.0, 300);
    BOOST_TEST((of_both > 0.88 && of_both < 0.99), of_both);
    const double of_few_seeds = crossed_coverage(3, 1.0, 0.1, 400);
    BOOST_TEST((of_few_seeds > 0.62 && of_few_seeds < 0.85), of_few_seeds);
}

BOOST_AUTO_TEST_CASE(crossed_draws_share_images_and_depend_on_their_number_only) {
    const std::array<std::size_t, 2> images{7, 3};
    const CrossedDraw one = bootstrap::crossed_draw(4, images, Seed{5}, 17);
    const CrossedDraw again = bootstrap::crossed_draw(4, images, Seed{5}, 17);
    BOOST_TEST(one.blocks == again.blocks, boost::test_tools::per_element());
    BOOST_TEST(one.blocks.size() == 4u);
    BOOST_TEST(one.images[0] == again.images[0], boost::test_tools::per_element());
    BOOST_TEST(one.images[1].size() == 3u);
    std::array<int, 7> counts{};
    for (int number = 0; number < 1000; ++number) {
        const CrossedDraw drawn = bootstrap::crossed_draw(4, images, Seed{5}, number);
        for (const auto i : drawn.images[0]) ++counts.at(i);
    }
    for (const int count : counts) BOOST_TEST(std::abs(count - 1000) < 130, count);  // over 4 standard deviations
    const auto zero = [](const CrossedDraw&) { return 0.0; };
    BOOST_CHECK_THROW(crossed_bootstrap(0, images, zero), ValueError);
    BOOST_CHECK_THROW(crossed_bootstrap(1, images, zero, {.draws = 1}), ValueError);
    const std::array<std::size_t, 2> empty{7, 0};
    BOOST_CHECK_THROW(crossed_bootstrap(1, empty, zero), ValueError);
}

BOOST_AUTO_TEST_CASE(undefined_draws_leave_the_sample) {
    const std::array<std::size_t, 1> images{4};
    int calls = 0;
    const CrossedBootstrap b = crossed_bootstrap(
        2, images, [&](const CrossedDraw&) { return ++calls % 4 == 0 ? std::nan("")
                                                    : calls % 2 == 0 ? 1.0
                                                                     : 3.0; },
        {.draws = 400});
    BOOST_TEST(b.draws == 300);
    BOOST_TEST(b.interval.low == 1);
    BOOST_TEST(b.interval.high == 3);
    BOOST_TEST(b.standard_error == std::sqrt(8.0 / 9 * 300 / 299), boost::test_tools::tolerance(1e-12));
}
