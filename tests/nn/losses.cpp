// Cross-entropy: its value and slope where f32 would lose them, at ties, and against differences.
#define BOOST_TEST_MODULE nn_losses
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <skewgrad/nn/losses.hpp>
#include <vector>

#include "nn/cross_entropy.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

const auto near = [](double tolerance) { return boost::test_tools::tolerance(tolerance); };

BOOST_AUTO_TEST_CASE(the_value_is_log_sum_exp_minus_the_label) {
    const std::array z{0.5, -1.0, 2.0};
    const double sum = std::exp(0.5) + std::exp(-1.0) + std::exp(2.0);
    for (int y = 0; y < 3; ++y)
        BOOST_TEST(CrossEntropyOfRow::value(z.data(), 3, Label(y)) == std::log(sum) - z[static_cast<std::size_t>(y)],
                   near(1e-14));
}

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope) {
    const std::array z{0.5, -1.0, 2.0, 1.9};
    for (int y = 0; y < 4; ++y) {
        std::array<double, 4> dz{};
        const double loss = CrossEntropyOfRow::gradient(z.data(), 4, Label(y), 1, dz.data());
        BOOST_TEST(loss == CrossEntropyOfRow::value(z.data(), 4, Label(y)));
        double sum = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            auto up = z, down = z;
            up[k] += 1e-5;
            down[k] -= 1e-5;
            const double slope = (CrossEntropyOfRow::value(up.data(), 4, Label(y)) -
                                  CrossEntropyOfRow::value(down.data(), 4, Label(y))) /
                                 2e-5;
            BOOST_TEST(dz[k] == slope, near(1e-8));
            sum += dz[k];
        }
        BOOST_TEST(std::abs(sum) < 1e-15);
    }
}

BOOST_AUTO_TEST_CASE(scale_multiplies_the_gradient_not_the_loss) {
    const std::array z{0.5f, -1.0f, 2.0f};
    std::array<float, 3> one{}, half{};
    const double loss = CrossEntropyOfRow::gradient(z.data(), 3, Label{1}, 1, one.data());
    BOOST_TEST(CrossEntropyOfRow::gradient(z.data(), 3, Label{1}, 0.5, half.data()) == loss);
    for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(half[k] == 0.5f * one[k]);
}

// An attack needs the sign only: a network that is sure of itself must not turn it to zero.
BOOST_AUTO_TEST_CASE(at_a_margin_of_30_the_signs_in_f32_are_those_in_f64) {
    for (const double margin : {10.0, 17.0, 30.0, 80.0}) {
        const std::array wide{margin, 0.0, -1.0, 3.0};
        std::array<float, 4> narrow{};
        for (std::size_t k = 0; k < 4; ++k) narrow[k] = static_cast<float>(wide[k]);
        for (int y = 0; y < 4; ++y) {
            std::array<double, 4> slow{};
            std::array<float, 4> fast{};
            CrossEntropyOfRow::gradient(wide.data(), 4, Label(y), 1, slow.data());
            CrossEntropyOfRow::gradient(narrow.data(), 4, Label(y), 1, fast.data());
            for (std::size_t k = 0; k < 4; ++k) {
                BOOST_TEST(fast[k] != 0);
                BOOST_TEST(std::signbit(fast[k]) == std::signbit(slow[k]));
                BOOST_TEST(fast[k] == static_cast<float>(slow[k]), near(1e-6));
            }
            BOOST_TEST(CrossEntropyOfRow::value(narrow.data(), 4, Label(y)) ==
                           CrossEntropyOfRow::value(wide.data(), 4, Label(y)),
                       near(1e-12));
        }
    }
}

BOOST_AUTO_TEST_CASE(large_logits_neither_overflow_nor_vanish) {
    const std::array up{1e4f, 1e4f - 1, -1e4f};
    const double expected = std::log(1 + std::exp(-1.0));
    BOOST_TEST(CrossEntropyOfRow::value(up.data(), 3, Label{0}) == expected, near(1e-12));
    BOOST_TEST(CrossEntropyOfRow::value(up.data(), 3, Label{1}) == expected + 1, near(1e-12));
    BOOST_TEST(CrossEntropyOfRow::value(up.data(), 3, Label{2}) == expected + 2e4, near(1e-12));
    const std::array down{-1e4f, -1e4f - 1, -3e4f};
    BOOST_TEST(CrossEntropyOfRow::value(down.data(), 3, Label{0}) == expected, near(1e-12));
    std::array<float, 3> dz{};
    CrossEntropyOfRow::gradient(up.data(), 3, Label{2}, 1, dz.data());
    BOOST_TEST(dz[2] == -1);
    BOOST_TEST(dz[0] == static_cast<float>(1 / (1 + std::exp(-1.0))), near(1e-6));
    // Beyond f32's own range of exponentials, and at the largest numbers.
    const float most = std::numeric_limits<float>::max();
    const std::array far{most, 0.0f, -most};
    BOOST_TEST(CrossEntropyOfRow::value(far.data(), 3, Label{0}) == 0);
    BOOST_TEST(CrossEntropyOfRow::value(far.data(), 3, Label{2}) == 2.0 * most, near(1e-12));
}

BOOST_AUTO_TEST_CASE(ties_share_the_probability) {
    for (const float level : {0.0f, -7.0f, 1e4f}) {
        const std::array<float, 4> z{level, level, level, level};
        std::array<float, 4> dz{};
        BOOST_TEST(CrossEntropyOfRow::gradient(z.data(), 4, Label{3}, 1, dz.data()) == std::log(4.0), near(1e-14));
        for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(dz[k] == 0.25f);
        BOOST_TEST(dz[3] == -0.75f);
    }
}

BOOST_AUTO_TEST_CASE(a_logit_that_is_no_number_shows) {
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    for (std::size_t at = 0; at < 3; ++at)
        for (int y = 0; y < 3; ++y) {
            std::array z{0.0f, 1.0f, 2.0f};
            z[at] = nan;
            BOOST_TEST(!std::isfinite(CrossEntropyOfRow::value(z.data(), 3, Label(y))));
            z[at] = inf;
            BOOST_TEST(!std::isfinite(CrossEntropyOfRow::value(z.data(), 3, Label(y))));
        }
}

}  // namespace
