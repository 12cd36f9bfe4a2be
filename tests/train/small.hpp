// A small network and 31 small images of four classes to train it on: 23 to fit, 8 held out.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/data/hold_out.hpp>
#include <skewgrad/model/model.hpp>
#include <utility>
#include <vector>

namespace skewgrad_tests {

struct SmallNet : skewgrad::Network<skewgrad::Image<2, 6, 6>, skewgrad::Conv<5>, skewgrad::Relu, skewgrad::MaxPool<2>,
                                    skewgrad::Dropout<25>, skewgrad::Dense<9>, skewgrad::Relu, skewgrad::Dense<4>> {};
using SmallModel = skewgrad::Model<SmallNet, skewgrad::Cpu<skewgrad::f32>>;

/// Networks this small are trained fastest alone.
inline const skewgrad::Cpu<skewgrad::f32>::Context one_thread{1};

/// Noise with a bright row that tells the class.
inline std::shared_ptr<const skewgrad::ImageStore> small_store(std::uint64_t seed = 21) {
    constexpr std::size_t images = 31, pixels = 72;
    std::vector<std::uint8_t> bytes(images * pixels);
    std::vector<skewgrad::Label> labels(images);
    for (std::size_t n = 0; n < images; ++n) {
        labels[n] = skewgrad::Label(n % 4);
        const skewgrad::Stream stream{
            .seed = skewgrad::Seed{seed}, .purpose = skewgrad::Purpose::noise, .item = static_cast<std::uint32_t>(n)};
        for (std::size_t i = 0; i < pixels; ++i) {
            const bool bright = i / 6 % 6 == n % 4 + 1;
            bytes[n * pixels + i] = static_cast<std::uint8_t>(
                (bright ? 150 : 0) + skewgrad::draw_word(stream, static_cast<std::uint32_t>(i)) % 100);
        }
    }
    return skewgrad::make_store("small", {2, 6, 6}, std::move(bytes), std::move(labels));
}

inline skewgrad::Parts small_parts() {
    return skewgrad::hold_out(skewgrad::TrainingData(small_store()), {.per_class = 2, .seed = skewgrad::Seed{3}});
}

}  // namespace skewgrad_tests
