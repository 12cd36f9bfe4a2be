// The controls: white noise keyed on images' identities, and the signs of another image of the class.
#define BOOST_TEST_MODULE attack_controls
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <numeric>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>
#include <string>
#include <vector>

#include "attack/linear.hpp"
#include "backend/subjects.hpp"
#include "data/files.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<3, 6, 6>, Conv<5>, Relu, Dense<4>> {};

struct Subject {
    Model<Net, Cpu<f32>> model{Seed{3}, Cpu<f32>::Context(1)};
    Images x = random_images<float>(Net::image, 40);
    std::vector<Label> y = labels_in_turn(40, 4);
    std::vector<std::uint32_t> items = std::vector<std::uint32_t>(40);
    std::size_t pixels = 108;

    Subject() {
        shake(model);
        std::iota(items.begin(), items.end(), 1000u);
    }
    Images part(std::size_t first, std::size_t count) const {
        auto some = Images::from_shape({count, 3, 6, 6});
        std::copy_n(x.data() + first * pixels, count * pixels, some.data());
        return some;
    }
};

BOOST_FIXTURE_TEST_CASE(random_signs_are_plus_or_minus_epsilon, Subject) {
    const Attack<RandomSign, Ascent> attack{.epsilon = 0.1f, .clip = false, .seed = Seed{8}};
    const auto moved = attack(model, x, y, items);
    double up = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float at = x.data()[i], to = moved.data()[i];
        BOOST_REQUIRE((to == at + 0.1f || to == at - 0.1f));
        up += to > at;
    }
    // Fair coins: five standard deviations of their mean.
    const auto n = static_cast<double>(x.size());
    BOOST_TEST(std::abs(up / n - 0.5) < 5 * 0.5 / std::sqrt(n));
    // The opposite direction is the opposite noise; clipping is that of the same images.
    const auto against =
        Attack<RandomSign, Descent>{.epsilon = 0.1f, .clip = false, .seed = Seed{8}}(model, x, y, items);
    const auto clipped = Attack<RandomSign, Ascent>{.epsilon = 0.1f, .seed = Seed{8}}(model, x, y, items);
    for (std::size_t i = 0; i < x.size(); ++i) {
        BOOST_REQUIRE((moved.data()[i] > x.data()[i]) != (against.data()[i] > x.data()[i]));
        BOOST_REQUIRE(clipped.data()[i] == std::clamp(moved.data()[i], 0.0f, 1.0f));
    }
}

BOOST_FIXTURE_TEST_CASE(noise_belongs_to_the_image_not_to_its_batch, Subject) {
    const Attack<RandomSign, Ascent> attack{.epsilon = 0.1f, .seed = Seed{8}};
    const auto whole = attack(model, x, y, items);
    const std::span<const Label> labels = y;
    const std::span<const std::uint32_t> names = items;
    for (std::size_t first = 0; first < 40; first += 13) {
        const std::size_t count = std::min<std::size_t>(13, 40 - first);
        const auto some = attack(model, part(first, count), labels.subspan(first, count), names.subspan(first, count));
        BOOST_REQUIRE(std::memcmp(some.data(), whole.data() + first * pixels, some.size() * sizeof(float)) == 0);
    }
    // Named by position when nothing else is said; other names, seeds and samples are other noise.
    std::vector<std::uint32_t> positions(40);
    std::iota(positions.begin(), positions.end(), 0u);
    BOOST_TEST(same_bits(attack(model, x, y), attack(model, x, y, positions)));
    BOOST_TEST(!same_bits(attack(model, x, y), whole));
    BOOST_TEST(!same_bits(Attack<RandomSign, Ascent>{.epsilon = 0.1f, .seed = Seed{9}}(model, x, y, items), whole));
    BOOST_TEST(!same_bits(Attack<RandomSign, Ascent>{.epsilon = 0.1f, .seed = Seed{8}, .sample = 1}(model, x, y, items),
                          whole));
    // No two images have the same noise.
    const auto grey = Images(xt::ones<float>({40, 3, 6, 6}) * 0.5f);
    const auto noisy = attack(model, grey, y, items);
    for (std::size_t n = 1; n < 40; ++n)
        BOOST_REQUIRE(std::memcmp(noisy.data(), noisy.data() + n * pixels, pixels * sizeof(float)) != 0);
}

BOOST_AUTO_TEST_CASE(noise_asks_the_model_nothing) {
    const Linear linear{{1, 2, 3, 4}};
    const Images x = images_of({0.5f, 0.5f, 0.5f, 0.5f});
    const std::vector<Label> y{Label{0}};
    Attack<RandomSign, Ascent>{}(linear, x, y);
    BOOST_TEST(linear.gradients + linear.passes == 0);
}

/// No copies: a number each.
std::vector<std::uint32_t> all_distinct(std::size_t count) {
    std::vector<std::uint32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0u);
    return numbers;
}

BOOST_AUTO_TEST_CASE(a_derangement_stays_in_its_class_and_leaves_no_one_in_place) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        std::vector<Label> y;  // class k has 2 + 5 k images, in a mixed order
        for (std::size_t i = 0; i < 36; ++i) y.push_back(Label(i % 9 < 2 ? 0 : i % 9 < 5 ? 1 : 2));
        const auto from = attack::derangement(y, Seed{seed}, {}, all_distinct(36));
        std::vector<int> used(y.size());
        for (std::size_t i = 0; i < y.size(); ++i) {
            BOOST_REQUIRE(from[i] != i);
            BOOST_REQUIRE((y[from[i]] == y[i]));
            ++used[from[i]];
        }
        BOOST_REQUIRE(std::all_of(used.begin(), used.end(), [](int n) { return n == 1; }));
    }
    const std::vector<Label> y(12);
    const auto distinct = all_distinct(12);
    BOOST_TEST((attack::derangement(y, Seed{1}, {}, distinct) != attack::derangement(y, Seed{2}, {}, distinct)));
    BOOST_TEST(attack::derangement({}, Seed{1}, {}, {}).empty());
}

// Up to half of a class may be copies of one image; none lends to its copy, and every image is still used once.
BOOST_AUTO_TEST_CASE(no_copy_lends_to_a_copy) {
    const std::vector<std::vector<int>> sizes{{1, 1}, {2, 2}, {5, 1, 4}, {3, 3, 3}, {2, 1, 1}, {1, 7, 2, 4}};
    for (const auto& groups : sizes)
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            std::vector<std::uint32_t> copies;
            for (std::size_t g = 0; g < groups.size(); ++g) copies.insert(copies.end(), groups[g], std::uint32_t(g));
            const std::vector<Label> y(copies.size());
            const auto from = attack::derangement(y, Seed{seed}, {}, copies);
            std::vector<int> used(y.size());
            for (std::size_t i = 0; i < y.size(); ++i) {
                BOOST_REQUIRE(copies[from[i]] != copies[i]);
                ++used[from[i]];
            }
            BOOST_REQUIRE(std::all_of(used.begin(), used.end(), [](int n) { return n == 1; }));
        }
}

// Who lends to whom is a matter of the images' names: the same set in another order, the same lenders.
BOOST_AUTO_TEST_CASE(lenders_follow_names_not_positions) {
    const std::vector<Label> y(10);
    std::vector<std::uint32_t> items{5, 9, 2, 77, 31, 8, 40, 1, 60, 3}, turned(items.rbegin(), items.rend());
    for (const std::vector<std::uint32_t>& copies :
         {all_distinct(10), std::vector<std::uint32_t>{0, 1, 2, 2, 3, 0, 4, 5, 0, 6}}) {
        std::vector<std::uint32_t> turned_copies(copies.rbegin(), copies.rend());
        for (auto& number : turned_copies) number = 9 - number;  // numbered otherwise
        const auto from = attack::derangement(y, Seed{4}, items, copies),
                   other = attack::derangement(y, Seed{4}, turned, turned_copies);
        const bool distinct = copies == all_distinct(10);
        for (std::size_t i = 0; i < items.size(); ++i) BOOST_TEST((items[from[i]] == turned[other[9 - i]]));
        BOOST_TEST(distinct == (from == attack::derangement(y, Seed{4}, items, all_distinct(10))));
    }
}

BOOST_FIXTURE_TEST_CASE(permuted_signs_are_those_of_the_lender, Subject) {
    const Attack<PermutedSign, Ascent> attack{.epsilon = 0.1f, .seed = Seed{8}};
    const auto moved = attack(model, x, y, items);
    const auto g = model.input_gradient(x, y);
    const auto from = attack::derangement(y, Seed{8}, items, all_distinct(40));
    Images expected = x;
    for (std::size_t n = 0; n < 40; ++n)
        for (std::size_t i = 0; i < pixels; ++i) {
            const float lent = g.data()[from[n] * pixels + i];
            const float to = x.data()[n * pixels + i] + (lent > 0 ? 0.1f : lent < 0 ? -0.1f : 0);
            expected.data()[n * pixels + i] = std::clamp(to, 0.0f, 1.0f);
        }
    BOOST_TEST(same_bits(moved, expected));
}

// With its own gradient, or its copy's, the control would be the attack.
BOOST_FIXTURE_TEST_CASE(permuted_signs_are_never_the_attack, Subject) {
    for (std::size_t n = 0; n < 40; n += 8) std::copy_n(x.data(), pixels, x.data() + n * pixels);  // half of class 0
    for (const std::uint64_t seed : {1, 2, 3}) {
        const auto control = Attack<PermutedSign, Ascent>{.epsilon = 0.1f, .seed = Seed{seed}}(model, x, y, items);
        const auto fast = Attack<FGSM, Ascent>{.epsilon = 0.1f}(model, x, y);
        for (std::size_t n = 0; n < 40; ++n)
            BOOST_TEST(std::memcmp(control.data() + n * pixels, fast.data() + n * pixels, pixels * sizeof(float)) != 0);
    }
}

BOOST_FIXTURE_TEST_CASE(a_class_too_much_alike_is_refused, Subject) {
    const Attack<PermutedSign, Ascent> attack;
    const auto refuses = [&](std::initializer_list<std::string> words) {
        BOOST_CHECK_EXCEPTION(attack(model, x, y), ValueError, says(words));
        const Linear linear{std::vector<float>(pixels, 1.0f)};
        BOOST_CHECK_EXCEPTION(attack(linear, x, y), ValueError, says(words));
        BOOST_TEST(linear.gradients == 0);
    };
    y[5] = Label{3};
    for (std::size_t n = 1; n < 40; n += 4)
        if (n != 5) y[n] = Label{0};
    y[9] = Label{1};
    refuses({"permuted_sign", "class 1", "one image"});
    y[13] = Label{1};
    BOOST_CHECK_NO_THROW(attack(model, x, y));
    std::copy_n(x.data() + 9 * pixels, pixels, x.data() + 13 * pixels);  // both alike
    refuses({"permuted_sign", "class 1", "2 images", "2 of which"});
    y[17] = Label{1};  // one more does not suffice, two do
    refuses({"permuted_sign", "class 1", "3 images", "2 of which"});
    y[21] = Label{1};
    BOOST_CHECK_NO_THROW(attack(model, x, y));
    x.data()[13 * pixels] = -0.0f;  // zero with a sign is the same pixel
    x.data()[9 * pixels] = 0;
    y[21] = Label{0};
    refuses({"permuted_sign", "class 1", "3 images", "2 of which"});
}

// A plan asks this of its test images before anything is trained.
BOOST_AUTO_TEST_CASE(data_that_lends_nothing_is_known_before_any_gradient) {
    const Attack<PermutedSign, Ascent> attack;
    const auto data = [](std::vector<std::uint8_t> bytes, std::vector<Label> labels) {
        return TestData(make_store("few", {1, 1, 2}, std::move(bytes), std::move(labels), {"a", "b"}));
    };
    const TestData good = data({1, 2, 3, 4, 5, 6, 7, 8}, {Label{0}, Label{1}, Label{1}, Label{0}});
    BOOST_CHECK_NO_THROW(attack.check(good));
    BOOST_CHECK_NO_THROW(attack.check(good.of_class(Label{1})));
    BOOST_CHECK_NO_THROW(attack.check(good.of_items({})));
    BOOST_CHECK_EXCEPTION(attack.check(good.of_items({0, 1, 2})), ValueError,
                          says({"permuted_sign", "class 0", "one image"}));
    const TestData alike = data({1, 2, 3, 4, 3, 4, 7, 8}, {Label{0}, Label{1}, Label{1}, Label{0}});
    BOOST_CHECK_EXCEPTION(attack.check(alike), ValueError, says({"class 1", "2 images, 2 of which"}));
    BOOST_CHECK_NO_THROW(attack.check(alike.of_class(Label{0})));
    BOOST_CHECK_THROW((Attack<PermutedSign, Ascent>{.epsilon = 8}.check(good)), ValueError);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_is_refused, Subject) {
    BOOST_CHECK_EXCEPTION((Attack<RandomSign, Ascent>{.epsilon = 2}(model, x, y)), ValueError,
                          says({"random_sign", "epsilon", "2"}));
    BOOST_CHECK_EXCEPTION((Attack<PermutedSign, Ascent>{.epsilon = -1}(model, x, y)), ValueError,
                          says({"permuted_sign", "epsilon", "-1"}));
    const std::span<const std::uint32_t> three = std::span(items).first(3);
    BOOST_CHECK_EXCEPTION((Attack<RandomSign, Ascent>{}(model, x, y, three)), ValueError,
                          says({"random_sign", "40 images", "3 items"}));
    BOOST_CHECK_EXCEPTION((Attack<PermutedSign, Ascent>{}(model, x, y, three)), ValueError,
                          says({"permuted_sign", "40 images", "3 items"}));
    const std::span<const Label> two = std::span(y).first(2);
    BOOST_CHECK_EXCEPTION((Attack<RandomSign, Ascent>{}(model, x, two)), ValueError, says({"40 images", "2 labels"}));
    BOOST_CHECK_EXCEPTION((Attack<PermutedSign, Ascent>{}(model, x, two)), ValueError, says({"40 images", "2 labels"}));
}

}  // namespace
