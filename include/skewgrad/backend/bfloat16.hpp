// The 16-bit floating-point number of bf16 backends: the upper half of a float.
#pragma once
#include <cstdint>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Sign, 8 bits of exponent, 7 of fraction: f32's range, 8 significant bits. Stored, never computed with: conversion
/// from float rounds to nearest, ties to even, and keeps a NaN a NaN; conversion to float is exact. Zero when value-
/// initialised.
struct Bfloat16 {
    std::uint16_t bits;

    Bfloat16() = default;
    SKEWGRAD_FN constexpr explicit Bfloat16(float x)
        : bits(rounded(__builtin_bit_cast(std::uint32_t, x))) {}
    SKEWGRAD_FN constexpr explicit operator float() const { return __builtin_bit_cast(float, std::uint32_t{bits} << 16); }

private:
    SKEWGRAD_FN static constexpr std::uint16_t rounded(std::uint32_t x) {
        const bool nan = (x & 0x7fffffffu) > 0x7f800000u;
        const std::uint32_t nearest = x + 0x7fffu + (x >> 16 & 1u);
        return static_cast<std::uint16_t>((nan ? x | 0x400000u : nearest) >> 16);
    }
};
static_assert(sizeof(Bfloat16) == 2);

}  // namespace SKEWGRAD_NAMESPACE
