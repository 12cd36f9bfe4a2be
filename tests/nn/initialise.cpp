// Initial weights: limits and laws, which word of which stream each element is, the same for every element type.
#define BOOST_TEST_MODULE nn_initialise
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <skewgrad/nn/initialise.hpp>
#include <span>
#include <vector>

using namespace skewgrad;

namespace {

struct Net : Network<Image<3, 8, 8>, Conv<40, 5>, Relu, Conv<30, 3, 1, Padding::same, Initial::he_normal>, Dense<11>> {
};
constexpr std::size_t first = 40 * 3 * 25, second = 30 * 40 * 9, dense = 11 * 30 * 64;
constexpr std::size_t second_at = first + 40, dense_at = second_at + second + 30;
static_assert(dense_at + dense + 11 == Net::state_size);

template <class S>
std::vector<S> weights(Seed seed) {
    std::vector<S> all(Net::state_size, S(7));
    initialise<Net, S>(seed, all);
    return all;
}

struct Moments {
    double mean = 0, deviation = 0, least = 0, most = 0;
};
Moments moments(std::span<const float> values) {
    const auto n = static_cast<double>(values.size());
    Moments m;
    for (const float v : values) m.mean += v / n;
    for (const float v : values) m.deviation += (v - m.mean) * (v - m.mean) / n;
    m.deviation = std::sqrt(m.deviation);
    m.least = *std::min_element(values.begin(), values.end());
    m.most = *std::max_element(values.begin(), values.end());
    return m;
}

BOOST_AUTO_TEST_CASE(glorot_fills_its_interval_evenly) {
    const auto all = weights<float>(Seed{5});
    const auto fills = [&](std::size_t at, std::size_t size, double fans) {
        const Moments m = moments(std::span(all).subspan(at, size));
        const double limit = std::sqrt(6 / fans);
        BOOST_TEST(m.most <= limit * (1 + 1e-7));
        BOOST_TEST(m.least >= -limit * (1 + 1e-7));
        BOOST_TEST(m.most > 0.99 * limit);
        BOOST_TEST(m.least < -0.99 * limit);
        // A uniform law's deviation is limit / sqrt(3); five deviations of the estimates.
        const double deviation = limit / std::sqrt(3.0), n = std::sqrt(static_cast<double>(size));
        BOOST_TEST(std::abs(m.mean) < 5 * deviation / n);
        BOOST_TEST(std::abs(m.deviation / deviation - 1) < 5 * std::sqrt(0.2) / n);
    };
    fills(0, first, 3 * 25 + 40 * 25);
    fills(dense_at, dense, 30 * 64 + 11);
}

BOOST_AUTO_TEST_CASE(he_is_normal) {
    const auto all = weights<float>(Seed{5});
    const auto values = std::span<const float>(all).subspan(second_at, second);
    const Moments m = moments(values);
    const double deviation = std::sqrt(2.0 / (40 * 9)), n = std::sqrt(static_cast<double>(second));
    BOOST_TEST(std::abs(m.mean) < 5 * deviation / n);
    BOOST_TEST(std::abs(m.deviation / deviation - 1) < 5 * std::sqrt(0.5) / n);
    BOOST_TEST(m.most > 3.3 * deviation);
    // The share within one deviation is 0.6827, within two 0.9545.
    const auto within = [&](double d) {
        return static_cast<double>(
                   std::count_if(values.begin(), values.end(), [&](float v) { return std::abs(v) < d * deviation; })) /
               static_cast<double>(second);
    };
    BOOST_TEST(std::abs(within(1) - 0.6827) < 5 * std::sqrt(0.6827 * 0.3173) / n);
    BOOST_TEST(std::abs(within(2) - 0.9545) < 5 * std::sqrt(0.9545 * 0.0455) / n);
}

BOOST_AUTO_TEST_CASE(biases_are_zero) {
    const auto all = weights<float>(Seed{5});
    for (const auto& [at, size] : {std::pair(first, 40), {second_at + second, 30}, {dense_at + dense, 11}})
        for (int i = 0; i < size; ++i) BOOST_TEST(all[at + static_cast<std::size_t>(i)] == 0);
}

// Element e is word e of the stream of its node and tensor; a normal element has a block of its own.
BOOST_AUTO_TEST_CASE(each_element_is_a_word_of_its_stream) {
    const Seed seed{0x123456789abcdef0};
    const auto all = weights<float>(seed);
    const Stream first_layer{.seed = seed, .purpose = Purpose::initial_weights, .node = 1, .item = 0};
    const auto limit = static_cast<float>(std::sqrt(6.0 / (3 * 25 + 40 * 25)));
    for (const std::uint32_t e : {0u, 1u, 5u, 1234u, static_cast<std::uint32_t>(first - 1)}) {
        const float u = static_cast<float>(draw(first_layer, e / 4)[e % 4] >> 8) / 16777216.0f;
        BOOST_TEST(all[e] == (2 * u - 1) * limit);
    }
    const Stream second_layer{.seed = seed, .purpose = Purpose::initial_weights, .node = 3, .item = 0};
    for (const std::uint32_t e : {0u, 1u, 777u}) {
        const Words w = draw(second_layer, e);
        const double u = (w[0] >> 8) / 16777216.0, v = (w[1] >> 8) / 16777216.0;
        const double z = std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * std::numbers::pi * v);
        BOOST_TEST(all[second_at + e] == static_cast<float>(std::sqrt(2.0 / 360) * z),
                   boost::test_tools::tolerance(1e-6f));
    }
}

BOOST_AUTO_TEST_CASE(all_element_types_start_from_the_same_numbers) {
    const auto narrow = weights<float>(Seed{9});
    const auto wide = weights<double>(Seed{9});
    for (std::size_t i = 0; i < narrow.size(); ++i) BOOST_REQUIRE(static_cast<double>(narrow[i]) == wide[i]);
    BOOST_TEST((weights<float>(Seed{9}) == narrow));
    BOOST_TEST((weights<float>(Seed{10}) != narrow));
}

// Two tensors of one layer draw from two streams.
struct Twice {
    static constexpr Parameters<2> parameters(Shape) {
        return {Parameter{"a", {6, 1, 1, 1}, Role::trainable, Initial::glorot_uniform, 3, 3},
                Parameter{"b", {6, 1, 1, 1}, Role::trainable, Initial::glorot_uniform, 3, 3}};
    }
};
BOOST_AUTO_TEST_CASE(tensors_of_a_layer_differ) {
    std::vector<float> all(12);
    initialise<Network<Image<1, 1, 1>, Twice>, float>(Seed{2}, all);
    for (std::size_t i = 0; i < 6; ++i) BOOST_TEST(all[i] != all[6 + i]);
}

}  // namespace
