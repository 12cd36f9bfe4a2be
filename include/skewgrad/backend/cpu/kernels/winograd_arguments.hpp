// What the Winograd kernels of the f32 CPU backend are told: strips of tiles, planes of transformed values.
#pragma once
#include <cstddef>

#include <skewgrad/backend/cpu/kernels/arguments.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

// A 3 x 3 convolution computes 4 x 4 outputs from 6 x 6 inputs with 36 products where the plain sum takes 144:
// F(4 x 4, 3 x 3) of Lavin and Gray 2016 (Winograd 1980), points 0, +-1, +-2. Inputs, weights and output gradients are
// transformed per tile; place xi = 6 i + j of all tiles together is one plane, a matrix of tiles x channels. Between
// the transforms stand 36 matrix products, one a plane, which are convolutions with one tap (arguments.hpp).

inline constexpr int winograd_tile = 4;     ///< outputs of a tile, each way
inline constexpr int winograd_side = 6;     ///< places of a tile, each way
inline constexpr int winograd_planes = 36;  ///< places

/// The 36 planes of a run of tiles: place xi, tile t, channel c is at xi * apart + t * channels + c.
struct WinogradPlanes {
    float* at = nullptr;
    std::ptrdiff_t apart = 0;
    int channels = 0;  ///< a multiple of 16
};

/// A row of tiles of one image, each four pixels to the right of the one before. Pixels outside the image are read as
/// zero and never written.
template <class Float>
struct WinogradStrip {
    Float* image = nullptr;
    std::ptrdiff_t row = 0, pixel = 0;  ///< floats from row to row and pixel to pixel
    int h = 0, w = 0;                   ///< of the image
    int y = 0, x = 0;                   ///< the first tile's first pixel; may lie outside
    int tiles = 0;
};

/// Planes from pixels. `WinogradToInput` reads 6 x 6 pixels a tile (B^T d B), `WinogradToGradient` 4 x 4 pixels of an
/// output gradient (A dy A^T). Only the rows [row_begin, row_end) of the six are computed, for sharing by threads.
struct WinogradScatter {
    WinogradStrip<const float> from;
    WinogradPlanes to;
    const float* zeros = nullptr;  ///< 6 `from.pixel` zeros: what a row outside the image is
    int row_begin = 0, row_end = winograd_side;
};

/// Pixels from planes: A^T m A plus bias, 4 x 4 a tile; then rectified, then 0 where `mask`, laid out as the image that
/// is written, is not above 0.
struct WinogradGather {
    WinogradPlanes from;
    WinogradStrip<float> to;
    const float* bias = nullptr;  ///< `from.channels`; null means zero
    bool rectify = false;
    const float* mask = nullptr;  ///< may be null
};

/// Packed weights [blocks][3][3][in_c][16] to 36 planes [36][blocks][in_c][16] (G g G^T), and planes' gradients added
/// to those of packed weights (G^T u G): blocks of 16 outputs [begin, end) of `blocks`.
struct WinogradWeights {
    const float* from = nullptr;
    float* to = nullptr;
    int in_c = 0, blocks = 0;
    int block_begin = 0, block_end = 0;
};

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
