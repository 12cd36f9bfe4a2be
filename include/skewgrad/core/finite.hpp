// Finiteness test on a number's bits, which a user's -ffast-math cannot disable.
#pragma once
#include <concepts>
#include <cstdint>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Whether the value is neither infinite nor NaN.
template <std::floating_point T>
SKEWGRAD_FN constexpr bool finite_bits(T x) noexcept {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "finite_bits knows float and double");
    if constexpr (sizeof(T) == 4)
        return (__builtin_bit_cast(std::uint32_t, x) & 0x7F80'0000U) != 0x7F80'0000U;
    else
        return (__builtin_bit_cast(std::uint64_t, x) & 0x7FF0'0000'0000'0000U) != 0x7FF0'0000'0000'0000U;
}

}  // namespace SKEWGRAD_NAMESPACE
