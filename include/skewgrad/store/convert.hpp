// Conversion of floating-point tensors (f16, bf16, f32, f64) to float or double.
#pragma once
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/store/tensor.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Whether files store parameters in this type.
constexpr bool is_floating(Dtype type) {
    return type == Dtype::f16 || type == Dtype::bf16 || type == Dtype::f32 || type == Dtype::f64;
}

/// IEEE 754 binary16 to float, exactly: 5 bits of exponent, 10 of fraction.
constexpr float half_to_float(std::uint16_t half) {
    const std::uint32_t sign = std::uint32_t{half} >> 15 << 31, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    const std::uint32_t widened = exponent == 31 ? 255 : exponent + (127 - 15);
    return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}
/// bfloat16 is the upper half of a float.
constexpr float bfloat16_to_float(std::uint16_t half) { return std::bit_cast<float>(std::uint32_t{half} << 16); }

/// The elements of a floating-point tensor, each rounded to the nearest Real. One beyond Real's range becomes infinite.
template <std::floating_point Real>
std::vector<Real> converted(const Tensor& tensor) {
    std::vector<Real> values(tensor.bytes.size() / bytes_of(tensor.dtype));
    const auto fill = [&]<class Stored>(Stored, auto convert) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            Stored stored;
            std::memcpy(&stored, tensor.bytes.data() + i * sizeof(Stored), sizeof(Stored));
            values[i] = static_cast<Real>(convert(stored));
        }
    };
    if (tensor.dtype == Dtype::f16) fill(std::uint16_t{}, half_to_float);
    if (tensor.dtype == Dtype::bf16) fill(std::uint16_t{}, bfloat16_to_float);
    if (tensor.dtype == Dtype::f32) fill(float{}, [](float x) { return x; });
    if (tensor.dtype == Dtype::f64) fill(double{}, [](double x) { return x; });
    return values;
}

}  // namespace SKEWGRAD_NAMESPACE
