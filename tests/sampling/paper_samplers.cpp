// Under, Over and Balanced: class counts, what stays whole, what the draw depends on, what is refused.
#define BOOST_TEST_MODULE sampling_paper_samplers
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/sampling/balanced.hpp>
#include <skewgrad/sampling/over.hpp>
#include <skewgrad/sampling/under.hpp>

#include "sampling/labelled.hpp"

using namespace skewgrad;
using namespace labelled;

namespace {

const std::vector<Label> labels = in_turn(40, 3);

bool within(const Positions& part, const Positions& whole) {
    return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

}  // namespace

BOOST_AUTO_TEST_CASE(under_cuts_the_skewed_class_only) {
    const auto chosen = Sampler<Under>{.skewed_class = cat, .count = 9}(labels, 3, Seed{7});
    BOOST_TEST(counts(labels, chosen, 3) == (std::vector{40, 9, 40}), boost::test_tools::per_element());
    BOOST_TEST(strictly_ascending(chosen));
}

BOOST_AUTO_TEST_CASE(over_cuts_every_other_class) {
    const auto chosen = Sampler<Over>{.skewed_class = cat, .count = 9}(labels, 3, Seed{7});
    BOOST_TEST(counts(labels, chosen, 3) == (std::vector{9, 40, 9}), boost::test_tools::per_element());
    BOOST_TEST(strictly_ascending(chosen));
}

BOOST_AUTO_TEST_CASE(balanced_keeps_all_or_the_same_of_each) {
    const auto whole = Sampler<Balanced>{}(labels, 3, Seed{7});
    BOOST_TEST(whole.size() == 120u);
    BOOST_TEST((whole.front() == 0 && whole.back() == 119 && strictly_ascending(whole)));
    const auto small = Sampler<Balanced>{.count = 9}(labels, 3, Seed{7});
    BOOST_TEST(counts(labels, small, 3) == (std::vector{9, 9, 9}), boost::test_tools::per_element());
    BOOST_TEST(strictly_ascending(small));
}

BOOST_AUTO_TEST_CASE(the_papers_set_sizes) {
    const auto cifar = in_turn(5000, 10);
    BOOST_TEST(Sampler<Balanced>{}(cifar, 10, Seed{1}).size() == 50'000u);
    BOOST_TEST((Sampler<Under>{.skewed_class = cat, .count = 1000}(cifar, 10, Seed{1}).size()) == 46'000u);
    BOOST_TEST((Sampler<Over>{.skewed_class = cat, .count = 1000}(cifar, 10, Seed{1}).size()) == 14'000u);
}

// Written out from the definition: the images of a class sorted by their own 64-bit draw, the first m of them.
BOOST_AUTO_TEST_CASE(the_draw_is_the_first_in_key_order) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> keyed;
    for (std::uint32_t p = 1; p < 120; p += 3)
        keyed.emplace_back(draw_long({.seed = Seed{7}, .purpose = Purpose::sample, .item = p}), p);
    std::sort(keyed.begin(), keyed.end());
    Positions expected;
    for (std::uint32_t p = 0; p < 120; ++p)
        if (p % 3 != 1) expected.push_back(p);
    for (int i = 0; i < 9; ++i) expected.push_back(keyed[static_cast<std::size_t>(i)].second);
    std::sort(expected.begin(), expected.end());
    const auto chosen = Sampler<Under>{.skewed_class = cat, .count = 9}(labels, 3, Seed{7});
    BOOST_TEST(chosen == expected, boost::test_tools::per_element());
}

// Index lists are saved with runs: the same seed must give the same list in every version of the library.
BOOST_AUTO_TEST_CASE(a_draw_that_never_changes) {
    const auto chosen = Sampler<Balanced>{.count = 3}(labels, 3, Seed{7});
    BOOST_TEST(chosen == (Positions{0, 12, 16, 40, 46, 83, 86, 87, 110}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(samples_of_one_seed_are_nested) {
    const auto nine = Sampler<Under>{.skewed_class = cat, .count = 9}(labels, 3, Seed{7});
    const auto twenty = Sampler<Under>{.skewed_class = cat, .count = 20}(labels, 3, Seed{7});
    const auto small = Sampler<Balanced>{.count = 9}(labels, 3, Seed{7});
    const auto over_dog = Sampler<Over>{.skewed_class = dog, .count = 9}(labels, 3, Seed{7});
    BOOST_TEST(within(nine, twenty));
    BOOST_TEST(within(small, nine));
    BOOST_TEST(within(small, over_dog));
    // What Under of cat and Over of dog both keep of cat is the same nine images.
    Positions common;
    std::set_intersection(nine.begin(), nine.end(), over_dog.begin(), over_dog.end(), std::back_inserter(common));
    BOOST_TEST(counts(labels, common, 3) == (std::vector{9, 9, 40}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(another_seed_draws_another_sample_and_the_same_seed_the_same) {
    const Sampler<Balanced> sampler{.count = 20};
    BOOST_TEST(sampler(labels, 3, Seed{7}) == sampler(labels, 3, Seed{7}), boost::test_tools::per_element());
    BOOST_TEST((sampler(labels, 3, Seed{7}) != sampler(labels, 3, Seed{8})));
    BOOST_TEST((sampler(labels, 3, Seed{7}) != sampler(labels, 3, Seed{7 + (1ull << 32)})));
}

// 2,000 seeds, 10 of 40 images: each image is drawn 500 times, deviation sqrt(2000 * 1/4 * 3/4) = 19.4.
BOOST_AUTO_TEST_CASE(every_image_is_drawn_equally_often) {
    const auto one_class = in_turn(40, 1);
    std::vector<int> drawn(40);
    for (std::uint64_t s = 0; s < 2000; ++s)
        for (const auto p : Sampler<Balanced>{.count = 10}(one_class, 1, Seed{s})) ++drawn[p];
    for (const int n : drawn) BOOST_TEST((n > 400 && n < 600), n << " of 2000");
}

BOOST_AUTO_TEST_CASE(a_count_of_all_keeps_all) {
    const auto whole = Sampler<Balanced>{}(labels, 3, Seed{7});
    BOOST_TEST((Sampler<Under>{.skewed_class = dog, .count = 40}(labels, 3, Seed{7}) == whole));
    BOOST_TEST((Sampler<Over>{.skewed_class = dog, .count = 40}(labels, 3, Seed{7}) == whole));
    BOOST_TEST((Sampler<Balanced>{.count = 40}(labels, 3, Seed{7}) == whole));
}

BOOST_AUTO_TEST_CASE(too_few_images_are_named) {
    BOOST_CHECK_EXCEPTION((Sampler<Under>{.skewed_class = cat, .count = 41}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<Under>", "41 images of class 1", "40 available"}));
    std::vector<Label> uneven = in_turn(4, 3);
    uneven.resize(11);  // the last dog goes
    BOOST_CHECK_EXCEPTION((Sampler<Over>{.skewed_class = cat, .count = 4}(uneven, 3, Seed{7})), ValueError,
                          says({"Sampler<Over>", "4 images of class 2", "3 available"}));
    BOOST_CHECK_EXCEPTION((Sampler<Balanced>{.count = 4}(uneven, 3, Seed{7})), ValueError,
                          says({"Sampler<Balanced>", "4 images of class 2", "3 available"}));
    // A class without a single image is one with too few.
    BOOST_CHECK_EXCEPTION((Sampler<Balanced>{.count = 1}(uneven, 4, Seed{7})), ValueError,
                          says({"1 images of class 3", "0 available"}));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_known_is_said) {
    const std::vector<std::string> names{"bird", "cat", "dog"}, numbers{"0", "1", "2"};
    Population all{.labels = labels, .classes = 3, .class_names = names};
    const Sampler<Under> sampler{.skewed_class = dog, .count = 50};
    BOOST_CHECK_EXCEPTION(sampler.positions(all, Seed{7}), ValueError, says({"class 2 (dog)"}));
    all.class_names = numbers;
    BOOST_CHECK_EXCEPTION(sampler.positions(all, Seed{7}), ValueError, says({"class 2 wanted"}));
}

BOOST_AUTO_TEST_CASE(values_that_were_forgotten_or_make_no_sense_are_named) {
    BOOST_CHECK_EXCEPTION((Sampler<Under>{}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<Under>", ".skewed_class was not given"}));
    BOOST_CHECK_EXCEPTION((Sampler<Under>{.skewed_class = cat}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<Under>", ".count is 0"}));
    BOOST_CHECK_EXCEPTION((Sampler<Over>{.skewed_class = cat, .count = -3}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<Over>", ".count is -3"}));
    BOOST_CHECK_EXCEPTION((Sampler<Over>{.skewed_class = Label{3}, .count = 5}(labels, 3, Seed{7})), ValueError,
                          says({".skewed_class is 3", "0 to 2"}));
    BOOST_CHECK_EXCEPTION((Sampler<Balanced>{.count = 0}(labels, 3, Seed{7})), ValueError, says({".count is 0"}));
    BOOST_CHECK_EXCEPTION(Sampler<Balanced>{}(labels, 2, Seed{7}), ValueError, says({"position 2", "is 2", "0 to 1"}));
    BOOST_CHECK_EXCEPTION(Sampler<Balanced>{}(labels, 0, Seed{7}), ValueError, says({"classes is 0"}));
}

BOOST_AUTO_TEST_CASE(no_images_at_all) {
    const std::vector<Label> none;
    BOOST_TEST(Sampler<Balanced>{}(none, 3, Seed{7}).empty());
    BOOST_CHECK_THROW((Sampler<Under>{.skewed_class = cat, .count = 1}(none, 3, Seed{7})), ValueError);
}
