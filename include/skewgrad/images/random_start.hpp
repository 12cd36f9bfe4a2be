// Random starts of attacks, keyed on the image: the same for any batch, order and space.
#pragma once
#include <cmath>
#include <cstdint>

#include <skewgrad/backend/pass.hpp>
#include <skewgrad/images/arithmetic.hpp>
#include <skewgrad/images/ball.hpp>

namespace SKEWGRAD_NAMESPACE::images {

/// Where an attack begins: at the image; uniform in the L-infinity ball; near the image, radius times N(0, 1).
enum class Start : std::uint8_t { image, uniform, normal };
inline const char* to_string(Start start) {
    return start == Start::image ? "image" : start == Start::uniform ? "uniform" : "normal";
}

SKEWGRAD_EXACT_BEGIN
/// x <- clip(origin + radius draw). DrawKeys are keyed on (seed, start, node, item, epoch, copy) and on the element's
/// number (h W + w) C + c, as dropout's masks are. `node` tells restarts apart.
template <class R>
struct RandomStart {
    Ball<R> ball;
    R* x;
    const DrawKeys* draws;
    const Pick* picks;
    int node;
    Start start;

    SKEWGRAD_FN auto operator()(int n) const {
        const PixelOrder order = ball.order;
        const R* origin = order.image(ball.origin, n);
        R* moved = order.image(x, n);
        const Stream stream =
            stream_of(draws->seed, Purpose::start, picks[n], draws->epoch, static_cast<std::uint16_t>(node));
        const R radius = ball.radius[n], least = ball.least(), most = ball.most();
        const bool normal = start == Start::normal;
        std::uint32_t block = ~0u;  // of the stream: four neighbouring elements share one
        r123::Philox4x32::ctr_type words{};
        return [=](int e) mutable {
            SKEWGRAD_EXACT_BODY
            const auto k = static_cast<std::uint32_t>(order.draw_index(e)), first = normal ? 2 * k : k;
            if (first / 4 != block) words = philox(stream, block = first / 4);
            R u = R(2) * static_cast<R>(uniform(words[first % 4])) - R(1);  // exact
            if (normal) {                                                   // Box and Muller (1958), in double
                const double a = 1 - static_cast<double>(uniform(words[first % 4]));
                const double b = static_cast<double>(uniform(words[first % 4 + 1]));
                u = static_cast<R>(std::sqrt(-2 * std::log(a)) * std::cos(6.283185307179586 * b));
            }
            moved[e] = within(origin[e] + times(radius, u), least, most);
        };
    }
};
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::images
