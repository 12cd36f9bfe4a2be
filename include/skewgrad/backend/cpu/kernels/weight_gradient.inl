// Weight gradient: a few (tap, input channel) rows times one block of 16 output channels, summed over pixels.

// Rows that one call of the inner kernel computes.
#if defined(SKEWGRAD_ISA_AVX512)
inline constexpr int panel_rows = 12;
#elif defined(SKEWGRAD_ISA_AVX2)
inline constexpr int panel_rows = 6;
#elif defined(__x86_64__)
inline constexpr int panel_rows = 2;
#else
inline constexpr int panel_rows = 4;
#endif

// Pixels whose products are summed in registers before they are added to the gradient: few enough for their values
// to stay in the first-level cache. Part of the order of the sum, so the same on every set.
inline constexpr int patch_pixels = 128;

// A rectangle of output pixels: their gradients, and the input values that one tap of them reads.
struct Patch {
    const float* in;
    std::ptrdiff_t in_row, in_pixel;
    const float* gradient;
    std::ptrdiff_t gradient_row, gradient_pixel;
    int h, w;
};

template <int rows>
inline void accumulate_rows(const Patch& patch, const float* in, float* gradient) noexcept {
    Tile<rows, block_vectors> sums;
    Row<block_vectors> slope;
    slope.clear();
    sums.fill(slope);
    for (int y = 0; y < patch.h; ++y) {
        const float* value = in + y * patch.in_row;
        const float* from = patch.gradient + y * patch.gradient_row;
        for (int x = 0; x < patch.w; ++x, value += patch.in_pixel, from += patch.gradient_pixel) {
            slope.load_from(from, 0);
            sums.add_products(value, slope);
        }
    }
    sums.add_to(gradient);
}

template <int rows = panel_rows>
[[gnu::always_inline]] inline void accumulate_count(int count, const Patch& patch, const float* in,
                                                    float* gradient) noexcept {
    if constexpr (rows > 0) {
        if (count == rows) return accumulate_rows<rows>(patch, in, gradient);
        accumulate_count<rows - 1>(count, patch, in, gradient);
    }
}

inline void accumulate_bias(const Patch& patch, float* bias_gradient) noexcept {
    Row<block_vectors> sum, slope;
    sum.clear();
    for (int y = 0; y < patch.h; ++y)
        for (int x = 0; x < patch.w; ++x) {
            slope.load_from(patch.gradient + y * patch.gradient_row + x * patch.gradient_pixel, 0);
            sum.add(slope);
        }
    slope.load_from(bias_gradient, 0);
    slope.add(sum);
    slope.store_to(bias_gradient, 0);
}

// All units [begin, end) of one block of output channels (unit = tap_y * taps_w + tap_x), for one patch.
inline void accumulate_patch(const WeightGradient& a, const Patch& patch, int block, int begin, int end) noexcept {
    const int taps = a.taps_h * a.taps_w;
    const bool touching = a.in_pixel == a.in_c;  // then the taps of one row are one run of input values
    for (int tap = begin; tap < end;) {
        const int tap_y = tap / a.taps_w, tap_x = tap % a.taps_w;
        const int run_taps = !touching ? 1 : end - tap < a.taps_w - tap_x ? end - tap : a.taps_w - tap_x;
        const int run = run_taps * a.in_c;
        const float* in = patch.in + tap_y * a.in_row + tap_x * a.in_pixel;
        float* gradient = a.gradient + (std::ptrdiff_t(block) * taps + tap) * a.in_c * channel_block;
        const int panels = (run + panel_rows - 1) / panel_rows;
        for (int panel = 0; panel < panels; ++panel) {
            const int count = run / panels + (panel < run % panels);
            accumulate_count(count, patch, in, gradient);
            in += count;
            gradient += std::ptrdiff_t(count) * channel_block;
        }
        tap += run_taps;
    }
    if (begin == 0 && a.bias_gradient) accumulate_bias(patch, a.bias_gradient + block * channel_block);
}

inline void accumulate_weight_gradient(const WeightGradient& a) noexcept {
    assert(a.in_c > 0 && a.in_pixel >= a.in_c && a.taps_h > 0 && a.taps_w > 0 && a.stride > 0);
    const int taps = a.taps_h * a.taps_w;
    const int patch_w = a.out_w < patch_pixels ? a.out_w : patch_pixels;
    const int patch_h = patch_pixels / patch_w;
    for (int unit = a.unit_begin; unit < a.unit_end;) {
        const int block = unit / taps, begin = unit % taps;
        const int end = a.unit_end - unit < taps - begin ? begin + a.unit_end - unit : taps;
        const int first = block * channel_block;
        for (int y = 0; y < a.out_h; y += patch_h)
            for (int x = 0; x < a.out_w; x += patch_w) {
                Patch patch;
                patch.h = a.out_h - y < patch_h ? a.out_h - y : patch_h;
                patch.w = a.out_w - x < patch_w ? a.out_w - x : patch_w;
                patch.in = a.in + y * a.stride * a.in_row + x * a.stride * a.in_pixel;
                patch.in_row = a.stride * a.in_row;
                patch.in_pixel = a.stride * a.in_pixel;
                patch.gradient = a.out_gradient + y * a.out_row + x * a.out_pixel + first;
                patch.gradient_row = a.out_row;
                patch.gradient_pixel = a.out_pixel;
                alignas(64) float padded[patch_pixels * channel_block];
                if (first + channel_block > a.out_pixel) {
                    // The block is wider than the pixel: reading it whole would read the next pixel's channels.
                    for (int i = 0; i < patch.h; ++i)
                        for (int j = 0; j < patch.w; ++j)
                            for (int c = 0; c < channel_block; ++c)
                                padded[(i * patch.w + j) * channel_block + c] =
                                    first + c < a.out_c ? patch.gradient[i * a.out_row + j * a.out_pixel + c] : 0.0f;
                    patch.gradient = padded;
                    patch.gradient_row = std::ptrdiff_t(patch.w) * channel_block;
                    patch.gradient_pixel = channel_block;
                }
                accumulate_patch(a, patch, block, begin, end);
            }
        unit += end - begin;
    }
}
