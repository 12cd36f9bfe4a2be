// The generator against published values, and what a stream's draws promise: places in the counter, bounds, grids.
#define BOOST_TEST_MODULE core_random
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include <skewgrad/core/random.hpp>

using namespace skewgrad;

namespace {

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

/// The stream whose key and counter (but for `block`, its first word) are these.
Stream stream_of(std::uint64_t key, std::uint32_t second, std::uint32_t third, std::uint32_t fourth) {
    return {.seed = Seed{key},
            .purpose = static_cast<Purpose>(fourth >> 16),
            .node = static_cast<std::uint16_t>(fourth),
            .item = second,
            .epoch = third >> 8,
            .copy = static_cast<std::uint8_t>(third)};
}

}  // namespace

// Known answers of philox4x32-10 by its authors (Random123, kat_vectors): they fix where each field stands, too.
BOOST_AUTO_TEST_CASE(known_answers) {
    BOOST_TEST(draw(stream_of(0, 0, 0, 0), 0) == (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}),
               boost::test_tools::per_element());
    BOOST_TEST(draw(stream_of(all_ones, 0xffffffff, 0xffffffff, 0xffffffff), 0xffffffff) ==
                   (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}),
               boost::test_tools::per_element());
    // Counter and key are digits of pi.
    BOOST_TEST(draw(stream_of(0x299f31d0a4093822, 0x85a308d3, 0x13198a2e, 0x03707344), 0x243f6a88) ==
                   (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_field_makes_another_stream) {
    const Stream plain{.seed = Seed{3}, .purpose = Purpose::order, .node = 1, .item = 2, .epoch = 4, .copy = 5};
    std::vector<Stream> streams(7, plain);
    streams[1].seed.value ^= std::uint64_t{1} << 40;
    streams[2].purpose = Purpose::flip;
    streams[3].node = 2;
    streams[4].item = 3;
    streams[5].epoch = 5;
    streams[6].copy = 6;
    std::set<Words> seen;
    for (const Stream& s : streams) seen.insert(draw(s, 0));
    seen.insert(draw(plain, 1));
    BOOST_TEST(seen.size() == 8u);
}

BOOST_AUTO_TEST_CASE(words_and_long_draws_are_parts_of_blocks) {
    const Stream s{.seed = Seed{9}, .purpose = Purpose::noise};
    for (std::uint32_t i = 0; i < 12; ++i) BOOST_TEST(draw_word(s, i) == draw(s, i / 4)[i % 4]);
    const Words w = draw(s, 6);
    BOOST_TEST(draw_long(s, 6) == (w[0] | static_cast<std::uint64_t>(w[1]) << 32));
}

BOOST_AUTO_TEST_CASE(uniform_numbers_lie_on_their_grid_and_below_one) {
    static_assert(uniform(0) == 0.0f && uniform(255) == 0.0f && uniform(256) == 0x1p-24f);
    static_assert(uniform(0xffffffff) == 1.0f - 0x1p-24f && uniform(0x80000000) == 0.5f);
    double mean = 0;
    constexpr std::uint32_t n = 40000;
    for (std::uint32_t i = 0; i < n; ++i) mean += uniform(draw_word({.seed = Seed{1}}, i)) / n;
    BOOST_TEST(std::abs(mean - 0.5) < 5 * 0.289 / 200);  // five deviations of the mean of n
}

BOOST_AUTO_TEST_CASE(whole_numbers_below_a_bound) {
    for (const std::uint64_t bound : {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{60000}, all_ones}) {
        BOOST_TEST(uniform_below(0, bound) == 0u);
        BOOST_TEST(uniform_below(all_ones, bound) == bound - 1);
    }
    std::array<int, 7> counts{};
    for (std::uint32_t i = 0; i < 7000; ++i) ++counts[uniform_below(draw_long({.seed = Seed{2}}, i), 7)];
    for (const int count : counts) BOOST_TEST(std::abs(count - 1000) < 5 * 29.3);
}
