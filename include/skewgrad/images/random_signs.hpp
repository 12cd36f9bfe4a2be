// Signs drawn for each pixel: white noise of an attack's size.
#pragma once
#include <cstdint>

#include <skewgrad/backend/pass.hpp>

namespace SKEWGRAD_NAMESPACE::images {

/// One sign a pixel, keyed on the image's item: bit e of the stream's words, e the pixel's index in C x H x W. The
/// order must be C x H x W: neighbours then share a block of the stream.
template <class R>
struct RandomSigns {
    PixelOrder order;
    const DrawKeys* draws;  ///< seed, and the sample's number as the epoch
    const Pick* picks;
    R* to;

    SKEWGRAD_FN auto operator()(int n) const {
        const Stream stream{
            .seed = draws->seed, .purpose = Purpose::noise, .item = picks[n].item, .epoch = draws->epoch};
        R* signs = order.image(to, n);
        std::uint32_t block = ~0u;
        r123::Philox4x32::ctr_type words{};
        return [=](int e) mutable {
            const auto k = static_cast<std::uint32_t>(e);
            if (k / 128 != block) words = philox(stream, block = k / 128);
            signs[e] = (words[k % 128 / 32] >> (k % 32) & 1u) != 0 ? R(1) : R(-1);
        };
    }
};

}  // namespace SKEWGRAD_NAMESPACE::images
