// Whether a number is finite, read from its bits: a user's -ffast-math cannot turn the test off.
#pragma once
#include <bit>
#include <concepts>
#include <cstdint>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Neither infinite nor not-a-number.
template <std::floating_point T>
SKEWGRAD_FN constexpr bool finite_bits(T x) noexcept {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "finite_bits knows float and double");
    if constexpr (sizeof(T) == 4)
        return (std::bit_cast<std::uint32_t>(x) & 0x7F80'0000U) != 0x7F80'0000U;
    else
        return (std::bit_cast<std::uint64_t>(x) & 0x7FF0'0000'0000'0000U) != 0x7FF0'0000'0000'0000U;
}

}  // namespace SKEWGRAD_NAMESPACE
