// The convolutions that are timed one at a time: those of the paper's network, and the widest of the wide one.
#pragma once

namespace shapes {

struct Convolution {
    const char* name;
    int in_c, out_c, side;
    /// Nominal operations of one pass over one image: border taps count.
    constexpr double operations() const { return 2.0 * in_c * out_c * 9 * side * side; }
};

inline constexpr Convolution convolutions[] = {
    {"32 to 32 at 32x32", 32, 32, 32},
    {"64 to 64 at 16x16", 64, 64, 16},
    {"128 to 128 at 8x8", 128, 128, 8},
    {"256 to 256 at 8x8", 256, 256, 8},
};

}  // namespace shapes
