// Convolution: a few pixels times one or two blocks of 16 channels, summed in registers from bias to result.

// Pixels and blocks that one call of the inner kernel computes: as many sums as the registers hold beside operands.
#if defined(SKEWGRAD_ISA_AVX512)
inline constexpr int group_pixels = 12, group_blocks = 2;
#elif defined(SKEWGRAD_ISA_AVX2)
inline constexpr int group_pixels = 6, group_blocks = 1;
#elif defined(__x86_64__)
inline constexpr int group_pixels = 2, group_blocks = 1;
#else
inline constexpr int group_pixels = 4, group_blocks = 1;
#endif

// Stores the lanes of a block that the output has room for: see Convolution::out_c.
[[gnu::always_inline]] inline void store_block(const Convolution& a, const Vector* sum, int block,
                                               float* out) noexcept {
    const int first = block * channel_block;
    if (first + channel_block <= a.out_pixel) {
        for (int v = 0; v < block_vectors; ++v) store(out + first + v * lanes, sum[v]);
    } else {
        float all[channel_block];
        for (int v = 0; v < block_vectors; ++v) store(all + v * lanes, sum[v]);
        for (int c = first; c < a.out_c; ++c) out[c] = all[c - first];
    }
}

template <int pixels, int blocks>
inline void convolve_group(const Convolution& a, int block, const float* const* in, float* const* out) noexcept {
    constexpr int vectors = blocks * block_vectors;
    // Where pixels touch each other in memory, a row of taps is one run of products.
    const bool touching = a.in_pixel == a.in_c;
    const int run = touching ? a.taps_w * a.in_c : a.in_c;
    const int runs_w = touching ? 1 : a.taps_w;
    const std::ptrdiff_t block_size = std::ptrdiff_t(a.taps_h) * a.taps_w * a.in_c * channel_block;
    const float* weights = a.weights + block * block_size;

    Vector sum[pixels][vectors];
    for (int v = 0; v < vectors; ++v) {
        const Vector start = a.bias ? load(a.bias + block * channel_block + v * lanes) : Vector{};
        for (int p = 0; p < pixels; ++p) sum[p][v] = start;
    }
    for (int y = 0; y < a.taps_h; ++y)
        for (int x = 0; x < runs_w; ++x) {
            const float* at[pixels];
            for (int p = 0; p < pixels; ++p) at[p] = in[p] + y * a.in_row + x * a.in_pixel;
            for (int k = 0; k < run; ++k, weights += channel_block) {
                Vector weight[vectors];
                for (int v = 0; v < vectors; ++v)
                    weight[v] = load(weights + v / block_vectors * block_size + v % block_vectors * lanes);
                for (int p = 0; p < pixels; ++p) {
                    const Vector value = broadcast(at[p][k]);
                    for (int v = 0; v < vectors; ++v) sum[p][v] = multiply_add(value, weight[v], sum[p][v]);
                }
            }
        }
    for (int p = 0; p < pixels; ++p)
        for (int b = 0; b < blocks; ++b) store_block(a, sum[p] + b * block_vectors, block + b, out[p]);
}

template <int blocks, int pixels = group_pixels>
[[gnu::always_inline]] inline void convolve_count(int count, const Convolution& a, int block, const float* const* in,
                                                  float* const* out) noexcept {
    if constexpr (pixels > 0) {
        if (count == pixels) return convolve_group<pixels, blocks>(a, block, in, out);
        convolve_count<blocks, pixels - 1>(count, a, block, in, out);
    }
}

// All pixels of one group of blocks, cut into groups of nearly equal size that may span rows.
template <int blocks>
inline void convolve_blocks(const Convolution& a, int block) noexcept {
    const int total = a.out_h * a.out_w;
    const int groups = (total + group_pixels - 1) / group_pixels;
    int y = 0, x = 0;
    for (int group = 0; group < groups; ++group) {
        const int count = total / groups + (group < total % groups);
        const float* in[group_pixels];
        float* out[group_pixels];
        for (int p = 0; p < count; ++p) {
            in[p] = a.in + y * a.stride * a.in_row + x * a.stride * a.in_pixel;
            out[p] = a.out + y * a.out_row + x * a.out_pixel;
            if (++x == a.out_w) x = 0, ++y;
        }
        convolve_count<blocks>(count, a, block, in, out);
    }
}

inline void convolve(const Convolution& a) noexcept {
    assert(a.in_c > 0 && a.in_pixel >= a.in_c && a.taps_h > 0 && a.taps_w > 0 && a.stride > 0);
    int block = a.out_block_begin;
    for (; block + group_blocks <= a.out_block_end; block += group_blocks) convolve_blocks<group_blocks>(a, block);
    for (; block < a.out_block_end; ++block) convolve_blocks<1>(a, block);
}
