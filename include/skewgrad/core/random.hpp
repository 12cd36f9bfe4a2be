// Counter-based random numbers: a draw is a function of what it is for, never of how many came before.
#pragma once
#include <Random123/philox.h>

#include <array>
#include <cstdint>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The 64-bit key of every stream of an experiment. Networks of one seed share initial weights, orders, masks and
/// flips wherever the counters agree.
struct Seed {
    std::uint64_t value = 0;
    friend constexpr bool operator==(const Seed&, const Seed&) = default;
};

/// What a draw is for. Part of the counter, so that no two uses ever meet; values are part of the file format.
enum class Purpose : std::uint16_t {
    initial_weights = 1,
    order = 2,
    dropout = 3,
    flip = 4,
    hold_out = 5,
    sample = 6,
    synthetic = 7,
    noise = 8,
    derangement = 9,
    start = 10,
    resample = 11,
    training_seed = 12,  ///< of a training that shares its data with another
};

/// Names one stream: `item` is the image's index in the whole data set (or whatever is drawn for), `copy` counts its
/// earlier occurrences in an index list, `node` the position in the network's tape or another sub-stream.
struct Stream {
    Seed seed{};
    Purpose purpose{};
    std::uint16_t node = 0;
    std::uint32_t item = 0;
    std::uint32_t epoch = 0;  ///< 24 bits are used
    std::uint8_t copy = 0;
};

using Words = std::array<std::uint32_t, 4>;

/// Four 32-bit words of Philox 4x32-10 (Salmon et al. 2011) at `block` of a stream.
/// Key = seed, low word first; counter = (block, item, epoch << 8 | copy, purpose << 16 | node).
SKEWGRAD_FN inline Words draw(const Stream& s, std::uint32_t block) noexcept {
    r123::Philox4x32::key_type key = {
        {static_cast<std::uint32_t>(s.seed.value), static_cast<std::uint32_t>(s.seed.value >> 32)}};
    r123::Philox4x32::ctr_type counter = {
        {block, s.item, (s.epoch << 8) | s.copy, (static_cast<std::uint32_t>(s.purpose) << 16) | s.node}};
    const auto out = r123::Philox4x32{}(counter, key);
    return {out[0], out[1], out[2], out[3]};
}

/// Word `index` of a stream: block index / 4, lane index % 4.
SKEWGRAD_FN inline std::uint32_t draw_word(const Stream& s, std::uint32_t index) noexcept { return draw(s, index / 4)[index % 4]; }

/// A 64-bit draw: words 0 and 1 of a block, word 0 the low half.
SKEWGRAD_FN inline std::uint64_t draw_long(const Stream& s, std::uint32_t block = 0) noexcept {
    const Words w = draw(s, block);
    return (static_cast<std::uint64_t>(w[1]) << 32) | w[0];
}

/// Uniform in [0, 1) on a grid of 2^-24, exact in float.
constexpr float uniform(std::uint32_t word) noexcept { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Uniform integer in [0, bound) from 64 random bits, by 128-bit multiplication (bias below bound / 2^64).
inline std::uint64_t uniform_below(std::uint64_t bits, std::uint64_t bound) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(bits) * bound) >> 64);
}

}  // namespace SKEWGRAD_NAMESPACE
