// What each bf16 CPU kernel is told: pointers, strides in elements, extents.
#pragma once
#include <cstddef>

#include <skewgrad/backend/bfloat16.hpp>
#include <skewgrad/backend/cpu/kernels/arguments.hpp>
#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

// Products are taken of pairs: two neighbouring bf16 with two others, both products added to one f32 sum. What makes a
// pair is the caller's choice:
//   forward and backward-data    two channels of a pixel, with the two channels' weights
//   weight gradient              one channel of two images, with one output channel's gradients of the same two
//   where an f32 value is read   its two bf16 parts, whose sum is within 2^-17 of it, with the same factor twice
// An activation is one image of bf16, channels innermost: element (y, x, c) at y * row + x * pixel + c. The pixel
// stride is 16 or a multiple of 32, and the channels that fill it up are zero. f32 values (the image and what is like
// it, the logits) are compact. All strides count elements of what they lead through.

/// A tile of AMX: so many pixels, and so many of their pairs.
inline constexpr int tile_pixels = 16, tile_pairs = 16;

/// Channels of the input whose weight gradients are summed together.
inline constexpr int panel_channels = 8;
constexpr int panels_of(int channels) noexcept { return (channels + panel_channels - 1) / panel_channels; }

/// Rows of an input that are known to be zero: those before `begin` and those from `end` on. Products with them need
/// not be taken, and where whole groups of pixels would take them they are not.
struct ZeroRows {
    int begin = 0, end = 1 << 30;
    /// Of `taps` rows from input row `y` on, those that are not known to be zero.
    constexpr int first_tap(int y) const noexcept { return begin > y ? begin - y : 0; }
    constexpr int end_tap(int y, int taps) const noexcept { return end - y < taps ? end - y : taps; }
};

/// Cross-correlation of one image with packed weights, plus bias, as Convolution for f32:
/// out(y, x, o) = bias(o) + sum over (tap_y, tap_x, pair) of in's pair * weights' pair, in that order in one chain per
/// output: its bits depend on its operands and the set alone. `in` carries its zero border.
///
/// By tiles, pixels touch each other, in_pixel = 2 * pairs, and rows of taps are filled up to whole tiles, else they
/// are done without. Several images may be done together whose rows are too short to fill one: then `in` has them
/// interleaved, pixel (y, x) of image i at y * in_row + (x * images + i) * in_pixel, so that 16 neighbours are one step
/// apart for every tap. Their stride is 1; the last of them need not be stored.
struct PairConvolution {
    const Bfloat16* in = nullptr;
    std::ptrdiff_t in_row = 0, in_pixel = 0;
    int pairs = 0;  ///< of a pixel
    int taps_h = 1, taps_w = 1;
    int row_fill = 0;  ///< pairs of zeros behind each row of taps' weights; what `in` has there must be finite
    int stride = 1;
    int images = 1, stored_images = 1;
    ZeroRows zero_rows{};
    const Bfloat16* weights = nullptr;  ///< [out_blocks][taps_h][taps_w * pairs + row_fill][16][2], 64-byte aligned
    const float* bias = nullptr;        ///< [out_blocks][16]; null means zero. Read for blocks below blocks_of(out_c)
    void* out = nullptr;                ///< of bf16, or of f32 where `out_f32` says so
    const void* mask = nullptr;         ///< laid out and stored as out: where it is not above 0 the result is 0
    bool out_f32 = false;
    bool rectify = false;  ///< results below 0 become 0
    std::ptrdiff_t out_row = 0, out_pixel = 0, out_image = 0;
    int out_c = 0;  ///< bf16: blocks are stored whole; f32: lanes from here on have no place
    int out_h = 0, out_w = 0;
    int out_block_begin = 0, out_block_end = 0;
    constexpr int packed_row() const noexcept { return taps_w * pairs + row_fill; }
};

/// Adds a weight gradient: gradient(o, tap_y, tap_x, c) += sum over output pixels of in's pair at (y * stride + tap_y,
/// x * stride + tap_x), channel c, times the pair (first, second) of output gradients at (y, x, o); and
/// bias_gradient(o)
/// += sum of both. Pixels are summed in row-major order in groups of whole rows (or of 128 pixels), each group from
/// zero; groups depend on out_h and out_w alone. A unit is (two blocks of output channels, panel of 8 input channels,
/// tap_y, tap_x), the last of one block where their number is odd; no element is written by two units.
struct PairWeightGradient {
    const Bfloat16* in = nullptr;  ///< [panels][rows][pixels][8][2], bordered
    std::ptrdiff_t in_panel = 0, in_row = 0;
    int in_c = 0;
    int taps_h = 1, taps_w = 1;
    int stride = 1;
    ZeroRows zero_rows{};
    const Bfloat16* first = nullptr;   ///< output gradients, padded pixels
    const Bfloat16* second = nullptr;  ///< null: zeros. Equal to `first`: the pair is (first, first), its sum first
    std::ptrdiff_t out_row = 0, out_pixel = 0;
    int out_c = 0;
    int out_h = 0, out_w = 0;
    float* gradient = nullptr;          ///< [out_blocks][taps_h][taps_w][in_c][16]
    std::ptrdiff_t gradient_block = 0;  ///< from one block of output channels to the next
    float* bias_gradient = nullptr;     ///< [out_blocks][16]; null where not wanted. Written with panel 0, tap (0, 0)
    int unit_begin = 0, unit_end = 0;
    constexpr int units_of_group() const { return panels_of(in_c) * taps_h * taps_w; }
    constexpr int units() const { return (blocks_of(out_c) + 1) / 2 * units_of_group(); }
};

/// The bf16 copies of packed f32 weights, [blocks][taps][in_c][16]. Forward: [out_blocks][taps][pairs][16][2], a pair
/// being channels 2p and 2p + 1, or channel p twice where `twice`. Transposed, for the gradient at the input: taps
/// flipped and channels exchanged, [in_blocks][taps][out pairs][16][2]. Each row of taps is followed by `row_fill`
/// pairs. Lanes, halves and pairs without a weight are zero.
struct PairPacking {
    const float* weights = nullptr;
    Bfloat16* to = nullptr;
    int in_c = 0, out_c = 0;
    int kernel = 1;  ///< taps of a row, and rows of taps
    bool twice = false;
    int pairs = 0, row_fill = 0;
    int block_begin = 0, block_end = 0;  ///< blocks of 16 lanes to write, for sharing by threads
};

/// One channels-last row of two images as pairs, cut into panels: to[panel][pixel][8][2]. Null `second`: zeros.
struct PairRows {
    const Bfloat16* first = nullptr;
    const Bfloat16* second = nullptr;
    std::ptrdiff_t pixel = 0;
    int pixels = 0, panels = 0;
    Bfloat16* to = nullptr;
    std::ptrdiff_t to_panel = 0, to_pixel = 0;
};

/// Drop of bf16 values; `how` without its pointers.
struct Bf16Drop {
    const Bfloat16* in = nullptr;
    Bfloat16* out = nullptr;
    Drop how;
};

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
