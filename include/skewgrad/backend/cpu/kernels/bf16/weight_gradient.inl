// Weight gradient of pairs: a panel of 8 input channels times one or two blocks of 16 output channels, over pixels.

// Pixels summed in registers before they are added to the gradient: few enough for the first-level cache. Part of the
// order of the sum, so the same on every set.
inline constexpr int pair_patch = 128;
// Sets with few registers take a panel's channels a few at a time.
#if defined(SKEWGRAD_ISA_AVX512)
inline constexpr int pair_rows = panel_channels;
#else
inline constexpr int pair_rows = 2;
#endif

// A rectangle of output pixels: their gradients side by side as pairs, and where a tap's input starts.
struct PairPatch {
    const Bfloat16* in;
    std::ptrdiff_t in_row, in_pixel;
    const Bfloat16* gradients;  // [h][w][blocks][16][2]
    int h, w;
};

template <int blocks>
inline void accumulate_pairs(const PairPatch& patch, const Bfloat16* in, float* gradient, std::ptrdiff_t block_size,
                             int channels) noexcept {
    constexpr int width = blocks * block_vectors;
    for (int first = 0; first < channels; first += pair_rows) {
        PairTile<pair_rows, width> sums;
        Row<width> zero;
        zero.clear();
        sums.fill(zero);
        const Bfloat16* from = patch.gradients;
        for (int y = 0; y < patch.h; ++y) {
            const Bfloat16* value = in + y * patch.in_row + 2 * first;
            for (int x = 0; x < patch.w; ++x, value += patch.in_pixel, from += 2 * blocks * channel_block) {
                PairRow<width> slope;
                slope.load_from(from, channel_block);
                sums.add(value, slope);
            }
        }
        if (first + pair_rows <= channels) {
            sums.add_to(gradient + first * channel_block, channel_block, block_size);
        } else {  // channels beyond the last have no place
            float lane[pair_rows * blocks * channel_block];
            sums.store_to(lane, blocks * channel_block, channel_block);
            for (int r = 0; first + r < channels; ++r)
                for (int b = 0; b < blocks; ++b)
                    for (int o = 0; o < channel_block; ++o)
                        gradient[b * block_size + (first + r) * channel_block + o] +=
                            lane[(r * blocks + b) * channel_block + o];
        }
    }
}

// The rows of a patch, whose first is output row y, that meet tap row `tap_y` outside the rows known to be zero.
inline PairPatch rows_inside(const PairWeightGradient& a, PairPatch patch, int blocks, int y, int tap_y) noexcept {
    const auto row = [&](int h) noexcept { return (y + h) * a.stride + tap_y; };
    int begin = 0;
    while (begin < patch.h && row(begin) < a.zero_rows.begin) ++begin;
    while (patch.h > begin && row(patch.h - 1) >= a.zero_rows.end) --patch.h;
    patch.h -= begin;
    patch.in += begin * patch.in_row;
    patch.gradients += std::ptrdiff_t(begin) * patch.w * blocks * 2 * channel_block;
    return patch;
}

// The patch's gradients of `blocks` blocks as pairs (first, second).
template <int blocks>
inline void pair_gradients(const PairWeightGradient& a, std::ptrdiff_t offset, const PairPatch& patch,
                           Bfloat16* to) noexcept {
    for (int y = 0; y < patch.h; ++y)
        for (int x = 0; x < patch.w; ++x) {
            const std::ptrdiff_t at = offset + y * a.out_row + x * a.out_pixel;
            for (int c = 0; c < blocks * channel_block; c += lanes, to += 2 * lanes) {
                const Pairs first = __builtin_bit_cast(Pairs, load_bf16(a.first + at + c));
                const Pairs second = a.second ? __builtin_bit_cast(Pairs, load_bf16(a.second + at + c)) : Pairs{};
                store_pairs(to, first >> 16 | second);
            }
        }
}

template <int blocks>
inline void accumulate_bias(const PairPatch& patch, bool same, float* bias_gradient) noexcept {
    constexpr int width = blocks * block_vectors;
    constexpr std::uint32_t one = 0x3f80;
    const Pairs ones = Pairs{} + (same ? one : one | one << 16);
    Row<width> sum, total;
    sum.clear();
    for (int p = 0; p < patch.h * patch.w; ++p) {
        PairRow<width> slope;
        slope.load_from(patch.gradients + 2 * p * blocks * channel_block, channel_block);
        slope.add_products_to(sum, ones);
    }
    total.load_from(bias_gradient, channel_block);
    total.add(sum);
    total.store_to(bias_gradient, channel_block);
}

// Units [begin, end) of one group of blocks: unit = panel * taps + tap.
template <int blocks>
inline void accumulate_pair_group(const PairWeightGradient& a, int block, int begin, int end) noexcept {
    alignas(64) Bfloat16 gradients[2 * pair_patch * blocks * channel_block];
    const int taps = a.taps_h * a.taps_w;
    const int patch_w = a.out_w < pair_patch ? a.out_w : pair_patch;
    const int patch_h = pair_patch / patch_w;
    for (int y = 0; y < a.out_h; y += patch_h)
        for (int x = 0; x < a.out_w; x += patch_w) {
            PairPatch patch;
            patch.h = a.out_h - y < patch_h ? a.out_h - y : patch_h;
            patch.w = a.out_w - x < patch_w ? a.out_w - x : patch_w;
            patch.in_row = a.stride * a.in_row;
            patch.in_pixel = a.stride * 2 * panel_channels;
            patch.in = a.in + y * patch.in_row + x * patch.in_pixel;
            patch.gradients = gradients;
            pair_gradients<blocks>(a, y * a.out_row + x * a.out_pixel + block * channel_block, patch, gradients);
            if (begin == 0 && a.bias_gradient)
                accumulate_bias<blocks>(patch, a.first == a.second, a.bias_gradient + block * channel_block);
            for (int unit = begin; unit < end; ++unit) {
                const int panel = unit / taps, tap = unit % taps;
                const int channel = panel * panel_channels;
                const PairPatch inside = rows_inside(a, patch, blocks, y, tap / a.taps_w);
                const Bfloat16* in =
                    inside.in + panel * a.in_panel + tap / a.taps_w * a.in_row + tap % a.taps_w * 2 * panel_channels;
                float* gradient =
                    a.gradient + block * a.gradient_block + (std::ptrdiff_t(tap) * a.in_c + channel) * channel_block;
                const int channels = a.in_c - channel < panel_channels ? a.in_c - channel : panel_channels;
                accumulate_pairs<blocks>(inside, in, gradient, a.gradient_block, channels);
            }
        }
}

inline void accumulate_pair_gradient(const PairWeightGradient& a) noexcept {
    assert(a.in_c > 0 && a.taps_h > 0 && a.taps_w > 0 && a.stride > 0);
    const int in_group = a.units_of_group();
    for (int unit = a.unit_begin; unit < a.unit_end;) {
        const int group = unit / in_group, begin = unit % in_group;
        const int end = a.unit_end - unit < in_group - begin ? begin + a.unit_end - unit : in_group;
        if (2 * group + 1 < blocks_of(a.out_c))
            accumulate_pair_group<2>(a, 2 * group, begin, end);
        else
            accumulate_pair_group<1>(a, 2 * group, begin, end);
        unit += end - begin;
    }
}

inline void pair_rows_of_images(const PairRows& a) noexcept {
    for (int x = 0; x < a.pixels; ++x)
        for (int panel = 0; panel < a.panels; ++panel) {
            typedef std::uint16_t Eight __attribute__((vector_size(16)));
            Eight first, second{};
            const std::ptrdiff_t at = x * a.pixel + panel * panel_channels;
            __builtin_memcpy(&first, a.first + at, sizeof first);
            if (a.second) __builtin_memcpy(&second, a.second + at, sizeof second);
            const Eight low = __builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
            const Eight high = __builtin_shufflevector(first, second, 4, 12, 5, 13, 6, 14, 7, 15);
            Bfloat16* to = a.to + panel * a.to_panel + x * a.to_pixel;
            __builtin_memcpy(to, &low, sizeof low);
            __builtin_memcpy(to + panel_channels, &high, sizeof high);
        }
}
