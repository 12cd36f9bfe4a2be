// Random images, labels and weights for backends' tests, and the distance between two answers.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <skewgrad/model/model.hpp>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

namespace skewgrad_tests {

/// Uniform in [0, 1), the same on every machine: word `index` of a stream of noise.
inline float random_number(std::uint32_t stream, std::uint32_t index) {
    return skewgrad::uniform(
        skewgrad::draw_word({.seed = skewgrad::Seed{99}, .purpose = skewgrad::Purpose::noise, .item = stream}, index));
}

/// N x C x H x W pixels in [0, 1).
template <class Real>
xt::xtensor<Real, 4> random_images(skewgrad::Shape s, std::size_t count, std::uint32_t stream = 1) {
    auto x = xt::xtensor<Real, 4>::from_shape(
        {count, static_cast<std::size_t>(s.c), static_cast<std::size_t>(s.h), static_cast<std::size_t>(s.w)});
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = random_number(stream, static_cast<std::uint32_t>(i));
    return x;
}

/// 0, 1, 2, ... over the classes, `count` of them.
inline std::vector<skewgrad::Label> labels_in_turn(std::size_t count, int classes) {
    std::vector<skewgrad::Label> y(count);
    for (std::size_t i = 0; i < count; ++i) y[i] = skewgrad::Label(i % static_cast<std::size_t>(classes));
    return y;
}

/// Initial weights with every parameter moved by up to 0.1: no bias is zero, so none can be forgotten.
template <class Model>
void shake(Model& model, std::uint32_t stream = 2) {
    auto values = model.parameters();
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] += 0.2f * (random_number(stream, static_cast<std::uint32_t>(i)) - 0.5f);
    model.set_parameters(values);
}

/// ||a - b|| / ||b|| over a range of elements.
template <class A, class B>
double relative_distance(const A& a, const B& b, std::size_t first, std::size_t count) {
    double difference = 0, size = 0;
    for (std::size_t i = first; i < first + count; ++i) {
        const double d = static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]);
        difference += d * d;
        size += static_cast<double>(b.data()[i]) * static_cast<double>(b.data()[i]);
    }
    return size == 0 ? std::sqrt(difference) : std::sqrt(difference / size);
}
template <class A, class B>
double relative_distance(const A& a, const B& b) {
    return relative_distance(a, b, 0, b.size());
}

template <class A>
bool same_bits(const A& a, const A& b) {
    const std::size_t bytes = a.size() * sizeof(*a.data());
    return a.size() == b.size() && (bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0);
}

}  // namespace skewgrad_tests
