// Operations on images: each functor on a host and on a device, in both orders of pixels, gives the definition's bits.
#define BOOST_TEST_MODULE images_operations
#include <algorithm>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <skewgrad/backend/host/space.hpp>
#include <skewgrad/images/l2.hpp>
#include <skewgrad/images/momentum.hpp>
#include <skewgrad/images/norms.hpp>
#include <skewgrad/images/random_signs.hpp>
#include <skewgrad/images/random_start.hpp>
#include <skewgrad/images/sign_step.hpp>
#include <skewgrad/model/space_images.hpp>
#include <span>
#include <vector>

#include "backend/cuda_device.hpp"
#include "backend/subjects.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

constexpr Shape shape{3, 5, 4};
constexpr std::size_t count = 7, pixels = 60;

/// A space, and a queue of it.
template <class S>
typename S::Queue queue() {
    if constexpr (S::eager)
        return {3};
    else
        return {};
}
using Spaces = boost::mpl::list<HostSpace<float>, cuda::DeviceSpace<Device>>;

/// Images in a space: from and to C x H x W.
template <class S>
struct Images {
    PixelOrder order;
    typename S::Queue on = queue<S>();
    typename S::template Array<float> memory;

    Images(const std::vector<float>& canonical, bool channels_last)
        : order{shape, channels_last}, memory(S::template make<float>(on, canonical.size())) {
        images::load<S, float>(on, order, canonical, memory.data());
    }
    float* data() { return memory.data(); }
    std::vector<float> values() const {
        std::vector<float> all(memory.size());
        images::unload<S, float>(on, order, memory.data(), all);
        return all;
    }
};
template <class S, class T>
auto sent(const std::vector<T>& values) {
    auto there = S::template make<T>(queue<S>(), values.size());
    S::template put<T>(queue<S>(), values, there);
    return there;
}
template <class S>
std::vector<double> folded(const typename S::template Array<double>& from) {
    std::vector<double> all(from.size());
    S::template get<double>(queue<S>(), from, all);
    return all;
}

std::vector<float> random_pixels(std::uint32_t stream) {
    const auto x = random_images<float>(shape, count, stream);
    return {x.data(), x.data() + x.size()};
}
std::vector<float> per_image(float first, float step) {
    std::vector<float> all;
    for (std::size_t n = 0; n < count; ++n) all.push_back(first + step * static_cast<float>(n));
    return all;
}

template <class Test>
void in_both_orders(Test test) {
    for (const bool channels_last : {false, true})
        BOOST_TEST_CONTEXT((channels_last ? "channels last" : "planar")) test(channels_last);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(images_come_back_as_they_went, S, Spaces) {
    in_both_orders([&](bool last) {
        const auto x = random_pixels(1);
        Images<S> there(x, last);
        BOOST_TEST(there.values() == x);
        Images<S> chosen(std::vector<float>(3 * pixels), last);
        const auto which = sent<S>(std::vector<std::uint32_t>{6, 0, 6});
        S::each_pixel(there.on, 3, there.order,
                      images::Select<float>{there.order, there.data(), which.data(), chosen.data()});
        const auto values = chosen.values();
        for (const auto& [to, from] : {std::pair(0, 6), {1, 0}, {2, 6}})
            BOOST_TEST(std::equal(values.begin() + to * 60, values.begin() + (to + 1) * 60, x.begin() + from * 60));
        const auto flags = sent<S>(std::vector<std::uint8_t>{1, 0, 1, 0, 0, 0, 0});
        Images<S> copy(random_pixels(2), last);
        S::each_pixel(there.on, static_cast<int>(count), there.order,
                      images::Copy<float>{there.order, there.data(), copy.data(), flags.data()});
        auto expected = random_pixels(2);
        std::copy_n(x.begin(), pixels, expected.begin());
        std::copy_n(x.begin() + 2 * pixels, pixels, expected.begin() + 2 * pixels);
        BOOST_TEST(copy.values() == expected);
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sign_step_is_its_definition, S, Spaces) {
    auto gradient = random_pixels(5);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] -= 0.5f;
        if (i % 7 == 0) gradient[i] = 0;
        if (i % 11 == 0) gradient[i] = std::numeric_limits<float>::quiet_NaN();
    }
    const auto origin = random_pixels(1), start = random_pixels(2);
    const float inf = std::numeric_limits<float>::infinity();
    struct Case {
        std::vector<float> radius, length;
        float direction, at_zero;
        bool clip;
    };
    for (const Case& c : {Case{std::vector<float>(count, inf), per_image(0.1f, 0), 1, 0, true},
                          Case{per_image(0.05f, 0.01f), per_image(0.3f, 0.1f), -1, 0, true},
                          Case{std::vector<float>(count, inf), per_image(0.4f, 0), 1, 1, false}})
        in_both_orders([&](bool last) {
            auto expected = start;
            for (std::size_t i = 0; i < expected.size(); ++i) {
                const std::size_t n = i / pixels;
                const float up = c.direction * c.length[n];
                const float step = gradient[i] > 0 ? up : gradient[i] < 0 ? -up : up * c.at_zero;
                float y = expected[i] + step;
                y = std::min(std::max(y, origin[i] - c.radius[n]), origin[i] + c.radius[n]);
                expected[i] = c.clip ? std::min(std::max(y, 0.0f), 1.0f) : y;
            }
            Images<S> x(start, last), from(origin, last), g(gradient, last);
            const auto radius = sent<S>(c.radius), length = sent<S>(c.length);
            S::each_pixel(x.on, static_cast<int>(count), x.order,
                          images::SignStep<float>{{x.order, from.data(), radius.data(), c.clip},
                                                  x.data(),
                                                  g.data(),
                                                  length.data(),
                                                  c.direction,
                                                  c.at_zero});
            BOOST_TEST(same_bits(x.values(), expected));
        });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(norms_and_l2_steps, S, Spaces) {
    in_both_orders([&](bool last) {
        const auto a = random_pixels(1), b = random_pixels(2);
        Images<S> x(a, last), y(b, last);
        auto square = S::template make<double>(x.on, count), sum = S::template make<double>(x.on, count);
        auto largest = S::template make<double>(x.on, count);
        const int n = static_cast<int>(count);
        S::fold(x.on, n, x.order, Fold::sum, images::SquaredDifference<float>{x.order, x.data(), y.data()},
                square.data());
        S::fold(x.on, n, x.order, Fold::sum, images::AbsoluteDifference<float>{x.order, x.data(), nullptr}, sum.data());
        S::fold(x.on, n, x.order, Fold::largest, images::AbsoluteDifference<float>{x.order, x.data(), y.data()},
                largest.data());
        const auto squares = folded<S>(square), sums = folded<S>(sum), most = folded<S>(largest);
        for (std::size_t i = 0; i < count; ++i) {
            double by_hand = 0, all = 0, top = 0;
            for (std::size_t e = i * pixels; e < (i + 1) * pixels; ++e) {
                const double d = static_cast<double>(a[e] - b[e]);
                by_hand += d * d, all += std::abs(a[e]), top = std::max(top, std::abs(d));
            }
            BOOST_TEST(squares[i] == by_hand, boost::test_tools::tolerance(1e-13));
            BOOST_TEST(sums[i] == all, boost::test_tools::tolerance(1e-13));
            BOOST_TEST(most[i] == top);
        }
        // A step of length r along b, then back onto the ball of radius r / 2 around a: it ends on the surface.
        const float r = 0.25f;
        const auto length = sent<S>(per_image(r, 0)), radius = sent<S>(per_image(r / 2, 0));
        S::fold(x.on, n, x.order, Fold::sum, images::SquaredDifference<float>{x.order, y.data(), nullptr},
                square.data());
        Images<S> moved(a, last);
        S::each_pixel(x.on, n, x.order,
                      images::NormalisedStep<float>{x.order, moved.data(), y.data(), length.data(), square.data(), -1});
        const auto distance = [&] {
            S::fold(x.on, n, x.order, Fold::sum, images::SquaredDifference<float>{x.order, moved.data(), x.data()},
                    square.data());
            return folded<S>(square);
        };
        for (const double d : distance()) BOOST_TEST(std::sqrt(d) == r, boost::test_tools::tolerance(1e-6));
        S::each_pixel(x.on, n, x.order,
                      images::ProjectL2<float>{{x.order, x.data(), radius.data(), false}, moved.data(), square.data()});
        for (const double d : distance()) BOOST_TEST(std::sqrt(d) == r / 2, boost::test_tools::tolerance(1e-6));
        const auto inside = moved.values();
        S::each_pixel(x.on, n, x.order,
                      images::ProjectL2<float>{{x.order, x.data(), length.data(), false}, moved.data(), square.data()});
        BOOST_TEST(same_bits(moved.values(), inside));  // it was inside
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_zero_gradient_moves_nothing_and_adds_nothing, S, Spaces) {
    const auto a = random_pixels(1);
    const int n = static_cast<int>(count);
    Images<S> x(a, true), zero(std::vector<float>(count * pixels), true), m(random_pixels(3), true);
    auto norm = S::template make<double>(x.on, count);
    const auto length = sent<S>(per_image(1, 0));
    S::each_pixel(x.on, n, x.order,
                  images::NormalisedStep<float>{x.order, x.data(), zero.data(), length.data(), norm.data(), 1});
    BOOST_TEST(same_bits(x.values(), a));
    S::each_pixel(x.on, n, x.order, images::Momentum<float>{x.order, m.data(), zero.data(), norm.data(), 1});
    BOOST_TEST(same_bits(m.values(), random_pixels(3)));
    S::each_pixel(x.on, n, x.order, images::Momentum<float>{x.order, m.data(), zero.data(), norm.data(), 0});
    BOOST_TEST(same_bits(m.values(), std::vector<float>(count * pixels)));
}

// A draw is the image's and the element's own, in any order of pixels and on any space.
BOOST_AUTO_TEST_CASE_TEMPLATE(draws_do_not_depend_on_space_or_order, S, Spaces) {
    std::vector<Pick> picks;
    for (std::uint32_t n = 0; n < count; ++n) picks.push_back({.item = 100 + 3 * n, .copy = n % 2});
    const auto them = sent<S>(picks);
    const auto keys = sent<S>(std::vector<DrawKeys>{{Seed{9}, 2}});
    const auto radius = sent<S>(per_image(0.1f, 0.01f));
    const int n = static_cast<int>(count);
    const auto origin = random_pixels(1);
    for (const images::Start start : {images::Start::uniform, images::Start::normal}) {
        std::vector<float> expected;
        for (std::size_t i = 0; i < origin.size(); ++i) {
            const std::size_t image = i / pixels, e = i % pixels;
            const int c = static_cast<int>(e) / 20, h = static_cast<int>(e) % 20 / 4, w = static_cast<int>(e) % 4;
            const Stream stream = stream_of(Seed{9}, Purpose::start, picks[image], 2, 1);
            const auto k = static_cast<std::uint32_t>((h * 4 + w) * 3 + c);
            float u = 2 * uniform(draw_word(stream, k)) - 1;
            if (start == images::Start::normal)
                u = static_cast<float>(
                    std::sqrt(-2 * std::log(1 - static_cast<double>(uniform(draw_word(stream, 2 * k))))) *
                    std::cos(6.283185307179586 * static_cast<double>(uniform(draw_word(stream, 2 * k + 1)))));
            const float r = 0.1f + 0.01f * static_cast<float>(image);
            const volatile float product = r * u;  // rounded by itself
            expected.push_back(std::min(std::max(origin[i] + product, 0.0f), 1.0f));
        }
        in_both_orders([&](bool last) {
            Images<S> from(origin, last), x(origin, last);
            S::each_pixel(
                x.on, n, x.order,
                images::RandomStart<float>{
                    {x.order, from.data(), radius.data(), true}, x.data(), keys.data(), them.data(), 1, start});
            BOOST_TEST(same_bits(x.values(), expected));
        });
    }
    Images<S> signs(origin, false);
    S::each_pixel(signs.on, n, signs.order,
                  images::RandomSigns<float>{signs.order, keys.data(), them.data(), signs.data()});
    const auto drawn = signs.values();
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        const auto e = static_cast<std::uint32_t>(i % pixels);
        const std::uint32_t word =
            draw_word({.seed = Seed{9}, .purpose = Purpose::noise, .item = picks[i / pixels].item, .epoch = 2}, e / 32);
        BOOST_TEST(drawn[i] == ((word >> e % 32 & 1u) != 0 ? 1.0f : -1.0f));
    }
}

}  // namespace
