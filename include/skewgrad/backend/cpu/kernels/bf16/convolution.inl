// Convolution of pairs: a few pixels times one or two blocks of 16 channels in registers, then what is done to results.

// Pixels that one call of the inner kernel computes, no more than there are general registers to point at them; two
// blocks of channels, but in sets with few registers. Sets that widen need registers for both halves of the operands.
#if defined(SKEWGRAD_ISA_AVX512_BF16)
inline constexpr int pair_pixels = 8, pair_blocks = 2;
#elif defined(SKEWGRAD_ISA_AVX512)
inline constexpr int pair_pixels = 8, pair_blocks = 2;
#elif defined(SKEWGRAD_ISA_AVX2)
inline constexpr int pair_pixels = 4, pair_blocks = 1;
#else
inline constexpr int pair_pixels = 2, pair_blocks = 1;
#endif
inline constexpr int pair_width = pair_blocks * channel_block;

// Sums to results, for one pixel's channels [first, first + count): rectified, masked, rounded, stored.
inline void finish_bf16(const PairConvolution& a, const float* sums, std::ptrdiff_t at, int count) noexcept {
    Bfloat16* out = static_cast<Bfloat16*>(a.out) + at;
    const Bfloat16* mask = a.mask ? static_cast<const Bfloat16*>(a.mask) + at : nullptr;
    const Vector zero{};
    for (int c = 0; c < count; c += lanes) {
        Vector v = load(sums + c);
        if (a.rectify) v = select(v > zero, v, zero);
        if (mask) v = select(load(mask + c) > zero, v, zero);
        store_bf16(out + c, v);
    }
}
inline void finish_f32(const PairConvolution& a, const float* sums, std::ptrdiff_t at, int count) noexcept {
    float* out = static_cast<float*>(a.out) + at;
    const float* mask = a.mask ? static_cast<const float*>(a.mask) + at : nullptr;
    for (int c = 0; c < count; ++c) {
        const bool kept = (!a.rectify || sums[c] > 0) && (!mask || mask[c] > 0);
        out[c] = kept ? sums[c] : 0.0f;
    }
}

// Rows of taps [begin, end) of a group.
struct TapRows {
    int begin, end;
};

template <int pixels, int blocks>
inline void convolve_pairs(const PairConvolution& a, int block, TapRows rows, const Bfloat16* const* in,
                           float* results) noexcept {
    constexpr int width = blocks * block_vectors;
    // Where pixels touch each other in memory, a row of taps is one run of products.
    const bool touching = a.in_pixel == 2 * a.pairs;
    const int run = touching ? a.taps_w * a.pairs : a.pairs;
    const int runs_w = touching ? 1 : a.taps_w;
    const std::ptrdiff_t block_size = std::ptrdiff_t(a.taps_h) * a.taps_w * a.pairs * channel_block;
    const Bfloat16* weights =
        a.weights + 2 * (block * block_size + std::ptrdiff_t(rows.begin) * a.taps_w * a.pairs * channel_block);

    Row<width> start;
    start.clear();
    if (a.bias && block + blocks <= blocks_of(a.out_c))
        start.load_from(a.bias + block * channel_block, channel_block);
    else if (a.bias && block < blocks_of(a.out_c)) {  // the other block fills up the pixel
        float lane[width * lanes] = {};
        __builtin_memcpy(lane, a.bias + block * channel_block, channel_block * sizeof(float));
        start.load_from(lane, channel_block);
    }
    PairTile<pixels, width> sums;
    sums.fill(start);
    for (int y = rows.begin; y < rows.end; ++y)
        for (int x = 0; x < runs_w; ++x) {
            PairPointers<pixels> at;
            at.set(in, y * a.in_row + x * a.in_pixel);
            for (int k = 0; k < run; ++k, weights += 2 * channel_block) {
                PairRow<width> weight;
                weight.load_from(weights, block_size);
                sums.add(at, k, weight);
            }
        }
    sums.store_to(results, pair_width, channel_block);
}

template <int blocks, int pixels = pair_pixels>
[[gnu::always_inline]] inline void convolve_pair_count(int count, const PairConvolution& a, int block, TapRows rows,
                                                       const Bfloat16* const* in, float* results) noexcept {
    if constexpr (pixels > 0) {
        if (count == pixels) return convolve_pairs<pixels, blocks>(a, block, rows, in, results);
        convolve_pair_count<blocks, pixels - 1>(count, a, block, rows, in, results);
    }
}

// All pixels of one group of blocks, cut into groups of nearly equal size that may span rows.
template <int blocks>
inline void convolve_pair_blocks(const PairConvolution& a, int block) noexcept {
    alignas(64) float results[pair_pixels * pair_width];
    const int first = block * channel_block;
    const int channels =
        !a.out_f32 || a.out_c - first > blocks * channel_block ? blocks * channel_block : a.out_c - first;
    const int total = a.out_h * a.out_w;
    const int groups = (total + pair_pixels - 1) / pair_pixels;
    int y = 0, x = 0;
    for (int group = 0; group < groups; ++group) {
        const int count = total / groups + (group < total % groups);
        const Bfloat16* in[pair_pixels];
        std::ptrdiff_t out[pair_pixels];
        const int first_y = y * a.stride, last_y = (y + (x + count - 1) / a.out_w) * a.stride;
        const TapRows rows{a.zero_rows.first_tap(last_y), a.zero_rows.end_tap(first_y, a.taps_h)};
        for (int p = 0; p < count; ++p) {
            in[p] = a.in + y * a.stride * a.in_row + x * a.stride * a.in_pixel;
            out[p] = y * a.out_row + x * a.out_pixel + first;
            if (++x == a.out_w) x = 0, ++y;
        }
        convolve_pair_count<blocks>(count, a, block, rows, in, results);
        for (int p = 0; p < count; ++p) {
            if (a.out_f32)
                finish_f32(a, results + p * pair_width, out[p], channels);
            else
                finish_bf16(a, results + p * pair_width, out[p], channels);
        }
    }
}

inline void convolve_all_pairs(const PairConvolution& a) noexcept {
    assert(a.pairs > 0 && a.in_pixel >= 2 * a.pairs && a.taps_h > 0 && a.taps_w > 0 && a.stride > 0);
    assert(a.images == 1 && a.stored_images == 1 && a.row_fill == 0);
    int block = a.out_block_begin;
    for (; block + pair_blocks <= a.out_block_end; block += pair_blocks) convolve_pair_blocks<pair_blocks>(a, block);
    if constexpr (pair_blocks > 1)
        for (; block < a.out_block_end; ++block) convolve_pair_blocks<1>(a, block);
}
