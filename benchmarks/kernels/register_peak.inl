// Multiply-adds on registers alone, of one instruction set: the speed that its kernels are compared with. Included
// between isa/begin.hpp and isa/end.hpp, in the namespace that already holds that set's kernels.

// Of `lanes` values each. Returns what depends on every product, so that none is dropped; does operations_a_round a
// round.
inline float spin(long rounds, const float* a, const float* b) noexcept {
    const Vector x = load(a), y = load(b);
    Vector sum[12];
    for (int i = 0; i < 12; ++i) sum[i] = broadcast(static_cast<float>(i));
    for (long r = 0; r < rounds; ++r)
        for (int i = 0; i < 12; ++i) sum[i] = multiply_add(x, y, sum[i]);
    float total = 0;
    for (int i = 0; i < 12; ++i)
        for (int lane = 0; lane < lanes; ++lane) total += sum[i][lane];
    return total;
}
inline constexpr double operations_a_round = 2.0 * 12 * lanes;
