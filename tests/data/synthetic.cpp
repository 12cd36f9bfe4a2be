// The embedded set: its bytes, its own functions, its classes' laws (alike, mirrored), and what a smaller set is.
#define BOOST_TEST_MODULE data_synthetic
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/data/synthetic.hpp>

#include "data/embedded_digests.hpp"
#include "data/files.hpp"

using namespace skewgrad;
using namespace skewgrad::synthetic;
using skewgrad_tests::digest;
using skewgrad_tests::embedded_digests;
using skewgrad_tests::frozen_digests;
using skewgrad_tests::says;

namespace {

Splits small(Embedded set, int train = 5, int test = 5, int threads = 1) {
    set.train_per_class = train;
    set.test_per_class = test;
    return set.load(threads);
}

std::vector<float> painted(const Scene& scene) {
    std::vector<float> pixels(3 * area);
    paint(scene, pixels.data());
    return pixels;
}

Scene scene_of(std::uint32_t image, int label, float similarity) {
    return draw_scene(Law{}, Draws{Seed{5}, 0, image}, label, similarity);
}

void reverse_rows(float* lattice, int rows, int nodes) {
    for (int r = 0; r < rows; ++r) std::reverse(lattice + r * nodes, lattice + (r + 1) * nodes);
}

// The scene whose picture is the mirror of this scene's picture.
Scene mirrored(Scene s) {
    s.centre_u = -s.centre_u;
    s.tilt = -s.tilt;
    s.wobble = -s.wobble;
    // A wave reflected in the middle column runs the other way and keeps its phase there.
    for (Stripes* stripes : {&s.texture, &s.decoy}) stripes->across = -stripes->across;
    float* lattice = s.grey.data();
    for (const int nodes : grey_nodes) {
        reverse_rows(lattice, nodes, nodes);
        lattice += nodes * nodes;
    }
    reverse_rows(s.patches.data(), 3 * colour_nodes, colour_nodes);
    s.ramp_across = -s.ramp_across;
    if (s.hole_width > 0) s.hole_left = side - s.hole_left - s.hole_width;
    return s;
}

}  // namespace

// With this build's compiler and flags; tests/compile has other ones.
BOOST_AUTO_TEST_CASE(the_same_bytes_from_every_compiler_and_flag) {
    BOOST_TEST(embedded_digests() == frozen_digests, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
    BOOST_TEST(embedded_digests(3) == frozen_digests, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(sine_exponential_and_logarithm_are_right) {
    double worst_sine = 0, worst_cosine = 0, worst_power = 0, worst_logarithm = 0, worst_sigmoid = 0;
    for (int i = -40000; i <= 40000; ++i) {
        const float x = static_cast<float>(i) * 0.00025f;  // -10 .. 10
        const double turns = 2.0 * std::numbers::pi * static_cast<double>(x);
        worst_sine = std::max(worst_sine, std::abs(sine_of_turns(x) - std::sin(turns)));
        worst_cosine = std::max(worst_cosine, std::abs(cosine_of_turns(x) - std::cos(turns)));
        worst_power = std::max(worst_power, std::abs(exp2_of(x) / std::exp2(static_cast<double>(x)) - 1));
        worst_sigmoid = std::max(worst_sigmoid, std::abs(sigmoid_of(x) - 1 / (1 + std::exp(-static_cast<double>(x)))));
        const float y = std::exp2(x);
        const double exact = std::log2(static_cast<double>(y));
        worst_logarithm = std::max(worst_logarithm, std::abs(log2_of(y) - exact) / std::max(1.0, std::abs(exact)));
    }
    BOOST_TEST(worst_sine < 3e-7);
    BOOST_TEST(worst_cosine < 4e-6);  // adding a quarter turn to ten rounds at 2^-20 turns
    BOOST_TEST(worst_power < 2e-7);
    BOOST_TEST(worst_logarithm < 3e-7);
    BOOST_TEST(worst_sigmoid < 2e-7);
    BOOST_TEST(exp2_of(-1000.0f) == 0x1p-126f);
    BOOST_TEST(exp2_of(1000.0f) == 0x1p126f);
    BOOST_TEST(log2_of(0x1p-24f) == -24.0f);
    BOOST_TEST(sine_of_turns(0.25f) == 1.0f, boost::test_tools::tolerance(2e-7f));
}

BOOST_AUTO_TEST_CASE(normal_numbers_are_normal) {
    constexpr int n = 100000;
    std::vector<float> x(n);
    fill_normals(Stream{.seed = Seed{3}, .purpose = Purpose::synthetic, .item = 8}, x.data(), n);
    double moments[5] = {};
    for (const double v : x)
        for (int k = 1; k <= 4; ++k) moments[k] += std::pow(v, k) / n;
    // Five deviations of each moment's own error.
    BOOST_TEST(std::abs(moments[1]) < 5 * std::sqrt(1.0 / n));
    BOOST_TEST(std::abs(moments[2] - 1) < 5 * std::sqrt(2.0 / n));
    BOOST_TEST(std::abs(moments[3]) < 5 * std::sqrt(15.0 / n));
    BOOST_TEST(std::abs(moments[4] - 3) < 5 * std::sqrt(96.0 / n));
    // A count that is no multiple of four is a beginning; the largest radius is finite.
    std::vector<float> seven(8, 99.0f);
    fill_normals(Stream{.seed = Seed{3}, .purpose = Purpose::synthetic, .item = 8}, seven.data(), 7);
    BOOST_TEST(std::equal(seven.begin(), seven.begin() + 7, x.begin()));
    BOOST_TEST(seven[7] == 99.0f);
    BOOST_TEST(normal_pair(0, 0).first == 5.768f, boost::test_tools::tolerance(1e-4f));
    BOOST_TEST(normal_pair(0xffffffff, 0).first == 0.0f);
}

BOOST_AUTO_TEST_CASE(every_ten_images_show_every_class_in_a_drawn_order) {
    std::array<std::array<int, classes>, classes> at{};  // [class][position]
    for (std::uint32_t block = 0; block < 2000; ++block) {
        int seen = 0;
        for (std::uint32_t i = 0; i < classes; ++i) {
            const int k = label_of(Seed{1}, 0, block * classes + i);
            seen |= 1 << k;
            ++at[static_cast<std::size_t>(k)][i];
        }
        BOOST_TEST(seen == (1 << classes) - 1);
    }
    // 200 expected in each cell, deviation 13.4.
    for (const auto& row : at)
        for (const int count : row) BOOST_TEST(std::abs(count - 200) < 67);
}

BOOST_AUTO_TEST_CASE(a_smaller_set_is_the_beginning_of_a_larger_one) {
    const auto large = small({}, 6, 4), less = small({}, 2, 1);
    BOOST_TEST(large.train.counts() == std::vector<int>(10, 6), boost::test_tools::per_element());
    BOOST_TEST(less.test.counts() == std::vector<int>(10, 1), boost::test_tools::per_element());
    const auto begins = [](const ImageStore& longer, const ImageStore& shorter) {
        return std::equal(shorter.pixels().begin(), shorter.pixels().end(), longer.pixels().begin()) &&
               std::equal(shorter.labels.begin(), shorter.labels.end(), longer.labels.begin());
    };
    BOOST_TEST(begins(*large.train.store(), *less.train.store()));
    BOOST_TEST(begins(*large.test.store(), *less.test.store()));
    // Training and test images are drawn apart, and so are seeds.
    BOOST_TEST(!begins(*large.train.store(), *less.test.store()));
    BOOST_TEST(!begins(*large.train.store(), *small({.seed = Seed{1}}, 2, 1).train.store()));
    BOOST_CHECK(large.train.shape() == (Shape{3, 32, 32}));
    BOOST_TEST(large.train.classes() == 10);
    BOOST_TEST(large.train.name() == "embedded train");
}

BOOST_AUTO_TEST_CASE(at_similarity_one_two_members_are_one_class) {
    for (std::uint32_t image = 0; image < 20; ++image)
        for (int p = 0; p < pairs; ++p) {
            BOOST_CHECK(painted(scene_of(image, 2 * p, 1.0f)) == painted(scene_of(image, 2 * p + 1, 1.0f)));
            BOOST_CHECK(painted(scene_of(image, 2 * p, 0.7f)) != painted(scene_of(image, 2 * p + 1, 0.7f)));
        }
}

BOOST_AUTO_TEST_CASE(the_less_similar_the_further_apart) {
    // Mean absolute difference of the members' pictures from the same draws.
    const auto apart = [](float similarity) {
        double sum = 0;
        for (std::uint32_t image = 0; image < 50; ++image) {
            const auto a = painted(scene_of(image, 4, similarity)), b = painted(scene_of(image, 5, similarity));
            for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
        }
        return sum;
    };
    BOOST_TEST(apart(0.0f) > apart(0.4f));
    BOOST_TEST(apart(0.4f) > apart(0.8f));
    BOOST_TEST(apart(0.8f) > apart(0.95f));
}

BOOST_AUTO_TEST_CASE(a_pair_s_similarity_is_its_own_affair) {
    Embedded changed;
    changed.similarity[3] = 0.9f;
    const auto before = small({}), after = small(changed);
    BOOST_CHECK(before.train.labels() == after.train.labels());
    for (std::size_t i = 0; i < before.train.size(); ++i) {
        const auto a = before.train.bytes(i), b = after.train.bytes(i);
        const bool same = std::equal(a.begin(), a.end(), b.begin());
        BOOST_TEST(same == (index(before.train.label(i)) / 2 != 3));
    }
}

BOOST_AUTO_TEST_CASE(the_mirror_of_a_picture_is_the_picture_of_a_mirrored_scene) {
    for (std::uint32_t image = 0; image < 30; ++image) {
        const Scene scene = scene_of(image, static_cast<int>(image % classes), 0.3f);
        auto reversed = painted(scene);
        reverse_rows(reversed.data(), 3 * side, side);
        const auto direct = painted(mirrored(scene));
        float worst = 0;
        for (std::size_t i = 0; i < direct.size(); ++i) worst = std::max(worst, std::abs(direct[i] - reversed[i]));
        BOOST_TEST(worst < 1e-5f);
    }
}

BOOST_AUTO_TEST_CASE(what_a_mirror_reverses_has_no_preferred_side) {
    // For each class: the mean of every quantity that changes sign in a mirror is 0, and so is the mean of the
    // products that would betray a lean (a texture's wave vector; tilt with texture).
    constexpr int n = 4000;
    for (int k = 0; k < classes; ++k) {
        std::array<double, 7> sum{}, square{};
        for (std::uint32_t image = 0; image < n; ++image) {
            const Scene s = scene_of(image, k, 0.1f);
            const Scene m = mirrored(s);
            const auto odd = [](const Scene& q) {
                return std::array<double, 7>{q.centre_u,
                                             q.tilt,
                                             sine_of_turns(q.wobble),
                                             q.texture.across * q.texture.down,
                                             q.decoy.across * q.decoy.down,
                                             q.ramp_across,
                                             q.hole_width > 0 ? q.hole_left + 0.5 * q.hole_width - 16 : 0.0};
            };
            const auto here = odd(s), there = odd(m);
            for (std::size_t i = 0; i < here.size(); ++i) {
                BOOST_REQUIRE_SMALL(here[i] + there[i], 1e-6);
                sum[i] += here[i];
                square[i] += here[i] * here[i];
            }
        }
        for (std::size_t i = 0; i < sum.size(); ++i) BOOST_TEST(std::abs(sum[i]) < 5 * std::sqrt(square[i]));
    }
}

BOOST_AUTO_TEST_CASE(a_mirrored_test_set) {
    const auto plain = small({}, 1, 2), reversed = small({.mirrored_test = true}, 1, 2);
    BOOST_TEST(digest(*plain.train.store()) == digest(*reversed.train.store()));
    BOOST_CHECK(plain.test.labels() == reversed.test.labels());
    for (std::size_t i = 0; i < plain.test.size(); ++i)
        for (std::size_t row = 0; row < 96; ++row) {
            const auto a = plain.test.bytes(i).subspan(row * 32, 32), b = reversed.test.bytes(i).subspan(row * 32, 32);
            BOOST_REQUIRE(std::equal(a.begin(), a.end(), b.rbegin()));
        }
}

BOOST_AUTO_TEST_CASE(exposure_rounds_half_to_even_and_clips) {
    Law silent;
    silent.noise_deviation = 0.0f;
    std::vector<float> pixels(3 * area, 0.0f);
    const std::vector<std::pair<float, int>> cases{{-0.5f, 0}, {1.5f, 255}, {1.0f, 255}, {0.0f, 0}};
    for (std::size_t i = 0; i < cases.size(); ++i) pixels[i] = cases[i].first;
    for (int x = 0; x < 256; ++x)
        pixels[static_cast<std::size_t>(100 + x)] = byte_to_float[static_cast<std::size_t>(x)];
    for (int x = 0; x < 255; ++x) pixels[static_cast<std::size_t>(400 + x)] = (static_cast<float>(x) + 0.5f) / 255.0f;
    std::vector<std::uint8_t> bytes(3 * area);
    expose(silent, Draws{}, pixels.data(), bytes.data());
    for (std::size_t i = 0; i < cases.size(); ++i) BOOST_TEST(bytes[i] == cases[i].second);
    for (int x = 0; x < 256; ++x) BOOST_TEST(bytes[static_cast<std::size_t>(100 + x)] == x);
    // Those of the middles between two bytes that come out exact in f32 go to the even one.
    int to_upper = 0, to_lower = 0;
    for (int x = 0; x < 255; ++x) {
        const auto i = static_cast<std::size_t>(400 + x);
        if (255.0f * pixels[i] != static_cast<float>(x) + 0.5f) continue;
        BOOST_TEST(bytes[i] == x + x % 2);
        ++(x % 2 == 0 ? to_lower : to_upper);
    }
    BOOST_TEST(to_upper > 50);
    BOOST_TEST(to_lower > 50);

    // With noise: the deviation asked for, in bytes, independent of the pixel.
    std::fill(pixels.begin(), pixels.end(), 0.5f);
    expose(Law{}, Draws{Seed{2}, 0, 4}, pixels.data(), bytes.data());
    double mean = 0, variance = 0;
    for (const double b : bytes) mean += b / (3 * area);
    for (const double b : bytes) variance += (b - mean) * (b - mean) / (3 * area);
    BOOST_TEST(mean == 127.5, boost::test_tools::tolerance(0.005));
    BOOST_TEST(std::sqrt(variance) == 255 * 0.025, boost::test_tools::tolerance(0.06));
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    BOOST_CHECK_EXCEPTION(small({.similarity = {0, 0, 1.5f, 0, 0}}), ValueError, says({"similarity[2]", "1.5"}));
    BOOST_CHECK_THROW(small({.similarity = every_pair(std::nanf(""))}), ValueError);
    BOOST_CHECK_EXCEPTION(small({}, 0, 1), ValueError, says({"train_per_class", "0"}));
    BOOST_CHECK_EXCEPTION(small({}, 1, -3), ValueError, says({"test_per_class", "-3"}));
}
