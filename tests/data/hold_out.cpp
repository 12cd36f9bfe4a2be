// Hold-out: stratified, seeded by item, disjoint and complete; the last of the file; and what is refused.
#define BOOST_TEST_MODULE data_hold_out
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <skewgrad/data/hold_out.hpp>

#include "data/files.hpp"

using namespace skewgrad;
using skewgrad_tests::says;

namespace {

// n images of one byte, class i * i % 5: classes 0, 1 and 4 only, of unequal size.
TrainingData squares(int n) {
    std::vector<Label> labels;
    for (int i = 0; i < n; ++i) labels.push_back(Label{static_cast<std::uint16_t>(i * i % 5)});
    return TrainingData(make_store("squares", {1, 1, 1}, std::vector<std::uint8_t>(static_cast<std::size_t>(n)),
                                   std::move(labels), {"a", "b", "c", "d", "e"}));
}
// n images in three classes by turns.
TrainingData thirds(int n) {
    std::vector<Label> labels;
    for (int i = 0; i < n; ++i) labels.push_back(Label{static_cast<std::uint16_t>(i % 3)});
    return TrainingData(
        make_store("thirds", {1, 1, 1}, std::vector<std::uint8_t>(static_cast<std::size_t>(n)), std::move(labels)));
}

void check_divided(const TrainingData& whole, const Parts& parts) {
    BOOST_TEST(std::is_sorted(parts.fit.items().begin(), parts.fit.items().end()));
    BOOST_TEST(std::is_sorted(parts.validation.items().begin(), parts.validation.items().end()));
    std::vector<std::uint32_t> together;
    std::merge(parts.fit.items().begin(), parts.fit.items().end(), parts.validation.items().begin(),
               parts.validation.items().end(), std::back_inserter(together));
    std::vector<std::uint32_t> before = whole.items();
    std::sort(before.begin(), before.end());
    BOOST_TEST(together == before, boost::test_tools::per_element());
    BOOST_CHECK(parts.validation.store() == whole.store());
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_class_gives_as_many) {
    const auto data = thirds(300);
    const auto parts = hold_out(data, {.per_class = 7, .seed = Seed{3}});
    check_divided(data, parts);
    BOOST_TEST(parts.validation.counts() == (std::vector<int>{7, 7, 7}), boost::test_tools::per_element());
    BOOST_TEST(parts.fit.counts() == (std::vector<int>{93, 93, 93}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_lowest_draws_of_the_class_are_held_out) {
    const auto data = thirds(90);
    const auto parts = hold_out(data, {.per_class = 4, .seed = Seed{11}});
    const auto key = [](std::uint32_t item) {
        return draw_long(Stream{.seed = Seed{11}, .purpose = Purpose::hold_out, .item = item});
    };
    for (std::uint16_t k = 0; k < 3; ++k) {
        std::uint64_t highest_validation = 0, lowest_fit = ~std::uint64_t{0};
        for (const auto item : parts.validation.of_class(Label{k}).items())
            highest_validation = std::max(highest_validation, key(item));
        for (const auto item : parts.fit.of_class(Label{k}).items()) lowest_fit = std::min(lowest_fit, key(item));
        BOOST_TEST(highest_validation < lowest_fit);
    }
}

BOOST_AUTO_TEST_CASE(the_draw_depends_on_the_seed_and_on_nothing_else) {
    const auto data = thirds(300);
    const auto first = hold_out(data, {.per_class = 20, .seed = Seed{1}});
    BOOST_CHECK(hold_out(data, {.per_class = 20, .seed = Seed{1}}).validation.items() == first.validation.items());
    BOOST_CHECK(hold_out(data, {.per_class = 20, .seed = Seed{2}}).validation.items() != first.validation.items());
    // More images of the same store add candidates but do not re-draw: fewer held out are a subset.
    const auto fewer = hold_out(data, {.per_class = 5, .seed = Seed{1}});
    BOOST_TEST(std::includes(first.validation.items().begin(), first.validation.items().end(),
                             fewer.validation.items().begin(), fewer.validation.items().end()));
    // The order of the list does not matter.
    std::vector<std::uint32_t> backwards(data.items().rbegin(), data.items().rend());
    BOOST_CHECK(hold_out(data.of_items(backwards), {.per_class = 20, .seed = Seed{1}}).validation.items() ==
                first.validation.items());
}

BOOST_AUTO_TEST_CASE(nothing_held_out) {
    const auto data = squares(20);
    const auto parts = hold_out(data, {.per_class = 0});
    BOOST_TEST(parts.validation.empty());
    BOOST_TEST(parts.fit.items() == data.items(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    const auto data = squares(50);  // 10 of a, 20 of b, none of c
    BOOST_CHECK_EXCEPTION(hold_out(data, {.per_class = 11}), ValueError,
                          says({"squares", "class a", "10 images", "11"}));
    BOOST_CHECK_EXCEPTION(hold_out(data, {.per_class = 1}), ValueError, says({"class c", "0 images"}));
    BOOST_CHECK_EXCEPTION(hold_out(data, {.per_class = -1}), ValueError, says({"per_class", "-1"}));
    BOOST_CHECK_EXCEPTION(hold_out(data.of_items({3, 7, 3}), {.per_class = 0}), ValueError,
                          says({"item 3", "more than once"}));
    BOOST_CHECK_EXCEPTION(hold_out_last(data.of_items({3, 7, 3}), 0.2), ValueError, says({"item 3"}));
    BOOST_CHECK_EXCEPTION(hold_out_last(data, 1.5), ValueError, says({"1.5"}));
    BOOST_CHECK_THROW(hold_out_last(data, -0.1), ValueError);
}

BOOST_AUTO_TEST_CASE(the_last_share_of_the_file) {
    const auto data = thirds(14000);
    const auto parts = hold_out_last(data, 0.2);
    check_divided(data, parts);
    BOOST_TEST(parts.fit.size() == 11200u);  // the authors' 20 % of 14,000
    BOOST_TEST(parts.fit.items().back() == 11199u);
    BOOST_TEST(parts.validation.items().front() == 11200u);
    BOOST_TEST(hold_out_last(data, 0.0).validation.empty());
    BOOST_TEST(hold_out_last(data, 1.0).fit.empty());
    // Of a sparse list, in the file's order and not the list's.
    const auto sparse = hold_out_last(data.of_items({90, 10, 50, 70, 30}), 0.4);
    BOOST_TEST(sparse.validation.items() == (std::vector<std::uint32_t>{70, 90}), boost::test_tools::per_element());
}
