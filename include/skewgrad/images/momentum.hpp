// The gradient's moving sum of MI-FGSM.
#pragma once
#include <skewgrad/images/l2.hpp>

namespace SKEWGRAD_NAMESPACE::images {

SKEWGRAD_EXACT_BEGIN
/// m <- mu m + g / |g|_1 (Dong et al. 2018, equation 6), the norm each image's own. A zero gradient adds nothing.
template <class R>
struct Momentum {
    PixelOrder order;
    R* m;
    const R* gradient;
    const double* norm;  ///< |g|_1, one an image
    R mu;                ///< 0: m is set, whatever it was

    SKEWGRAD_FN auto operator()(int n) const {
        const R* g = order.image(gradient, n);
        R* kept = order.image(m, n);
        const R by = norm[n] > least_norm ? static_cast<R>(1 / norm[n]) : R(0), keep = mu;
        return [=](int e) {
            SKEWGRAD_EXACT_BODY
            const R before = times(keep, kept[e]);
            kept[e] = (keep == 0 ? R(0) : before) + times(by, g[e]);
        };
    }
};
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::images
