// What the embedded set's bytes come to. These numbers change only with its law, and then every result with them.
#pragma once
#include <array>
#include <cstdint>

#include <skewgrad/data/synthetic.hpp>

namespace skewgrad_tests {

/// FNV-1a over pixels and labels.
inline std::uint64_t digest(const skewgrad::ImageStore& store) {
    std::uint64_t hash = 14695981039346656037u;
    const auto take = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * 1099511628211u; };
    for (const auto byte : store.pixels()) take(byte);
    for (const auto y : store.labels) take(static_cast<std::uint8_t>(index(y)));
    return hash;
}

/// The first training and test images of the set as it stands, and training images of another seed and similarity.
inline std::array<std::uint64_t, 3> embedded_digests(int threads = 1) {
    using namespace skewgrad;
    Embedded plain{.train_per_class = 5, .test_per_class = 5}, other = plain;
    other.similarity = every_pair(0.5f);
    other.seed = Seed{0x123456789abcdef0};
    const Splits data = plain.load(threads);
    return {digest(*data.train.store()), digest(*data.test.store()), digest(*other.load(threads).train.store())};
}

inline constexpr std::array<std::uint64_t, 3> frozen_digests{0xf07757cd173ad56eu, 0x6854047b172d4381u,
                                                             0xca306d11fb0c199fu};

}  // namespace skewgrad_tests
