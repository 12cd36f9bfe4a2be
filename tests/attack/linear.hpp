// A model of five lines that attacks can be checked on by hand, and one whose gradients are whatever one likes.
#pragma once
#include <cmath>
#include <cstddef>
#include <skewgrad/model/concepts.hpp>
#include <span>
#include <vector>
#include <xtensor/xtensor.hpp>

namespace skewgrad_tests {

using Images = xt::xtensor<float, 4>;

/// Two classes, z_0 = 0 and z_1 = w . x: at label 0 the gradient is p_1 w, at label 1 it is -p_0 w.
struct Linear {
    std::vector<float> w;
    mutable int gradients = 0, passes = 0;

    float score(const Images& x, std::size_t n) const {
        float z = 0;
        for (std::size_t i = 0; i < w.size(); ++i) z += w[i] * x.data()[n * w.size() + i];
        return z;
    }
    xt::xtensor<float, 2> logits(const Images& x) const {
        ++passes;
        xt::xtensor<float, 2> z = xt::zeros<float>({x.shape()[0], std::size_t{2}});
        for (std::size_t n = 0; n < x.shape()[0]; ++n) z(n, 1) = score(x, n);
        return z;
    }
    Images input_gradient(const Images& x, std::span<const skewgrad::Label> y) const {
        ++gradients;
        Images g = x;
        for (std::size_t n = 0; n < x.shape()[0]; ++n) {
            const float p = 1 / (1 + std::exp(-score(x, n)));
            const float slope = skewgrad::index(y[n]) == 0 ? p : p - 1;
            for (std::size_t i = 0; i < w.size(); ++i) g.data()[n * w.size() + i] = slope * w[i];
        }
        return g;
    }
};

/// Answers every question about a gradient with the same tensor.
struct Stubborn {
    Images answer;
    xt::xtensor<float, 2> logits(const Images& x) const { return xt::zeros<float>({x.shape()[0], std::size_t{2}}); }
    Images input_gradient(const Images&, std::span<const skewgrad::Label>) const { return answer; }
};

static_assert(skewgrad::HasInputGradient<Linear> && !skewgrad::PullsBack<Linear>);

/// N x 1 x 2 x 2 images from N times four pixels.
inline Images images_of(const std::vector<float>& pixels) {
    auto x = Images::from_shape({pixels.size() / 4, 1, 2, 2});
    std::copy(pixels.begin(), pixels.end(), x.data());
    return x;
}
inline std::vector<float> pixels_of(const Images& x) { return {x.data(), x.data() + x.size()}; }

}  // namespace skewgrad_tests
