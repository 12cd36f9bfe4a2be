// ReluMask of rectified values (kernels/arguments.hpp), bit by bit.
#pragma once
#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

#include <skewgrad/backend/cpu/kernels/arguments.hpp>

namespace relu_masks {

/// Of elements whose number is a multiple of 16.
template <class T>
std::vector<skewgrad::cpu::ReluMask> of(std::span<const T> values) {
    std::vector<skewgrad::cpu::ReluMask> all(values.size() / 16);
    for (std::size_t e = 0; e < values.size(); ++e)
        if (static_cast<float>(values[e]) > 0)
            all[e / 16] = static_cast<skewgrad::cpu::ReluMask>(all[e / 16] | 1u << e % 16);
    return all;
}

/// Numbers of every kind that a mask tells apart, and some that it might confuse.
template <class T>
std::vector<T> delicate(std::size_t count, auto next) {
    constexpr float kinds[] = {0.0f, -0.0f, 1e-38f, -1e-38f, 1e30f, -1e30f, __builtin_nanf(""), __builtin_inff()};
    std::vector<T> values(count);
    for (T& v : values) {
        const float x = next();
        v = static_cast<T>(x > 0.6f ? kinds[static_cast<std::size_t>(x * 1000) % std::size(kinds)] : x);
    }
    return values;
}

}  // namespace relu_masks
