// What the kernels are told that make a weight gradient of lines: the pixels of some images side by side.
#pragma once
#include <cstddef>

#include <skewgrad/backend/bfloat16.hpp>
#include <skewgrad/backend/cpu/kernels/arguments.hpp>
#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

// A tile sums over 16 pairs that lie side by side. Here a pair is one place of two images, so places must follow each
// other for as long as possible, and every tap must find its own that way too. So all rows of all pairs of images form
// one line, with the border's zeros in between: what ends one row begins the next, and a tap is a step along the line.
//
//   0 0 0 0 . . . 0 a a a 0 b b b 0 c c c 0 0 0 0 . . . 0 d d d 0 ...      3 pixels a row, a border of 1, 4 a pitch
//
// Outputs stand at the places that their first tap reads; the gradient is zero where none does. What a tap multiplies
// is found by stepping back along the line of gradients: its places are whole cache lines wherever one begins, which
// those of inputs are not.

/// Positions of a tile's pairs, and channels of its rows.
inline constexpr int line_step = 16;

/// Where pixels stand in a line; stride 1, `padding` below `taps`.
struct LinePlan {
    int in_h = 1, in_w = 1, padding = 0, taps = 1;

    constexpr int out_h() const noexcept { return in_h + 2 * padding - taps + 1; }
    constexpr int out_w() const noexcept { return in_w + 2 * padding - taps + 1; }
    constexpr int pitch() const noexcept { return in_w + padding; }                   ///< from row to row
    constexpr int pair_pitch() const noexcept { return (in_h + padding) * pitch(); }  ///< from pair to pair
    constexpr int offset(int tap) const noexcept { return tap / taps * pitch() + tap % taps; }
    /// Zeros before the first output, for steps back.
    constexpr int before() const noexcept { return offset(taps * taps - 1); }
    /// Places that outputs of `pairs` pairs of images stand at.
    constexpr int outputs(int pairs) const noexcept {
        return (pairs - 1) * pair_pitch() + (out_h() - 1) * pitch() + out_w();
    }
    /// Of inputs: as far as the last tap of the last output reads, in whole steps. An odd number of them, so that the
    /// lines of neighbouring channels do not meet in the same places of a cache.
    constexpr int inputs(int pairs) const noexcept {
        const int all = steps(outputs(pairs) + before());
        return all / line_step % 2 == 1 ? all : all + line_step;
    }
    /// Of gradients: zeros, outputs, and zeros up to where inputs end.
    constexpr int slopes(int pairs) const noexcept { return before() + inputs(pairs); }

private:
    static constexpr int steps(int positions) noexcept { return (positions + line_step - 1) / line_step * line_step; }
};

/// Some images, channels innermost, to be laid out in lines. Of an odd number the last one's partner is zeros. Where
/// the inputs' pairs are an f32 value's two parts, each image is `twice` the pair.
struct LineImages {
    const Bfloat16* at = nullptr;
    std::ptrdiff_t image = 0, row = 0, pixel = 0;
    int count = 0;
    bool twice = false;
    constexpr int pairs() const noexcept { return twice ? count : (count + 1) / 2; }
};

/// Inputs as lines: to[channel - channel_begin][position][2], plan.inputs(pairs) positions. 64-byte aligned.
struct LineInputs {
    LinePlan plan;
    LineImages images;
    int channel_begin = 0, channel_end = 0;  ///< multiples of 16
    Bfloat16* to = nullptr;
};

/// f32 images as lines, each value's two parts being a pair, and every tap's inputs lines of their own: channel
/// tap * c + i of a layer with one tap whose plan is `lines()`. to[channel - channel_begin][position][2]; channels from
/// taps * taps * c on are zeros. Compact images, stride 1.
struct TapLines {
    LinePlan plan;  ///< of the convolution
    const float* in = nullptr;
    int c = 0, images = 0;
    int channel_begin = 0, channel_end = 0;  ///< multiples of 16
    Bfloat16* planes = nullptr;              ///< scratch of size_of_planes() elements
    Bfloat16* to = nullptr;

    constexpr LinePlan lines() const noexcept { return {plan.out_h(), plan.out_w(), 0, 1}; }
    constexpr int plane_w() const noexcept { return plan.in_w + 2 * plan.padding; }
    constexpr int plane() const noexcept { return (plan.in_h + 2 * plan.padding) * plane_w(); }
    /// The bordered channels of one image as pairs, and a row as it comes.
    constexpr int size_of_planes() const noexcept { return 2 * c * (plane() + plan.in_w); }
};

/// Gradients of outputs as lines: to[block - block_begin][position][16][2], plan.slopes(pairs) positions, 64-byte
/// aligned; and their sums over both images and all positions, from zero and in order, added to
/// bias_gradient[block][16] unless null. One block, or two that lie in the same 32 channels.
struct LineSlopes {
    LinePlan plan;
    LineImages images;
    int block_begin = 0, block_end = 0;
    Bfloat16* to = nullptr;
    float* bias_gradient = nullptr;
};

/// Adds a weight gradient, as PairWeightGradient: gradient(o, tap, c) += sum over positions of in's pair, channel c,
/// times the slopes' pair of output channel o, plan.offset(tap) before. Positions are summed 16 at a time in one chain
/// that begins at the gradient. A unit is (16 input channels, tap), the last channels fewer than 16 where in_c is
/// no multiple; no element is written by two units.
struct LineGradient {
    LinePlan plan;
    int pairs = 0;
    const Bfloat16* in = nullptr;      ///< as LineInputs
    int channel_begin = 0;             ///< of `in`
    const Bfloat16* slopes = nullptr;  ///< as LineSlopes, its first block being `block`
    int in_c = 0;
    float* gradient = nullptr;  ///< [out_blocks][taps][in_c][16]
    std::ptrdiff_t gradient_block = 0;
    int block = 0, blocks = 0;  ///< one or two of output channels
    int unit_begin = 0, unit_end = 0;
};

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
