// Pixel values that come in from outside: which are refused, and where they stand.
#pragma once
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <xtensor/xtensor.hpp>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/finite.hpp>
#include <skewgrad/core/number.hpp>

namespace SKEWGRAD_NAMESPACE::checks {

// By bits, as finite_bits is; without an early end, so that compilers take many pixels at a time.
SKEWGRAD_EXACT_BEGIN
template <std::floating_point Real>
using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;

template <std::floating_point Real>
bool all_finite(const Real* x, std::size_t size) noexcept {
    constexpr auto infinity = __builtin_bit_cast(Bits<Real>, std::numeric_limits<Real>::infinity());
    Bits<Real> bad = 0;
    for (std::size_t i = 0; i < size; ++i) bad |= (__builtin_bit_cast(Bits<Real>, x[i]) & infinity) == infinity;
    return bad == 0;
}
/// Every one in [0, 1], so that none is not finite. The bits of positive numbers lie in the numbers' order.
template <std::floating_point Real>
bool all_in_unit_interval(const Real* x, std::size_t size) noexcept {
    constexpr auto one = __builtin_bit_cast(Bits<Real>, Real(1)), minus_zero = __builtin_bit_cast(Bits<Real>, -Real(0));
    Bits<Real> bad = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const auto bits = __builtin_bit_cast(Bits<Real>, x[i]);
        bad |= Bits<Real>(bits > one) & Bits<Real>(bits != minus_zero);
    }
    return bad == 0;
}
SKEWGRAD_EXACT_END

/// Where an element of N x C x H x W pixels stands: "image 3, channel 0, row 1, column 2".
template <class Real>
std::string place_of(const xt::xtensor<Real, 4>& x, std::size_t element) {
    const auto& shape = x.shape();
    const std::size_t w = element % shape[3], h = element / shape[3] % shape[2],
                      c = element / shape[3] / shape[2] % shape[1], n = element / shape[3] / shape[2] / shape[1];
    return "image " + std::to_string(n) + ", channel " + std::to_string(c) + ", row " + std::to_string(h) +
           ", column " + std::to_string(w);
}

/// Throws ValueError, with the first one's place, where a pixel is not finite: a rectifier makes 0 of not-a-number, so
/// that an answer would not show it. `of` says what takes the pixels. Returns them.
template <class Real>
const xt::xtensor<Real, 4>& finite_pixels(const std::string& of, const xt::xtensor<Real, 4>& x) {
    if (all_finite(x.data(), x.size())) return x;
    std::size_t at = 0;
    while (finite_bits(x.data()[at])) ++at;
    throw ValueError(of + ": the pixel at " + place_of(x, at) + " is " + shortest(x.data()[at]) +
                     ", it must be finite");
}

}  // namespace SKEWGRAD_NAMESPACE::checks
