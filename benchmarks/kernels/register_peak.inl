// Multiply-adds on registers alone, of one instruction set: the speed that its kernels are compared with. Included
// between isa/begin.hpp and isa/end.hpp, in the namespace that already holds that set's kernels.

// Of `lanes` values each, with products of f32 or of pairs of bf16 (both of a pair's count). Returns what depends on
// every product, so that none is dropped; does operations_a_round a round.
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

inline float spin_pairs(long rounds, const float* a, const float* b) noexcept {
    const Pairs x = joined(load(a), load(a)), y = joined(load(b), load(b));
    Vector sum[12];
    for (int i = 0; i < 12; ++i) sum[i] = broadcast(static_cast<float>(i));
    for (long r = 0; r < rounds; ++r)
        for (int i = 0; i < 12; ++i) sum[i] = add_products(x, y, sum[i]);
    float total = 0;
    for (int i = 0; i < 12; ++i)
        for (int lane = 0; lane < lanes; ++lane) total += sum[i][lane];
    return total;
}
inline constexpr double pair_operations_a_round = 2 * operations_a_round;

#if defined(SKEWGRAD_ISA_AVX512_BF16)
// By tiles: four of sums, two of factors each way, as many as the convolution has.
inline float spin_tiles(long rounds, const float* a, const float* b) noexcept {
    alignas(64) Pairs x[16], y[16];
    for (int row = 0; row < 16; ++row) x[row] = joined(load(a), load(a)), y[row] = joined(load(b), load(b));
    alignas(64) float sums[256] = {};
    AmxTiles::configure();
    AmxTiles::load<0>(sums, 64);
    AmxTiles::load<1>(sums, 64);
    AmxTiles::load<2>(sums, 64);
    AmxTiles::load<3>(sums, 64);
    AmxTiles::load<4>(x, 64);
    AmxTiles::load<5>(x, 64);
    AmxTiles::load<6>(y, 64);
    AmxTiles::load<7>(y, 64);
    for (long r = 0; r < rounds; ++r) {
        AmxTiles::add_products<0, 4, 6>();
        AmxTiles::add_products<1, 4, 7>();
        AmxTiles::add_products<2, 5, 6>();
        AmxTiles::add_products<3, 5, 7>();
    }
    AmxTiles::store<0>(sums, 64);
    AmxTiles::release();
    return sums[0];
}
inline constexpr double tile_operations_a_round = 4 * 2.0 * 16 * 16 * 32;
#endif
