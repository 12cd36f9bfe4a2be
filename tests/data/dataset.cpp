// Stores and subsets: bytes become pixels, lists keep identities, and every wrong index is refused.
#define BOOST_TEST_MODULE data_dataset
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/data/dataset.hpp>

#include "data/files.hpp"

using namespace skewgrad;
using skewgrad_tests::says;

namespace {

// Six images of 2 x 1 x 2 whose bytes count upwards, in three classes.
std::shared_ptr<const ImageStore> six() {
    std::vector<std::uint8_t> bytes(24);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(10 * i);
    return make_store("six", {2, 1, 2}, std::move(bytes), {Label{0}, Label{1}, Label{2}, Label{1}, Label{0}, Label{1}},
                      {"a", "b", "c"});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_byte_becomes_the_float_nearest_to_its_255th) {
    for (int x = 0; x < 256; ++x) {
        const float value = byte_to_float[static_cast<std::size_t>(x)];
        // |255 value - x| is smallest among the neighbours; products of 24 and 8 bits are exact in double.
        const auto miss = [x](float candidate) { return std::abs(255.0 * candidate - x); };
        BOOST_TEST(miss(value) <= miss(std::nextafter(value, 2.0f)));
        BOOST_TEST(miss(value) <= miss(std::nextafter(value, -1.0f)));
    }
    BOOST_TEST(byte_to_float[0] == 0.0f);
    BOOST_TEST(byte_to_float[255] == 1.0f);
    // Multiplying with a rounded 1/255 is not the same thing.
    int differ = 0;
    for (int x = 0; x < 256; ++x)
        differ += byte_to_float[static_cast<std::size_t>(x)] != static_cast<float>(x) * (1.0f / 255.0f);
    BOOST_TEST(differ > 0);
}

BOOST_AUTO_TEST_CASE(a_subset_of_everything) {
    const TrainingData all(six());
    BOOST_TEST(all.size() == 6u);
    BOOST_TEST(all.classes() == 3);
    BOOST_CHECK(all.shape() == (Shape{2, 1, 2}));
    BOOST_TEST(all.items() == (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}), boost::test_tools::per_element());
    BOOST_TEST(all.counts() == (std::vector<int>{2, 3, 1}), boost::test_tools::per_element());
    BOOST_CHECK(all.label(2) == Label{2});
    BOOST_CHECK(all.labels() == all.store()->labels);
    BOOST_TEST(all.bytes(1)[0] == 40);
    BOOST_TEST(all.store()->pixels().size() == 24u);
    BOOST_TEST(all.store()->image(5).back() == 230);
}

BOOST_AUTO_TEST_CASE(images_are_planar_floats_in_the_order_of_the_list) {
    const TrainingData chosen(six(), {4, 0, 4});
    const auto x = chosen.images();
    BOOST_REQUIRE((x.shape() == std::array<std::size_t, 4>{3, 2, 1, 2}));
    for (std::size_t n = 0; n < 3; ++n)
        for (std::size_t c = 0; c < 2; ++c)
            for (std::size_t w = 0; w < 2; ++w) {
                const std::size_t byte = 10 * (4 * chosen.items()[n] + 2 * c + w);
                BOOST_TEST(x(n, c, 0, w) == static_cast<float>(byte) / 255.0f);
            }
    const auto tail = chosen.images(1, 2);
    BOOST_TEST(tail.shape()[0] == 2u);
    BOOST_TEST(tail(0, 1, 0, 1) == x(1, 1, 0, 1));
    BOOST_TEST(chosen.images(3, 0).size() == 0u);
    BOOST_CHECK_EXCEPTION(chosen.images(2, 2), ValueError, says({"six", "2 to 4", "list of 3"}));
    BOOST_CHECK_EXCEPTION(chosen.images(4, 0), ValueError, says({"list of 3"}));
}

BOOST_AUTO_TEST_CASE(lists_are_taken_by_position_by_class_and_by_item) {
    const TrainingData some(six(), {5, 3, 2, 0});
    const auto by_position = some.select({3, 1, 1});
    BOOST_TEST(by_position.items() == (std::vector<std::uint32_t>{0, 3, 3}), boost::test_tools::per_element());
    const auto by_class = some.of_class(Label{1});
    BOOST_TEST(by_class.items() == (std::vector<std::uint32_t>{5, 3}), boost::test_tools::per_element());
    const auto by_item = some.of_items({1, 4});
    BOOST_TEST(by_item.counts() == (std::vector<int>{1, 1, 0}), boost::test_tools::per_element());
    BOOST_CHECK(by_item.store() == some.store());
    static_assert(std::same_as<decltype(by_position), const TrainingData>);

    BOOST_CHECK_EXCEPTION(some.select({0, 4}), ValueError, says({"position 4", "list of 4"}));
    BOOST_CHECK_EXCEPTION(some.of_class(Label{3}), ValueError, says({"class 3", "3"}));
    BOOST_CHECK_EXCEPTION(some.of_items({0, 6}), ValueError, says({"six", "item 6", "position 1", "6 images"}));
}

BOOST_AUTO_TEST_CASE(the_three_uses_are_three_types) {
    static_assert(!std::is_convertible_v<TestData, TrainingData>);
    static_assert(!std::is_convertible_v<ValidationData, TrainingData>);
    static_assert(!std::is_constructible_v<TrainingData, TestData>);
    static_assert(TestData::split == Split::test && ValidationData::split == Split::validation);
}

BOOST_AUTO_TEST_CASE(a_store_outlives_the_list_it_came_from) {
    auto image = [] { return TrainingData(six()).of_class(Label{2}); }();
    BOOST_TEST(image.bytes(0)[0] == 80);
}

BOOST_AUTO_TEST_CASE(a_store_whose_parts_disagree_is_refused) {
    BOOST_CHECK_EXCEPTION(make_store("s", {1, 2, 2}, std::vector<std::uint8_t>(7), {Label{0}, Label{0}}), ValueError,
                          says({"s:", "7 bytes", "2 labels", "1x2x2", "8"}));
    BOOST_CHECK_EXCEPTION(make_store("s", {1, 1, 1}, {1, 2}, {Label{0}, Label{2}}, {"a", "b"}), ValueError,
                          says({"item 1", "label 2", "2 classes"}));
    BOOST_CHECK_EXCEPTION(make_store("s", {1, 1, 1}, {1, 2}, {Label{0}, Label{1}}, {"a", "caf\xe9"}), ValueError,
                          says({"s: the name of class 1", "caf\\xe9", "no UTF-8", "byte 4"}));
    BOOST_CHECK_EXCEPTION(make_store("\xff", {1, 1, 1}, {1}, {Label{0}}), ValueError,
                          says({"name", "\\xff", "byte 1"}));
    BOOST_CHECK_EXCEPTION(make_store("s", {0, 1, 1}, {}, {}), ValueError, says({"0x1x1"}));
    const auto unnamed = make_store("s", {1, 1, 1}, {1, 2}, {Label{0}, Label{2}});
    BOOST_TEST(unnamed->class_names == (std::vector<std::string>{"0", "1", "2"}), boost::test_tools::per_element());
}
