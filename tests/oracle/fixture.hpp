// What the oracle tests share: the fixture files, the weights both sides draw, and how far results may lie apart.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/nn/initialise.hpp>
#include <skewgrad/store/safetensors.hpp>
#include <span>
#include <string>
#include <vector>

namespace skewgrad_tests {

/// A file that make_fixtures.py wrote.
inline skewgrad::TensorFile fixture(const std::string& name) {
    return skewgrad::read_safetensors(std::filesystem::path(SKEWGRAD_FIXTURES) / (name + ".safetensors"));
}

/// A tensor's elements as they are stored.
template <class T>
std::vector<T> stored(const skewgrad::TensorFile& file, const std::string& name) {
    const auto values = file.at(name).values<T>();
    return {values.begin(), values.end()};
}

inline skewgrad::Seed stored_seed(const skewgrad::TensorFile& file, const std::string& prefix = "") {
    return {static_cast<std::uint64_t>(stored<std::int64_t>(file, prefix + "seed").at(0))};
}

inline std::vector<skewgrad::Label> stored_labels(const skewgrad::TensorFile& file, const std::string& prefix = "") {
    std::vector<skewgrad::Label> labels;
    for (const std::int64_t y : stored<std::int64_t>(file, prefix + "labels"))
        labels.push_back(static_cast<skewgrad::Label>(y));
    return labels;
}

/// Stored bytes as pixels: x / 255 in f32, whatever type computes.
template <class Real>
std::vector<Real> stored_pixels(const skewgrad::TensorFile& file, const std::string& prefix = "") {
    std::vector<Real> pixels;
    for (const std::uint8_t x : stored<std::uint8_t>(file, prefix + "images"))
        pixels.push_back(static_cast<Real>(skewgrad::byte_to_float[x]));
    return pixels;
}

/// The fixtures' parameters: the library's initial weights times 1.5, and in place of its zero biases words of item 1
/// of each node's stream, uniform in (-0.1, 0.1). Those words are added to what batch normalisation starts from.
/// networks.py says the same in its own words.
template <class Net>
std::vector<float> fixture_parameters(skewgrad::Seed seed) {
    std::vector<float> all(Net::state_size);
    skewgrad::initialise<Net>(seed, std::span<float>(all));
    for (const auto& node : Net::nodes) {
        if (node.parameter_size == 0) continue;
        const bool normalises = std::string(node.layer) == "batch_norm";
        const auto mine = std::span(all).subspan(node.parameter_offset, node.parameter_size);
        if (!normalises)
            for (float& x : mine) x *= 1.5f;
        const std::size_t biases = normalises ? mine.size() : static_cast<std::size_t>(node.out_shape.c);
        const std::size_t first = node.parameter_offset + node.parameter_size - biases;
        const skewgrad::Stream stream{.seed = seed,
                                      .purpose = skewgrad::Purpose::initial_weights,
                                      .node = static_cast<std::uint16_t>(node.out),
                                      .item = 1};
        for (std::size_t o = 0; o < biases; ++o) {
            const float drawn = skewgrad::uniform(skewgrad::draw_word(stream, static_cast<std::uint32_t>(o)));
            all[first + o] = (normalises ? all[first + o] : 0.0f) + (2.0f * drawn - 1.0f) * 0.1f;
        }
    }
    return all;
}

/// ||a - b|| / ||b||, in double.
template <class A, class B>
double relative_error(const A& a, const B& b) {
    if (a.size() != b.size()) return INFINITY;
    double difference = 0, norm = 0;
    auto x = a.begin();
    for (const auto y : b) {
        difference +=
            (static_cast<double>(*x) - static_cast<double>(y)) * (static_cast<double>(*x) - static_cast<double>(y));
        norm += static_cast<double>(y) * static_cast<double>(y);
        ++x;
    }
    return std::sqrt(difference / norm);
}

/// The largest |a - b|.
template <class A, class B>
double largest_difference(const A& a, const B& b) {
    if (a.size() != b.size()) return INFINITY;
    double most = 0;
    auto x = a.begin();
    for (const auto y : b) most = std::fmax(most, std::fabs(static_cast<double>(*x++) - static_cast<double>(y)));
    return most;
}

}  // namespace skewgrad_tests
