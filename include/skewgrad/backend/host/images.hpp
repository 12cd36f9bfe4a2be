// Images on a host backend: canonical floats and stored bytes in, the backend's layout inside, sign steps in place.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/backend/host/buffer.hpp>
#include <skewgrad/backend/host/layout.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// n images in a backend's layout, never rounded below f32.
template <class Value>
struct Images {
    Layout layout;
    int count = 0;
    Buffer<Value> memory;
    Value* at(int n) { return memory.data() + static_cast<std::size_t>(n) * layout.size; }
    const Value* at(int n) const { return memory.data() + static_cast<std::size_t>(n) * layout.size; }
};

/// A data set kept as the bytes it was read as.
struct ByteImages {
    std::shared_ptr<const ImageStore> store;
};

// Not inlined, as all that a pass does once: every network would have a copy.
template <class Real, class Value>
[[gnu::noinline]] void load(int threads, std::span<const Real> canonical, Images<Value>& x) {
    const Shape s = x.layout.shape;
    parallel_for(threads, x.count, [&](int n) {
        const Real* from = canonical.data() + static_cast<std::size_t>(n) * static_cast<std::size_t>(s.size());
        Value* to = x.at(n);
        for (int c = 0; c < s.c; ++c)
            for (int h = 0; h < s.h; ++h)
                for (int w = 0; w < s.w; ++w) to[x.layout(c, h, w)] = static_cast<Value>(*from++);
    });
}

template <class Real, class Value>
[[gnu::noinline]] void unload(int threads, const Images<Value>& x, std::span<Real> canonical) {
    const Shape s = x.layout.shape;
    parallel_for(threads, x.count, [&](int n) {
        Real* to = canonical.data() + static_cast<std::size_t>(n) * static_cast<std::size_t>(s.size());
        const Value* from = x.at(n);
        for (int c = 0; c < s.c; ++c)
            for (int h = 0; h < s.h; ++h)
                for (int w = 0; w < s.w; ++w) *to++ = static_cast<Real>(from[x.layout(c, h, w)]);
    });
}

/// Bytes of the picked images to pixels x / 255, mirrored left to right where the batch's stream says so.
template <class Value>
[[gnu::noinline]] void gather(int threads, const ImageStore& store, const Batch& batch, const Layout& layout,
                              Value* to) {
    parallel_for(threads, static_cast<int>(batch.picks.size()), [&](int n) {
        const Pick pick = batch.picks[static_cast<std::size_t>(n)];
        const bool mirror = batch.flips && flipped(batch.seed, pick.item, pick.copy, batch.epoch);
        const std::uint8_t* from = store.image(pick.item).data();
        Value* image = to + static_cast<std::size_t>(n) * layout.size;
        const Shape s = layout.shape;
        for (int c = 0; c < s.c; ++c)
            for (int h = 0; h < s.h; ++h)
                for (int w = 0; w < s.w; ++w)
                    image[layout(c, h, mirror ? s.w - 1 - w : w)] = static_cast<Value>(byte_to_float[*from++]);
    });
}

SKEWGRAD_EXACT_BEGIN
/// x <- clip(project(x + alpha sign(g))) over a run of elements (numerics: attacks). A gradient that is not a number
/// counts as zero. Comparisons, so that no NaN is made.
template <class Value>
void sign_step(Value* x, const Value* origin, const Value* gradient, std::size_t size, SignStep step) noexcept {
    SKEWGRAD_EXACT_BODY
    const Value alpha = static_cast<Value>(step.alpha), radius = static_cast<Value>(step.radius);
    const Value up = alpha, down = -alpha, level = alpha * static_cast<Value>(step.at_zero);
    for (std::size_t i = 0; i < size; ++i) {
        const Value g = gradient[i];
        Value moved = x[i] + (g > 0 ? up : g < 0 ? down : level);
        const Value low = origin[i] - radius, high = origin[i] + radius;
        moved = moved < low ? low : moved > high ? high : moved;
        if (step.clip) moved = moved < 0 ? Value(0) : moved > 1 ? Value(1) : moved;
        x[i] = moved;
    }
}
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::host
