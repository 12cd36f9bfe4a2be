// Convolution of pairs by tiles: 16 pixels times 16 channels, 16 pairs at a time. `Tiles` is the machine's (AMX) or an
// emulation of it; the packed weights of 16 pairs are a tile of factors as they lie.

inline constexpr int tile_rows = 16, tile_pairs = 16;

// Sixteen pixels of the output, in row-major order: where a tap reads them. Missing ones at the end count as zeros.
struct TilePixels {
    const Bfloat16* in[tile_rows];
    std::ptrdiff_t apart;  // between all of them; 0 where they stand unevenly, or some are missing
    int count;

    [[gnu::always_inline]] inline void set(const PairConvolution& a, int first, int total) noexcept {
        count = total - first < tile_rows ? total - first : tile_rows;
        apart = count == tile_rows ? a.stride * a.in_pixel : 0;
        for (int p = 0; p < count; ++p) {
            const int y = (first + p) / a.out_w, x = (first + p) % a.out_w;
            in[p] = a.in + y * a.stride * a.in_row + x * a.stride * a.in_pixel;
            if (in[p] != in[0] + p * apart) apart = 0;
        }
    }
    template <class Tiles, int tile>
    [[gnu::always_inline]] inline void load(std::ptrdiff_t offset) const noexcept {
        if (apart != 0) return Tiles::template load<tile>(in[0] + offset, apart * std::ptrdiff_t(sizeof(Bfloat16)));
        alignas(64) Bfloat16 rows[tile_rows * 2 * tile_pairs] = {};
        for (int p = 0; p < count; ++p)
            __builtin_memcpy(rows + p * 2 * tile_pairs, in[p] + offset, 2 * tile_pairs * sizeof(Bfloat16));
        Tiles::template load<tile>(rows, 2 * tile_pairs * sizeof(Bfloat16));
    }
};

// Tiles 0 to 3: sums of two groups of pixels times two blocks of channels; 4, 5: pixels; 6, 7: weights.
template <class Tiles, int groups, int blocks>
inline void convolve_tiles(const PairConvolution& a, int block, const TilePixels* pixels, float* results) noexcept {
    constexpr std::ptrdiff_t line = channel_block * sizeof(float);
    const std::ptrdiff_t block_size = std::ptrdiff_t(a.taps_h) * a.taps_w * a.pairs * 2 * channel_block;
    const Bfloat16* weights = a.weights + block * block_size;
    alignas(64) float start[2 * channel_block] = {};
    if (a.bias)
        for (int b = 0; b < blocks && block + b < blocks_of(a.out_c); ++b)
            __builtin_memcpy(start + b * channel_block, a.bias + (block + b) * channel_block, line);
    // A stride of zero loads one row into all.
    Tiles::template load<0>(start, 0);
    if constexpr (blocks > 1) Tiles::template load<1>(start + channel_block, 0);
    if constexpr (groups > 1) Tiles::template load<2>(start, 0);
    if constexpr (groups > 1 && blocks > 1) Tiles::template load<3>(start + channel_block, 0);
    for (int y = 0; y < a.taps_h; ++y)
        for (int x = 0; x < a.taps_w; ++x)
            for (int k = 0; k < a.pairs; k += tile_pairs, weights += tile_pairs * 2 * channel_block) {
                const std::ptrdiff_t offset = y * a.in_row + x * a.in_pixel + 2 * k;
                Tiles::template load<6>(weights, line);
                if constexpr (blocks > 1) Tiles::template load<7>(weights + block_size, line);
                pixels[0].load<Tiles, 4>(offset);
                Tiles::template add_products<0, 4, 6>();
                if constexpr (blocks > 1) Tiles::template add_products<1, 4, 7>();
                if constexpr (groups > 1) {
                    pixels[1].load<Tiles, 5>(offset);
                    Tiles::template add_products<2, 5, 6>();
                    if constexpr (blocks > 1) Tiles::template add_products<3, 5, 7>();
                }
            }
    constexpr std::ptrdiff_t row = 2 * line;
    Tiles::template store<0>(results, row);
    if constexpr (blocks > 1) Tiles::template store<1>(results + channel_block, row);
    if constexpr (groups > 1) Tiles::template store<2>(results + tile_rows * 2 * channel_block, row);
    if constexpr (groups > 1 && blocks > 1)
        Tiles::template store<3>(results + (tile_rows * 2 + 1) * channel_block, row);
}

template <class Tiles, int blocks>
inline void convolve_tile_blocks(const PairConvolution& a, int block) noexcept {
    alignas(64) float results[2 * tile_rows * 2 * channel_block];
    const int first = block * channel_block;
    const int channels =
        !a.out_f32 || a.out_c - first > blocks * channel_block ? blocks * channel_block : a.out_c - first;
    const int total = a.out_h * a.out_w;
    for (int from = 0; from < total; from += 2 * tile_rows) {
        TilePixels pixels[2];
        pixels[0].set(a, from, total);
        pixels[1].count = 0;
        if (from + tile_rows < total) {
            pixels[1].set(a, from + tile_rows, total);
            convolve_tiles<Tiles, 2, blocks>(a, block, pixels, results);
        } else {
            convolve_tiles<Tiles, 1, blocks>(a, block, pixels, results);
        }
        for (int p = 0; p < pixels[0].count + pixels[1].count; ++p) {
            const std::ptrdiff_t out = (from + p) / a.out_w * a.out_row + (from + p) % a.out_w * a.out_pixel + first;
            if (a.out_f32)
                finish_f32(a, results + p * 2 * channel_block, out, channels);
            else
                finish_bf16(a, results + p * 2 * channel_block, out, channels);
        }
    }
}

// What does not fill a tile with pairs goes without; that depends on the layer alone, so that bits do, too.
template <class Tiles>
inline void convolve_by_tiles(const PairConvolution& a) noexcept {
    if (a.pairs % tile_pairs != 0) return convolve_all_pairs(a);
    Tiles::configure();
    int block = a.out_block_begin;
    for (; block + 2 <= a.out_block_end; block += 2) convolve_tile_blocks<Tiles, 2>(a, block);
    if (block < a.out_block_end) convolve_tile_blocks<Tiles, 1>(a, block);
    Tiles::release();
}
