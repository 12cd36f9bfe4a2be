// Convolution of pairs by tiles: 16 pixels times 16 channels, 16 pairs at a time. `Tiles` is the machine's (AMX) or an
// emulation of it; the packed weights of 16 pairs are a tile of factors as they lie.
//
// A unit of work is two tiles of pixels times two blocks of channels: four tiles of sums. Tiles take long to store and
// their sums to finish (rectify, mask, round), and a processor looks ahead a few hundred instructions only: therefore
// what one unit leaves is finished in slices between the products of the next.

inline constexpr int tile_rows = tile_pixels, unit_pixels = 2 * tile_rows, unit_width = wide;

// A pixel of the output: row y, place x in it, x counting images first where they are interleaved.
struct OutputPlace {
    int y = 0, x = 0;
    [[gnu::always_inline]] inline void step(int row) noexcept {
        if (++x == row) x = 0, ++y;
    }
};

// Sixteen pixels of the output, in row-major order: where a tap reads them. Missing ones at the end count as zeros.
struct TilePixels {
    const Bfloat16* first;
    const Bfloat16* in[tile_rows];  // of each, where they stand unevenly or some are missing
    std::ptrdiff_t apart;           // in bytes, between all of them; else 0
    int count;

    // Steps over them.
    [[gnu::always_inline]] inline void set(const PairConvolution& a, OutputPlace& at, int left) noexcept {
        const int row = a.out_w * a.images;
        const std::ptrdiff_t step = a.stride * a.in_pixel, down = a.stride * a.in_row;
        count = left < tile_rows ? left : tile_rows;
        first = a.in + at.y * down + at.x * step;
        if (at.x + tile_rows <= row) {
            apart = step * std::ptrdiff_t(sizeof(Bfloat16));
            at.x += tile_rows;
            if (at.x == row) at.x = 0, ++at.y;
            return;
        }
        apart = 0;
        for (int p = 0; p < count; ++p, at.step(row)) in[p] = a.in + at.y * down + at.x * step;
    }
    template <class Tiles, int tile>
    [[gnu::always_inline]] inline void load(std::ptrdiff_t offset) const noexcept {
        if (apart != 0) return Tiles::template load<tile>(first + offset, apart);
        alignas(64) Bfloat16 rows[tile_rows * 2 * tile_pairs] = {};
        for (int p = 0; p < count; ++p)
            __builtin_memcpy(rows + p * 2 * tile_pairs, in[p] + offset, 2 * tile_pairs * sizeof(Bfloat16));
        Tiles::template load<tile>(rows, 2 * tile_pairs * sizeof(Bfloat16));
    }
};

// What is done to sums: bf16 numbers are positive where their bits are, read as a signed number.
enum class Ending { plain, rectified, masked, other };

[[gnu::always_inline]] inline Ending ending_of(const PairConvolution& a, int channels) noexcept {
    if (a.out_f32 || channels != unit_width || (a.mask && a.rectify)) return Ending::other;
    return a.mask ? Ending::masked : a.rectify ? Ending::rectified : Ending::plain;
}

// What one unit has left: sums [pixel][unit_width] on their way to their places.
class TileResults {
public:
    [[gnu::always_inline]] inline void begin(const PairConvolution& a, const float* sums, OutputPlace at, int pixels,
                                             int block, int blocks) noexcept {
        sums_ = sums;
        left_ = pixels;
        const int first = block * channel_block, width = blocks * channel_block;
        channels_ = !a.out_f32 || a.out_c - first > width ? width : a.out_c - first;
        how_ = ending_of(a, channels_);
        image_ = at.x % a.images;
        x_ = at.x / a.images;
        at_ = at.y * a.out_row + x_ * a.out_pixel + image_ * a.out_image + first;
    }
    [[gnu::always_inline]] inline void finish(const PairConvolution& a, int most) noexcept {
        const int count = most < left_ ? most : left_;
        left_ -= count;
        if (how_ == Ending::rectified) return some<Ending::rectified>(a, count);
        if (how_ == Ending::masked) return some<Ending::masked>(a, count);
        if (how_ == Ending::plain) return some<Ending::plain>(a, count);
        some<Ending::other>(a, count);
    }

private:
    template <Ending how>
    [[gnu::always_inline]] inline void some(const PairConvolution& a, int count) noexcept {
        for (; count > 0; --count, sums_ += unit_width) {
            if (image_ < a.stored_images) one<how>(a);
            at_ += a.out_image;
            if (++image_ < a.images) continue;
            image_ = 0;
            at_ += a.out_pixel - a.images * a.out_image;
            if (++x_ < a.out_w) continue;
            x_ = 0;
            at_ += a.out_row - a.out_w * a.out_pixel;
        }
    }
    template <Ending how>
    [[gnu::always_inline]] inline void one(const PairConvolution& a) const noexcept {
        if constexpr (how == Ending::other) {
            a.out_f32 ? finish_f32(a, sums_, at_, channels_) : finish_bf16(a, sums_, at_, channels_);
        } else {
            WideHalves v, mask;
            round_wide(sums_, v);
            if constexpr (how == Ending::rectified) v &= v > 0;
            if constexpr (how == Ending::masked) {
                load_wide(static_cast<const Bfloat16*>(a.mask) + at_, mask);
                v &= mask > 0;
            }
            store_wide(static_cast<Bfloat16*>(a.out) + at_, v);
        }
    }

    const float* sums_ = nullptr;
    int left_ = 0, channels_ = 0, image_ = 0, x_ = 0;
    Ending how_ = Ending::other;
    std::ptrdiff_t at_ = 0;
};

// Tiles 0 to 3: sums of two groups of pixels times two blocks of channels; 4, 5: pixels; 6, 7: weights.
template <class Tiles, int groups, int blocks>
inline void convolve_tiles(const PairConvolution& a, int block, TapRows taps, const TilePixels* pixels, float* sums,
                           TileResults& before) noexcept {
    constexpr std::ptrdiff_t line = channel_block * sizeof(float);
    // Where pixels touch each other in memory, a row of taps is one run of products.
    const int run = a.images == 1 ? a.packed_row() : a.pairs, runs = a.images == 1 ? 1 : a.taps_w;
    const std::ptrdiff_t row_size = std::ptrdiff_t(a.packed_row()) * 2 * channel_block,
                         block_size = a.taps_h * row_size;
    const Bfloat16* weights = a.weights + block * block_size + taps.begin * row_size;
    alignas(64) float start[unit_width] = {};
    if (a.bias)
        for (int b = 0; b < blocks && block + b < blocks_of(a.out_c); ++b)
            __builtin_memcpy(start + b * channel_block, a.bias + (block + b) * channel_block, line);
    // A stride of zero loads one row into all.
    Tiles::template load<0>(start, 0);
    if constexpr (blocks > 1) Tiles::template load<1>(start + channel_block, 0);
    if constexpr (groups > 1) Tiles::template load<2>(start, 0);
    if constexpr (groups > 1 && blocks > 1) Tiles::template load<3>(start + channel_block, 0);
    const int steps = (taps.end - taps.begin) * a.packed_row() / tile_pairs;
    const int slice = steps > 0 ? (unit_pixels + steps - 1) / steps : unit_pixels;
    for (int y = taps.begin; y < taps.end; ++y)
        for (int x = 0; x < runs; ++x)
            for (int k = 0; k < run; k += tile_pairs, weights += tile_pairs * 2 * channel_block) {
                const std::ptrdiff_t offset = y * a.in_row + x * a.images * a.in_pixel + 2 * k;
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
                before.finish(a, slice);
            }
    before.finish(a, unit_pixels);
    constexpr std::ptrdiff_t row = unit_width * sizeof(float);
    Tiles::template store<0>(sums, row);
    if constexpr (blocks > 1) Tiles::template store<1>(sums + channel_block, row);
    if constexpr (groups > 1) Tiles::template store<2>(sums + tile_rows * unit_width, row);
    if constexpr (groups > 1 && blocks > 1)
        Tiles::template store<3>(sums + tile_rows * unit_width + channel_block, row);
}

template <class Tiles, int blocks>
inline void convolve_tile_blocks(const PairConvolution& a, int block) noexcept {
    alignas(64) float sums[2][unit_pixels * unit_width];  // of this unit and the one before
    const int total = a.out_h * a.out_w * a.images;
    OutputPlace at;
    TileResults before;
    for (int from = 0, turn = 0; from < total; from += unit_pixels, turn ^= 1) {
        const OutputPlace first = at;
        TilePixels pixels[2];
        pixels[0].set(a, at, total - from);
        pixels[1].count = 0;
        if (from + tile_rows < total) pixels[1].set(a, at, total - from - tile_rows);
        const int last_y = at.x == 0 ? at.y - 1 : at.y;
        const TapRows taps{a.zero_rows.first_tap(last_y * a.stride), a.zero_rows.end_tap(first.y * a.stride, a.taps_h)};
        if (pixels[1].count > 0)
            convolve_tiles<Tiles, 2, blocks>(a, block, taps, pixels, sums[turn], before);
        else
            convolve_tiles<Tiles, 1, blocks>(a, block, taps, pixels, sums[turn], before);
        before.begin(a, sums[turn], first, pixels[0].count + pixels[1].count, block, blocks);
    }
    before.finish(a, unit_pixels);
}

// What does not fill a tile with pairs goes without; that depends on the layer alone, so that bits do, too.
template <class Tiles>
inline void convolve_by_tiles(const PairConvolution& a) noexcept {
    if (a.packed_row() % tile_pairs != 0) return convolve_all_pairs(a);
    assert(a.in_pixel == 2 * a.pairs && (a.images == 1 || (a.stride == 1 && a.pairs % tile_pairs == 0)));
    Tiles::configure();
    int block = a.out_block_begin;
    for (; block + 2 <= a.out_block_end; block += 2) convolve_tile_blocks<Tiles, 2>(a, block);
    if (block < a.out_block_end) convolve_tile_blocks<Tiles, 1>(a, block);
    Tiles::release();
}
