// Number formatting with the fewest digits that read back exactly, independent of the locale.
#pragma once
#include <array>
#include <bit>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/finite.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace numbers {
// From the bits, as finite_bits does.
inline std::string not_finite(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    return bits << 12 != 0 ? "nan" : bits >> 63 == 0 ? "inf" : "-inf";
}
}  // namespace numbers

/// The fewest digits that read back as exactly this value in its own type: 0.1f is "0.1". Not finite: nan, inf, -inf.
template <std::floating_point F>
std::string shortest(F value) {
    if (!finite_bits(value)) return numbers::not_finite(static_cast<double>(value));
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return {digits.data(), end};
}

}  // namespace SKEWGRAD_NAMESPACE
