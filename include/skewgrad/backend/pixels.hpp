// The order of an image's elements in a space, and rows of logits with a stride.
#pragma once
#include <cstddef>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/shape.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Order of one image's elements: C x H x W (canonical), or channels last. Images have no padding and are contiguous.
struct PixelOrder {
    Shape shape{};
    bool channels_last = false;

    SKEWGRAD_FN constexpr int size() const { return shape.size(); }
    SKEWGRAD_FN constexpr int offset(int c, int h, int w) const {
        return channels_last ? (h * shape.w + w) * shape.c + c : (c * shape.h + h) * shape.w + w;
    }
    /// Number (h W + w) C + c of element e. Random draws are keyed on it, so that they are the same in every order.
    SKEWGRAD_FN constexpr int draw_index(int e) const {
        return channels_last ? e : e % (shape.h * shape.w) * shape.c + e / (shape.h * shape.w);
    }
    /// Index of element e in C x H x W.
    SKEWGRAD_FN constexpr int canonical(int e) const {
        return channels_last ? e % shape.c * shape.h * shape.w + e / shape.c : e;
    }
    /// Image n of an array of images.
    template <class T>
    SKEWGRAD_FN constexpr T* image(T* images, int n) const {
        return images + static_cast<std::size_t>(n) * static_cast<std::size_t>(size());
    }
};

/// One row of `classes` numbers an image, rows `stride` apart: logits, or gradients at the logits. Null: no rows.
template <class R>
struct Rows {
    R* data = nullptr;
    int classes = 0, stride = 0;

    SKEWGRAD_FN constexpr R* operator[](int n) const {
        return data ? data + static_cast<std::size_t>(n) * static_cast<std::size_t>(stride) : nullptr;
    }
};

}  // namespace SKEWGRAD_NAMESPACE
