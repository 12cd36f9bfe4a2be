// Copies of images: all, flagged ones, chosen ones, and between a space's order and C x H x W.
#pragma once
#include <cstdint>

#include <skewgrad/backend/pixels.hpp>

namespace SKEWGRAD_NAMESPACE::images {

/// to <- from, for the images whose flag is set; for all of them where there are no flags.
template <class R>
struct Copy {
    PixelOrder order;
    const R* from;
    R* to;
    const std::uint8_t* flags = nullptr;
    SKEWGRAD_FN auto operator()(int n) const {
        const R* source = order.image(from, n);
        R* target = order.image(to, n);
        const bool copies = !flags || flags[n];
        return [=](int e) { target[e] = copies ? source[e] : target[e]; };
    }
};
/// to[n] <- from[which[n]].
template <class R>
struct Select {
    PixelOrder order;
    const R* from;
    const std::uint32_t* which;
    R* to;
    SKEWGRAD_FN auto operator()(int n) const {
        const R* source = order.image(from, static_cast<int>(which[n]));
        R* target = order.image(to, n);
        return [=](int e) { target[e] = source[e]; };
    }
};
/// Images in C x H x W to the space's order.
template <class From, class R>
struct FromCanonical {
    PixelOrder order;
    const From* from;
    R* to;
    SKEWGRAD_FN auto operator()(int n) const {
        const From* source = order.image(from, n);
        R* target = order.image(to, n);
        const Shape s = order.shape;
        return [=](int e, int c, int h, int w) { target[e] = static_cast<R>(source[(c * s.h + h) * s.w + w]); };
    }
};
/// Images in the space's order to C x H x W.
template <class R, class To>
struct ToCanonical {
    PixelOrder order;
    const R* from;
    To* to;
    SKEWGRAD_FN auto operator()(int n) const {
        const R* source = order.image(from, n);
        To* target = order.image(to, n);
        const Shape s = order.shape;
        return [=](int e, int c, int h, int w) { target[(c * s.h + h) * s.w + w] = static_cast<To>(source[e]); };
    }
};

}  // namespace SKEWGRAD_NAMESPACE::images
