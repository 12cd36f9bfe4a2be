// The bf16 copies of packed weights: as they are, and for the gradient at the input.

inline void pack_pairs(const PairPacking& a) noexcept {
    const int pairs = a.twice ? a.in_c : (a.in_c + 1) / 2;
    for (int block = a.block_begin; block < a.block_end; ++block) {
        Bfloat16* to = a.to + std::ptrdiff_t(block) * a.taps * pairs * 2 * channel_block;
        for (int tap = 0; tap < a.taps; ++tap) {
            const float* from = a.weights + std::ptrdiff_t(block * a.taps + tap) * a.in_c * channel_block;
            for (int p = 0; p < pairs; ++p, to += 2 * channel_block) {
                const int first = a.twice ? p : 2 * p, second = a.twice ? p : 2 * p + 1;
                for (int o = 0; o < channel_block; o += lanes) {
                    Pairs v{};
                    if (block < blocks_of(a.out_c))
                        v = joined(load(from + first * channel_block + o),
                                   second < a.in_c ? load(from + second * channel_block + o) : Vector{});
                    store_pairs(to + 2 * o, v);
                }
            }
        }
    }
}

// A row of 16 output channels becomes 8 pairs; 16 such rows, one an input channel, are then turned over.
inline void pack_pairs_transposed(const PairPacking& a) noexcept {
    const int pairs = (a.out_c + 1) / 2;
    constexpr int block_pairs = channel_block / 2;
    for (int block = a.block_begin; block < a.block_end; ++block)
        for (int tap = 0; tap < a.taps; ++tap)
            for (int o = 0; o < pairs; o += block_pairs) {
                // Flipping both axes is reversing the taps' row-major order. Lanes beyond out_c are zero in the
                // masters.
                const int flipped = 2 * o / channel_block * a.taps + a.taps - 1 - tap;
                const float* from =
                    a.weights + (std::ptrdiff_t(flipped) * a.in_c + block * channel_block) * channel_block;
                Bfloat16* to = a.to + (std::ptrdiff_t(block * a.taps + tap) * pairs + o) * 2 * channel_block;
                const int count = pairs - o < block_pairs ? pairs - o : block_pairs;
                for (int lane = 0; lane < channel_block; ++lane) {
                    alignas(64) Bfloat16 row[channel_block] = {};
                    if (block * channel_block + lane < a.in_c)
                        for (int k = 0; k < channel_block; k += lanes)
                            store_bf16(row + k, load(from + lane * channel_block + k));
                    for (int p = 0; p < count; ++p)
                        __builtin_memcpy(to + (p * channel_block + lane) * 2, row + 2 * p, 2 * sizeof(Bfloat16));
                }
            }
}
