// A step along a gradient of length 1, and projection onto an L2 ball.
#pragma once
#include <cmath>

#include <skewgrad/images/arithmetic.hpp>
#include <skewgrad/images/ball.hpp>

namespace SKEWGRAD_NAMESPACE::images {

/// Gradients with a smaller norm move nothing: their direction is rounding.
inline constexpr double least_norm = 1e-12;

SKEWGRAD_EXACT_BEGIN
/// x <- x + direction length_n g / |g|_2.
template <class R>
struct NormalisedStep {
    PixelOrder order;
    R* x;
    const R* gradient;
    const R* length;       ///< one an image
    const double* square;  ///< |g|_2^2, one an image
    R direction;           ///< 1 up the loss, -1 down

    SKEWGRAD_FN auto operator()(int n) const {
        const R* g = order.image(gradient, n);
        R* moved = order.image(x, n);
        const double norm = std::sqrt(square[n]);
        const R by = norm > least_norm ? static_cast<R>(static_cast<double>(direction * length[n]) / norm) : R(0);
        return [=](int e) {
            SKEWGRAD_EXACT_BODY
            moved[e] = moved[e] + times(by, g[e]);
        };
    }
};
/// x <- clip(origin + (x - origin) min(1, radius / |x - origin|_2)).
template <class R>
struct ProjectL2 {
    Ball<R> ball;
    R* x;
    const double* square;  ///< |x - origin|_2^2, one an image

    SKEWGRAD_FN auto operator()(int n) const {
        const R* origin = ball.order.image(ball.origin, n);
        R* moved = ball.order.image(x, n);
        const double norm = std::sqrt(square[n]), radius = static_cast<double>(ball.radius[n]);
        const R by = norm > radius ? static_cast<R>(radius / norm) : R(1);
        const R least = ball.least(), most = ball.most();
        return [=](int e) {
            SKEWGRAD_EXACT_BODY
            moved[e] = within(origin[e] + times(moved[e] - origin[e], by), least, most);
        };
    }
};
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::images
