// Stored bytes to pixels: the picked images of a data set, mirrored where their draws say so.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/pass.hpp>
#include <skewgrad/data/dataset.hpp>

namespace SKEWGRAD_NAMESPACE::images {

SKEWGRAD_EXACT_BEGIN
/// x / 255 of the picked images. With draws each image is mirrored left to right half the time.
template <class R>
struct FromBytes {
    PixelOrder order;
    const std::uint8_t* bytes;  ///< of the whole store, N x C x H x W
    const Pick* picks;
    const DrawKeys* flips;  ///< what mirroring is keyed on; null: no image is mirrored
    R* to;

    SKEWGRAD_FN auto operator()(int n) const {
        const Shape s = order.shape;
        const Pick pick = picks[n];
        const std::uint8_t* from = bytes + static_cast<std::size_t>(pick.item) * static_cast<std::size_t>(s.size());
        R* image = order.image(to, n);
        const bool mirrors = flips && flipped(flips->seed, pick, flips->epoch);
        return [=](int e, int c, int h, int w) {
            const std::uint8_t byte = from[(c * s.h + h) * s.w + (mirrors ? s.w - 1 - w : w)];
#if defined(__CUDA_ARCH__)
            image[e] = static_cast<R>(static_cast<float>(byte) / 255.0f);
#else
            image[e] = static_cast<R>(byte_to_float[byte]);
#endif
        };
    }
};
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::images
