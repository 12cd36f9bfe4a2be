// A step along the signs of a gradient, projected onto an L-infinity ball (numerics: attacks).
#pragma once
#include <skewgrad/images/arithmetic.hpp>
#include <skewgrad/images/ball.hpp>

namespace SKEWGRAD_NAMESPACE::images {

SKEWGRAD_EXACT_BEGIN
/// x <- clip(project(x + direction length_n sign(g))). A gradient that is not a number counts as zero. Comparisons, so
/// that no NaN is made, one after the other, so that compilers vectorise them: signs of gradients are as good as
/// random, and so would be the branches.
template <class R>
struct SignStep {
    Ball<R> ball;
    R* x;
    const R* gradient;
    const R* length;  ///< one an image
    R direction;      ///< 1 up the loss, -1 down
    R at_zero;        ///< what sign(0) is

    SKEWGRAD_FN auto operator()(int n) const {
        const PixelOrder& order = ball.order;
        const R *origin = order.image(ball.origin, n), *g = order.image(gradient, n);
        R* moved = order.image(x, n);
        const R up = direction * length[n], down = -up, level = up * at_zero, radius = ball.radius[n];
        const R least = ball.least(), most = ball.most();
        return [=](int e) {
            SKEWGRAD_EXACT_BODY
            R step = g[e] > 0 ? up : level;
            step = g[e] < 0 ? down : step;
            const R y = within(moved[e] + step, origin[e] - radius, origin[e] + radius);
            moved[e] = within(y, least, most);
        };
    }
};
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::images
