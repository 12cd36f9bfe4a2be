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

template <int pixels, int blocks>
inline void convolve_group(const Convolution& a, int block, const float* const* in, float* const* out) noexcept {
    constexpr int width = blocks * block_vectors;
    // Where pixels touch each other in memory, a row of taps is one run of products.
    const bool touching = a.in_pixel == a.in_c;
    const int run = touching ? a.taps_w * a.in_c : a.in_c;
    const int runs_w = touching ? 1 : a.taps_w;
    const std::ptrdiff_t block_size = std::ptrdiff_t(a.taps_h) * a.taps_w * a.in_c * channel_block;
    const float* weights = a.weights + block * block_size;

    Row<width> start;
    if (a.bias)
        start.load_from(a.bias + block * channel_block, channel_block);
    else
        start.clear();
    Tile<pixels, width> sums;
    sums.fill(start);
    for (int y = 0; y < a.taps_h; ++y)
        for (int x = 0; x < runs_w; ++x) {
            Pointers<pixels> at;
            at.set(in, y * a.in_row + x * a.in_pixel);
            for (int k = 0; k < run; ++k, weights += channel_block) {
                Row<width> weight;
                weight.load_from(weights, block_size);
                sums.add_products(at, k, weight);
            }
        }

    const int first = block * channel_block;
    if (first + blocks * channel_block <= a.out_pixel) {
        sums.store_to(out, first, channel_block);
    } else {  // only the lanes below out_c have a place: see Convolution::out_c
        constexpr std::size_t all = std::size_t{blocks} * channel_block;
        float lane[std::size_t{pixels} * all];
        float* rows[std::size_t{pixels}];
        for (int p = 0; p < pixels; ++p) rows[p] = lane + static_cast<std::size_t>(p) * all;
        sums.store_to(rows, 0, channel_block);
        for (int p = 0; p < pixels; ++p)
            for (int b = 0; b < blocks; ++b) {
                const int begin = first + b * channel_block;
                const int end = begin + channel_block <= a.out_pixel ? begin + channel_block : a.out_c;
                for (int c = begin; c < end; ++c) out[p][c] = rows[p][c - first];
            }
    }
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
