// What each f32 CPU kernel is told: pointers, strides in floats, extents.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/bfloat16.hpp>
#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

// Layout that all kernels share. An activation is one image of f32 values, channels innermost: element (y, x, c) is
// at y * row + x * pixel + c. The pixel stride is the channel count where that is at most 4, else it is rounded up to
// a multiple of 16, and the channels that fill it up are zero. Packed weights come in blocks of 16 output channels:
// [out_blocks][taps_h][taps_w][in_c][16], zero in lanes beyond the last output channel. All strides count floats.

/// Channels in one block of packed weights, on every instruction set.
inline constexpr int channel_block = 16;

/// Number of blocks that hold `channels` channels.
constexpr int blocks_of(int channels) noexcept { return (channels + channel_block - 1) / channel_block; }

/// Cross-correlation of one image with packed weights, plus bias:
/// out(y, x, o) = bias(o) + sum over (tap_y, tap_x, c) of in(y * stride + tap_y, x * stride + tap_x, c) * weight,
/// summed in that order in one chain per output, so an output's bits depend on nothing but its operands and
/// whether the set has fused multiply-adds. Dense layers are the case of 1 x 1 taps and out_h = 1, where a "pixel"
/// is one image of the batch.
/// The input carries its zero border: in points at the element that the tap (0, 0) of output (0, 0) reads, and
/// (out_h - 1) * stride + taps_h rows of (out_w - 1) * stride + taps_w pixels from there on must be readable.
/// Speed: a pixel stride that is a multiple of 1024 floats makes neighbouring pixels compete for the same lines of
/// the first-level cache; 16 floats more avoid that.
struct Convolution {
    const float* in = nullptr;
    std::ptrdiff_t in_row = 0;    ///< floats from one input row to the next
    std::ptrdiff_t in_pixel = 0;  ///< floats from one input pixel to the next, at least in_c
    int in_c = 0;
    int taps_h = 1, taps_w = 1;
    int stride = 1;
    const float* weights = nullptr;  ///< [out_blocks][taps_h][taps_w][in_c][16], 64-byte aligned
    const float* bias = nullptr;     ///< [out_blocks][16], 64-byte aligned; null means zero
    float* out = nullptr;
    std::ptrdiff_t out_row = 0, out_pixel = 0;
    /// Valid output channels. A block that fits into the pixel stride is stored whole (its padding lanes come out as
    /// 0 from zero weights and bias); of a block that does not fit only the lanes below out_c are stored.
    int out_c = 0;
    int out_h = 0, out_w = 0;
    int out_block_begin = 0, out_block_end = 0;  ///< blocks of 16 output channels to compute, for sharing by threads
};

/// Adds one image's weight gradient:
/// gradient(o, tap_y, tap_x, c) += sum over output pixels of
/// in(y * stride + tap_y, x * stride + tap_x, c) * out_gradient(y, x, o), and bias_gradient(o) += sum of out_gradient.
/// Pixels are summed in row-major order in groups of whole rows (or, for rows above 128 pixels, of 128 pixels),
/// each group from zero; group sums are added to the gradient in order. Groups depend on out_h and out_w alone.
/// A unit is one (block of output channels, tap_y, tap_x), numbered in the order of the packed weights; threads share
/// units, and no element is written by two units.
struct WeightGradient {
    const float* in = nullptr;  ///< as in Convolution, with border
    std::ptrdiff_t in_row = 0, in_pixel = 0;
    int in_c = 0;
    int taps_h = 1, taps_w = 1;
    int stride = 1;
    const float* out_gradient = nullptr;
    std::ptrdiff_t out_row = 0, out_pixel = 0;  ///< of out_gradient
    /// Valid channels of out_gradient. Lanes of a block beyond its pixel stride count as zero; padding channels
    /// inside the pixel stride are read as they are.
    int out_c = 0;
    int out_h = 0, out_w = 0;
    float* gradient = nullptr;       ///< layout of the packed weights, 64-byte aligned
    float* bias_gradient = nullptr;  ///< [out_blocks][16]; null where not wanted. Belongs to units with tap (0, 0)
    int unit_begin = 0, unit_end = 0;
};

/// Repacks the weights of a convolution for the gradient at its input, which is a convolution of the (stride-dilated,
/// zero-bordered) output gradient with taps flipped and channels exchanged:
/// transposed[in block][tap_y][tap_x][o][lane] = weights[o / 16][taps_h-1-tap_y][taps_w-1-tap_x][c][o % 16], where
/// c = 16 * in block + lane, and 0 for lanes with c >= in_c.
struct WeightTranspose {
    const float* weights = nullptr;  ///< [out_blocks][taps_h][taps_w][in_c][16]
    float* transposed = nullptr;     ///< [in_blocks][taps_h][taps_w][out_c][16]
    int in_c = 0, out_c = 0;
    int taps_h = 1, taps_w = 1;
    int in_block_begin = 0, in_block_end = 0;  ///< blocks of 16 input channels to write, for sharing by threads
};

/// Maximum over windows that do not overlap (stride = window), of one image of float or Bfloat16. A NaN in a window
/// gives NaN.
template <class T>
struct MaxPool {
    const T* in = nullptr;
    std::ptrdiff_t in_row = 0, in_pixel = 0;
    T* out = nullptr;
    std::ptrdiff_t out_row = 0, out_pixel = 0;
    int channels = 0;  ///< channels to process: normally the pixel stride, so that padding is written too
    int window = 2;
    int out_h = 0, out_w = 0;
};

/// Gradient of MaxPool: each output's gradient goes to the first maximum of its window in row-major order (numerics:
/// MaxPool), found again from the pool's input; where the maximum is NaN, to the last NaN. All out_h * window rows and
/// out_w * window pixels of in_gradient are written, with zeros where no gradient goes.
template <class T>
struct MaxPoolGradient {
    const T* in = nullptr;
    std::ptrdiff_t in_row = 0, in_pixel = 0;
    const T* out_gradient = nullptr;
    std::ptrdiff_t out_row = 0, out_pixel = 0;
    T* in_gradient = nullptr;
    std::ptrdiff_t in_gradient_row = 0, in_gradient_pixel = 0;
    int channels = 0;
    int window = 2;
    int out_h = 0, out_w = 0;
    bool positive = false;  ///< a maximum that is not above 0 passes nothing on
};

/// Dropout of one image's elements: each is 0 where its 16 random bits are below the threshold, else multiplied by
/// scale (numerics: randomness). Element e has half e % 8 of Philox block e / 8 at counter (block, counter...).
struct Drop {
    const float* in = nullptr;
    float* out = nullptr;
    std::ptrdiff_t size = 0;
    std::uint32_t key[2]{};
    std::uint32_t counter[3]{};
    std::uint32_t threshold = 0;
    float scale = 1;
};

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
