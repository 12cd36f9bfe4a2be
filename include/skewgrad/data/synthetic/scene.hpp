// What one embedded image shows: its law, the draws it is made from, and the numbers they become.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/synthetic/exact_math.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace synthetic {

inline constexpr int side = 32;                            ///< pixels along an edge
inline constexpr int area = side * side;                   ///< pixels of a plane
inline constexpr int pairs = 5;                            ///< pairs of classes that resemble each other
inline constexpr int classes = 2 * pairs;                  ///< class k is member k % 2 of pair k / 2
inline constexpr float middle = 15.5f;                     ///< pixel axes u, v run from -middle to middle
inline constexpr std::array<int, 3> grey_nodes{4, 8, 16};  ///< nodes along an edge of the background's lattices
inline constexpr int colour_nodes = 6;                     ///< the same for the coloured lattice

/// The constants of the law, chosen on balanced networks only. Lengths are pixels, brightness has the unit of a
/// pixel (0 .. 1), angles are degrees; "member" constants separate the two classes of a pair and are multiplied with
/// the pair's distance, 1 - similarity.
struct Law {
    // Shape: high contrast, tells the pairs apart.
    float centre = 3.0f;  ///< uniform in +- this, both axes
    float radius_least = 9.0f, radius_most = 13.0f;
    float tilt = 23.0f;            ///< uniform in +- this
    float stretch_member = 0.16f;  ///< octaves of the width
    float stretch_deviation = 0.12f;
    std::array<int, pairs> lobes{2, 3, 4, 5, 7};
    float lobe_depth = 0.28f, wobble_depth = 0.06f;
    float edge_width = 0.7f;
    // Colour: hue tells pairs, and members a little.
    float hue_step = 72.0f, hue_member = 20.0f, hue_deviation = 22.0f;
    float colour = 0.14f;
    float contrast_least = 0.12f, contrast_most = 0.30f;  ///< of either sign
    // Texture on the object: low contrast, tells the members apart.
    float frequency = 0.16f;                                     ///< cycles a pixel
    float frequency_member = 0.5f, frequency_deviation = 0.15f;  ///< octaves
    float angle = 45.0f, angle_member = 38.0f, angle_deviation = 12.0f;
    float amplitude = 0.08f, amplitude_deviation = 0.6f;  ///< median, octaves
    // Nuisance: says nothing of the class.
    std::array<float, 3> grey_deviation{0.07f, 0.05f, 0.03f};  ///< of the lattices of 4, 8 and 16 nodes
    float colour_deviation = 0.04f;
    float tint_deviation = 0.05f;  ///< one a channel
    float ramp_most = 0.10f;
    float level_least = 0.35f, level_most = 0.65f;
    float gain_least = 0.7f, gain_most = 1.2f;
    float decoy_octaves = 0.7f;  ///< the decoy stripes' frequency, uniform in +- this
    float decoy_share = 0.5f;    ///< of the texture's amplitude
    float hole_probability = 0.3f;
    int hole_least = 4, hole_most = 11;
    float noise_deviation = 0.025f;
};

/// Each quantity draws from a sub-stream of its own. The values are part of what the bytes mean.
enum class Field : std::uint16_t {
    label = 0,
    centre = 1,
    radius = 2,
    tilt = 3,
    stretch = 4,
    wobble = 5,
    hue = 6,
    contrast = 7,
    frequency = 8,
    angle = 9,
    phase = 10,
    amplitude = 11,
    grey = 12,  ///< and 13, 14: one a lattice
    colour = 15,
    tint = 16,
    ramp = 17,
    exposure = 18,
    decoy = 19,
    decoy_amplitude = 20,
    hole = 21,
    noise = 22,
};

/// The draws of one image: `part` is 0 for training and 1 for test images, and no class stands in a counter, so that
/// images of different classes can be made from the same draws.
struct Draws {
    Seed seed;
    std::uint32_t part = 0, image = 0;

    Stream stream(Field field, int offset = 0) const noexcept {
        return {.seed = seed,
                .purpose = Purpose::synthetic,
                .node = static_cast<std::uint16_t>(static_cast<int>(field) + offset),
                .item = image,
                .epoch = part};
    }
    Words words(Field field, std::uint32_t block = 0) const noexcept { return draw(stream(field), block); }
};

/// sin(2 pi (across u + down v + phase)) times an amplitude.
struct Stripes {
    float across, down;  ///< cycles a pixel
    float phase;         ///< turns
    float amplitude;
};

/// Everything that determines an image up to its sensor noise. Angles are in turns.
struct Scene {
    float centre_u, centre_v;
    float radius, tilt, stretch;
    int lobes;
    float lobe_depth, wobble_depth, wobble, edge_width;
    float contrast;
    std::array<float, 3> colour, tint;
    Stripes texture, decoy;
    std::array<float, 4 * 4 + 8 * 8 + 16 * 16> grey;  ///< the lattices one after the other, row by row
    std::array<float, 3 * colour_nodes * colour_nodes> patches;
    float level, gain;
    float ramp_across, ramp_down;                      ///< brightness a pixel
    int hole_left, hole_top, hole_width, hole_height;  ///< width 0: none
};

/// Normal numbers of deviation 1, four a block of the stream: element i comes from block i / 4.
void fill_normals(const Stream& stream, float* out, int count) noexcept;

Scene draw_scene(const Law& law, const Draws& draws, int label, float similarity) noexcept;

/// The class of an image: every ten consecutive images show each class once, in an order drawn for those ten.
/// So any multiple of ten images is balanced, and a shorter set is the beginning of a longer one.
inline int label_of(Seed seed, std::uint32_t part, std::uint32_t image) noexcept {
    const Stream stream = Draws{seed, part, image / classes}.stream(Field::label);
    std::array<std::uint64_t, classes> key{};
    for (std::uint32_t k = 0; k < classes; ++k) key[k] = draw_long(stream, k);
    // The class at position p is the one with p smaller (key, class) before it.
    const auto position = static_cast<int>(image % classes);
    for (int k = 0; k < classes; ++k) {
        int before = 0;
        for (int j = 0; j < classes; ++j) {
            const auto a = key[static_cast<std::size_t>(j)], b = key[static_cast<std::size_t>(k)];
            before += a < b || (a == b && j < k);
        }
        if (before == position) return k;
    }
    return 0;  // not reached: the positions are a permutation
}

}  // namespace synthetic
}  // namespace SKEWGRAD_NAMESPACE

SKEWGRAD_EXACT_BEGIN
namespace SKEWGRAD_NAMESPACE {
namespace synthetic {

inline void fill_normals(const Stream& stream, float* out, int count) noexcept {
    SKEWGRAD_EXACT_BODY
    for (int i = 0; i < count; i += 4) {
        const Words words = draw(stream, static_cast<std::uint32_t>(i / 4));
        const std::uint32_t* w = words.data();
        const NormalPair a = normal_pair(w[0], w[1]), b = normal_pair(w[2], w[3]);
        const float four[4] = {a.first, a.second, b.first, b.second};
        for (int j = 0; j < 4 && i + j < count; ++j) out[i + j] = four[j];
    }
}

/// Uniform in [least, most).
inline float between(std::uint32_t word, float least, float most) noexcept {
    SKEWGRAD_EXACT_BODY
    return least + (most - least) * uniform(word);
}
/// Uniform among the whole numbers least .. most.
inline int whole_between(std::uint32_t word, int least, int most) noexcept {
    return least + static_cast<int>(uniform_below(static_cast<std::uint64_t>(word) << 32,
                                                  static_cast<std::uint64_t>(most - least + 1)));
}
/// Normal, deviation 1, from a field's first two words.
inline float normal(const Words& w) noexcept { return normal_pair(w[0], w[1]).first; }

/// The law of class `label` (0 .. 9), whose pair has this similarity (0: far apart, 1: one class under two names).
/// The law of every class is closed under mirroring left to right: angles come with both signs, the outline is
/// measured from the vertical axis, positions are uniform about the middle.
inline Scene draw_scene(const Law& law, const Draws& draws, int label, float similarity) noexcept {
    SKEWGRAD_EXACT_BODY
    const int pair = label / 2;
    const float apart = (label % 2 == 0 ? -1.0f : 1.0f) * (1.0f - similarity);
    const float degree = 1.0f / 360.0f;
    Scene s{};

    Words w = draws.words(Field::centre);
    s.centre_u = between(w[0], -law.centre, law.centre);
    s.centre_v = between(w[1], -law.centre, law.centre);
    s.radius = between(draws.words(Field::radius)[0], law.radius_least, law.radius_most);
    s.tilt = between(draws.words(Field::tilt)[0], -law.tilt, law.tilt) * degree;
    s.stretch = exp2_of(law.stretch_member * apart + law.stretch_deviation * normal(draws.words(Field::stretch)));
    s.lobes = law.lobes[static_cast<std::size_t>(pair)];
    s.lobe_depth = law.lobe_depth;
    s.wobble_depth = law.wobble_depth;
    s.wobble = uniform(draws.words(Field::wobble)[0]);
    s.edge_width = law.edge_width;

    const float hue = law.hue_step * static_cast<float>(pair) + law.hue_member * apart +
                      law.hue_deviation * normal(draws.words(Field::hue));
    for (int c = 0; c < 3; ++c)
        s.colour[static_cast<std::size_t>(c)] =
            law.colour * cosine_of_turns((hue - 120.0f * static_cast<float>(c)) * degree);
    w = draws.words(Field::contrast);
    s.contrast = (w[0] >> 31 ? -1.0f : 1.0f) * between(w[1], law.contrast_least, law.contrast_most);

    const float frequency = law.frequency * exp2_of(law.frequency_member * apart +
                                                    law.frequency_deviation * normal(draws.words(Field::frequency)));
    w = draws.words(Field::angle);
    const float angle =
        ((w[2] >> 31 ? -1.0f : 1.0f) * (law.angle + law.angle_member * apart) + law.angle_deviation * normal(w)) *
            degree +
        0.5f * s.tilt;
    // The texture sticks to the object: it is shifted and stretched with it.
    s.texture.across = frequency * cosine_of_turns(angle) / s.stretch;
    s.texture.down = frequency * sine_of_turns(angle) * s.stretch;
    s.texture.phase =
        uniform(draws.words(Field::phase)[0]) - s.texture.across * s.centre_u - s.texture.down * s.centre_v;
    s.texture.amplitude = law.amplitude * exp2_of(law.amplitude_deviation * normal(draws.words(Field::amplitude)));

    w = draws.words(Field::decoy);
    const float decoy = law.frequency * exp2_of(between(w[0], -law.decoy_octaves, law.decoy_octaves));
    const float direction = uniform(w[1]);
    s.decoy = {decoy * cosine_of_turns(direction), decoy * sine_of_turns(direction), uniform(w[2]),
               law.decoy_share * law.amplitude *
                   exp2_of(law.amplitude_deviation * normal(draws.words(Field::decoy_amplitude)))};

    float* at = s.grey.data();
    for (int i = 0; i < 3; ++i) {
        const int nodes = grey_nodes[static_cast<std::size_t>(i)] * grey_nodes[static_cast<std::size_t>(i)];
        fill_normals(draws.stream(Field::grey, i), at, nodes);
        for (int j = 0; j < nodes; ++j) at[j] *= law.grey_deviation[static_cast<std::size_t>(i)];
        at += nodes;
    }
    fill_normals(draws.stream(Field::colour), s.patches.data(), static_cast<int>(s.patches.size()));
    for (float& x : s.patches) x *= law.colour_deviation;
    fill_normals(draws.stream(Field::tint), s.tint.data(), 3);
    for (float& x : s.tint) x *= law.tint_deviation;

    w = draws.words(Field::ramp);
    const float ramp = between(w[0], 0.0f, law.ramp_most) / middle;
    s.ramp_across = ramp * cosine_of_turns(uniform(w[1]));
    s.ramp_down = ramp * sine_of_turns(uniform(w[1]));
    w = draws.words(Field::exposure);
    s.level = between(w[0], law.level_least, law.level_most);
    s.gain = between(w[1], law.gain_least, law.gain_most);

    w = draws.words(Field::hole);
    if (uniform(w[0]) < law.hole_probability) {
        s.hole_width = whole_between(w[1], law.hole_least, law.hole_most);
        s.hole_height = whole_between(w[2], law.hole_least, law.hole_most);
        w = draws.words(Field::hole, 1);
        s.hole_left = whole_between(w[0], 0, side - s.hole_width);
        s.hole_top = whole_between(w[1], 0, side - s.hole_height);
    }
    return s;
}

}  // namespace synthetic
}  // namespace SKEWGRAD_NAMESPACE
SKEWGRAD_EXACT_END
