// Norms of images and of differences of images, as terms of folds.
#pragma once
#include <skewgrad/backend/pixels.hpp>
#include <skewgrad/images/arithmetic.hpp>

namespace SKEWGRAD_NAMESPACE::images {

SKEWGRAD_EXACT_BEGIN
/// |x - y|, or |x| where y is null.
template <class R>
struct AbsoluteDifference {
    PixelOrder order;
    const R* x;
    const R* y;
    SKEWGRAD_FN auto operator()(int n) const {
        const R *a = order.image(x, n), *b = y ? order.image(y, n) : nullptr;
        return [=](int e) {
            SKEWGRAD_EXACT_BODY
            const R d = b ? a[e] - b[e] : a[e];
            return static_cast<double>(d < 0 ? -d : d);
        };
    }
};
/// (x - y)^2, or x^2 where y is null.
template <class R>
struct SquaredDifference {
    PixelOrder order;
    const R* x;
    const R* y;
    SKEWGRAD_FN auto operator()(int n) const {
        const R *a = order.image(x, n), *b = y ? order.image(y, n) : nullptr;
        return [=](int e) {
            SKEWGRAD_EXACT_BODY
            const double d = static_cast<double>(b ? a[e] - b[e] : a[e]);
            return times(d, d);
        };
    }
};
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::images
