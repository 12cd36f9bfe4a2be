// The order of an epoch: a permutation keyed on the image, shared by lists that share images; copies and flips.
#define BOOST_TEST_MODULE data_batches
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include <skewgrad/data/batches.hpp>

#include "data/files.hpp"

using namespace skewgrad;
using skewgrad_tests::says;

namespace {

std::vector<std::uint32_t> first(std::uint32_t n) {
    std::vector<std::uint32_t> items(n);
    std::iota(items.begin(), items.end(), 0u);
    return items;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_epoch_visits_every_entry_once) {
    const std::vector<std::uint32_t> items{5, 2, 9, 2, 2, 7};
    auto order = epoch_order(items, Seed{1}, 0);
    std::sort(order.begin(), order.end());
    const std::vector<Pick> wanted{{2, 0}, {2, 1}, {2, 2}, {5, 0}, {7, 0}, {9, 0}};
    BOOST_CHECK(order == wanted);
    BOOST_TEST(epoch_order({}, Seed{1}, 0).empty());
}

BOOST_AUTO_TEST_CASE(it_is_sorted_by_draw_item_copy) {
    const auto order = epoch_order(first(500), Seed{21}, 3);
    const auto key = [](Pick p) {
        return draw_long(Stream{.seed = Seed{21},
                                .purpose = Purpose::order,
                                .item = p.item,
                                .epoch = 3,
                                .copy = static_cast<std::uint8_t>(p.copy)});
    };
    BOOST_TEST(std::is_sorted(order.begin(), order.end(), [&](Pick a, Pick b) { return key(a) < key(b); }));
}

BOOST_AUTO_TEST_CASE(shared_images_keep_their_relative_order) {
    const auto all = first(1000);
    std::vector<std::uint32_t> some;
    for (std::uint32_t i = 0; i < 1000; i += 3) some.push_back(i);
    auto expected = epoch_order(all, Seed{4}, 17);
    std::erase_if(expected, [](Pick p) { return p.item % 3 != 0; });
    BOOST_CHECK(epoch_order(some, Seed{4}, 17) == expected);

    // Replicating some images adds visits between those that were there.
    std::vector<std::uint32_t> replicated = all;
    for (std::uint32_t i = 0; i < 1000; i += 7) replicated.insert(replicated.end(), {i, i});
    auto originals = epoch_order(replicated, Seed{4}, 17);
    BOOST_TEST(originals.size() == 1000u + 2 * 143u);
    std::erase_if(originals, [](Pick p) { return p.copy != 0; });
    BOOST_CHECK(originals == epoch_order(all, Seed{4}, 17));
    // The list's own order does not matter.
    std::reverse(replicated.begin(), replicated.end());
    auto again = epoch_order(replicated, Seed{4}, 17);
    std::erase_if(again, [](Pick p) { return p.copy != 0; });
    BOOST_CHECK(again == originals);
}

BOOST_AUTO_TEST_CASE(epochs_and_seeds_give_unrelated_orders) {
    const auto items = first(2000);
    const auto order = epoch_order(items, Seed{1}, 0);
    for (const auto& other : {epoch_order(items, Seed{1}, 1), epoch_order(items, Seed{2}, 0)}) {
        BOOST_CHECK(other != order);
        // Spearman's rank correlation of two random orders: deviation 1 / sqrt(n - 1) = .022.
        std::vector<double> a(2000), b(2000);
        for (std::size_t i = 0; i < 2000; ++i) a[order[i].item] = b[other[i].item] = static_cast<double>(i);
        double product = 0;
        for (std::size_t i = 0; i < 2000; ++i) product += (a[i] - 999.5) * (b[i] - 999.5);
        BOOST_TEST(std::abs(product / (2000.0 * (2000.0 * 2000.0 - 1) / 12)) < 0.1);
    }
    BOOST_CHECK_EXCEPTION(epoch_order(items, Seed{1}, 1u << 24), ValueError, says({"16777216", "24 bits"}));
}

BOOST_AUTO_TEST_CASE(copies_are_numbered_without_end_and_draw_apart) {
    const std::vector<std::uint32_t> twice{3, 1, 3};
    BOOST_CHECK(numbered(twice) == (std::vector<Pick>{{3, 0}, {1, 0}, {3, 1}}));
    const std::vector<std::uint32_t> many(70'000, 6);
    BOOST_TEST(numbered(many).back().copy == 69'999u);
    std::set<std::pair<std::uint64_t, std::uint32_t>> streams;
    for (const std::uint32_t copy : {0u, 1u, 255u, 256u, 257u, 511u, 512u, 65'536u, 69'999u}) {
        const Stream s = stream_of(Seed{9}, Purpose::flip, {6, copy}, 5);
        BOOST_TEST((copy < 256) == (s.seed == Seed{9}));
        BOOST_TEST(streams.emplace(s.seed.value, s.copy).second);
    }
    int mirrored = 0;
    for (std::uint32_t copy = 256; copy < 1256; ++copy) mirrored += flipped(Seed{9}, {6, copy}, 5);
    BOOST_TEST(std::abs(mirrored - 500) < 80);  // five standard deviations
}

BOOST_AUTO_TEST_CASE(half_the_visits_are_mirrored_each_by_itself) {
    int mirrored = 0, changes_with_epoch = 0, changes_with_copy = 0, changes_with_seed = 0;
    for (std::uint32_t item = 0; item < 4000; ++item) {
        const bool here = flipped(Seed{9}, {item, 0}, 5);
        mirrored += here;
        changes_with_epoch += here != flipped(Seed{9}, {item, 0}, 6);
        changes_with_copy += here != flipped(Seed{9}, {item, 1}, 5);
        changes_with_seed += here != flipped(Seed{8}, {item, 0}, 5);
        const Stream stream{.seed = Seed{9}, .purpose = Purpose::flip, .item = item, .epoch = 5};
        BOOST_TEST(here == ((draw_word(stream, 0) & 0x80000000u) != 0));
    }
    // Deviation 32: within five of them.
    for (const int count : {mirrored, changes_with_epoch, changes_with_copy, changes_with_seed})
        BOOST_TEST(std::abs(count - 2000) < 160);
}
