// Where an element of one image lies in host memory: planar, or channels last with a padded channel stride.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/core/shape.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Offsets are linear in (c, h, w); `size` counts the elements one image takes, padding included.
struct Layout {
    Shape shape;
    std::ptrdiff_t c = 0, h = 0, w = 0;
    std::size_t size = 0;

    constexpr std::size_t operator()(int ic, int ih, int iw) const {
        return static_cast<std::size_t>(ic * c + ih * h + iw * w);
    }
    /// Logical element index of dropout's stream: (h W + w) C + c, in every backend.
    constexpr std::uint32_t element(int ic, int ih, int iw) const {
        return static_cast<std::uint32_t>((ih * shape.w + iw) * shape.c + ic);
    }
};

constexpr Layout planar(Shape s) { return {s, std::ptrdiff_t{s.h} * s.w, s.w, 1, static_cast<std::size_t>(s.size())}; }

constexpr Layout channels_last(Shape s, int channel_stride) {
    const std::ptrdiff_t pixel = channel_stride;
    return {s, 1, pixel * s.w, pixel, static_cast<std::size_t>(pixel) * static_cast<std::size_t>(s.h * s.w)};
}

/// Zeroes the channels that fill up a pixel, for all images from `at` on: kernels may read them, and count on zero.
template <class T>
void clear_padding(const Layout& l, T* at, int images) {
    if (l.c != 1 || l.w <= l.shape.c) return;
    const std::ptrdiff_t pixels = std::ptrdiff_t{images} * l.shape.h * l.shape.w;
    for (std::ptrdiff_t p = 0; p < pixels; ++p)
        for (std::ptrdiff_t c = l.shape.c; c < l.w; ++c) at[p * l.w + c] = T{};
}

/// One image read as (c, h, w), as the sum type S whatever is stored.
template <class T, class S>
struct View {
    const T* at;
    Layout layout;
    Shape shape = layout.shape;
    S operator()(int c, int h, int w) const { return static_cast<S>(at[layout(c, h, w)]); }
};

}  // namespace SKEWGRAD_NAMESPACE::host
