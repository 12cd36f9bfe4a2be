// Arithmetic that is the same on host and device: products that no compiler fuses with a sum, and bounds.
#pragma once
#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE::images {

SKEWGRAD_EXACT_BEGIN
/// a b, rounded by itself. On a host the region sees to it, a device compiler has to be told.
SKEWGRAD_FN inline float times(float a, float b) {
    SKEWGRAD_EXACT_BODY
#if defined(__CUDA_ARCH__)
    return __fmul_rn(a, b);
#else
    return a * b;
#endif
}
SKEWGRAD_FN inline double times(double a, double b) {
    SKEWGRAD_EXACT_BODY
#if defined(__CUDA_ARCH__)
    return __dmul_rn(a, b);
#else
    return a * b;
#endif
}
/// x, but at least `low` and at most `high`. Comparisons one after the other: compilers make selections of them.
template <class R>
SKEWGRAD_FN inline R within(R x, R low, R high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::images
