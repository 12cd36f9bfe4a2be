// Images laid out as lines, for sums over 16 pairs that lie side by side.

typedef std::uint32_t LinePairs __attribute__((vector_size(line_step * sizeof(std::uint32_t))));
typedef std::uint16_t LineHalves __attribute__((vector_size(line_step * sizeof(std::uint16_t))));

// One pixel's channels of two images, as pairs; zeros for pixels that are not there. (Where registers are narrower than
// this, compilers do not agree how such a vector is returned.)
[[gnu::always_inline]] inline void pair_channels(const Bfloat16* first, const Bfloat16* second,
                                                 LinePairs& to) noexcept {
    LineHalves a{}, b{};
    if (first) __builtin_memcpy(&a, first, sizeof a);
    if (second) __builtin_memcpy(&b, second, sizeof b);
    to = __builtin_convertvector(a, LinePairs) | __builtin_convertvector(b, LinePairs) << 16;
}

// Rows become columns. Shuffling the first half of 256 numbers perfectly into the second turns the bits of a number's
// place (4 of its row, 4 of its column) by one; doing it four times exchanges row and column.
[[gnu::always_inline]] inline void turn_over(LinePairs (&rows)[line_step]) noexcept {
    for (int turn = 0; turn < 4; ++turn) {
        LinePairs shuffled[line_step];
        for (int r = 0; r < line_step / 2; ++r) {
            const LinePairs a = rows[r], b = rows[r + line_step / 2];
            shuffled[2 * r] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            shuffled[2 * r + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int r = 0; r < line_step; ++r) rows[r] = shuffled[r];
    }
}

// Writes the lines of `tiles` times 16 channels, place by place.
template <int tiles>
class LineWriter {
public:
    [[gnu::always_inline]] inline LineWriter(Bfloat16* to, int length) noexcept : to_(to), length_(length) {}

    [[gnu::always_inline]] inline void put(const WideHalves (&pairs)[tiles]) noexcept {
        for (int t = 0; t < tiles; ++t) rows_[t][filled_] = __builtin_bit_cast(LinePairs, pairs[t]);
        if (++filled_ == line_step) flush();
    }
    inline void put_zeros(int count) noexcept {
        const WideHalves none[tiles] = {};
        for (int i = 0; i < count; ++i) put(none);
    }
    inline void finish() noexcept { put_zeros(length_ - position_ - filled_); }

private:
    inline void flush() noexcept {
        for (int t = 0; t < tiles; ++t) {
            turn_over(rows_[t]);
            for (int r = 0; r < line_step; ++r)
                __builtin_memcpy(to_ + ((std::ptrdiff_t(t) * line_step + r) * length_ + position_) * 2, &rows_[t][r],
                                 sizeof rows_[t][r]);
        }
        position_ += line_step;
        filled_ = 0;
    }
    LinePairs rows_[tiles][line_step];
    Bfloat16* to_;
    int length_, position_ = 0, filled_ = 0;
};

// Two images' pixels in pairs, both blocks of their 32 channels: the first block's 16, then the second's.
[[gnu::always_inline]] inline void pair_wide(const Bfloat16* first, const Bfloat16* second,
                                             WideHalves (&to)[2]) noexcept {
    WideHalves a, b{};
    load_wide(first, a);
    if (second) load_wide(second, b);
    to[0] = __builtin_shufflevector(a, b, 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42,
                                    11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
    to[1] = __builtin_shufflevector(a, b, 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55, 24, 56, 25,
                                    57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63);
}
// The same of one block of 16.
[[gnu::always_inline]] inline void pair_wide(const Bfloat16* first, const Bfloat16* second,
                                             WideHalves (&to)[1]) noexcept {
    LinePairs pairs;
    pair_channels(first, second, pairs);
    to[0] = __builtin_bit_cast(WideHalves, pairs);
}

template <int tiles>
inline void lay_channels(const LineInputs& a, int channel) noexcept {
    const LineImages& images = a.images;
    const int length = a.plan.inputs(images.pairs());
    LineWriter<tiles> line(a.to + std::ptrdiff_t(channel - a.channel_begin) * length * 2, length);
    for (int image = 0; image < images.count; image += 2) {
        line.put_zeros(a.plan.padding * a.plan.pitch());
        for (int y = 0; y < a.plan.in_h; ++y) {
            line.put_zeros(a.plan.padding);
            const Bfloat16* first = images.at + image * images.image + y * images.row + channel;
            const Bfloat16* second = image + 1 < images.count ? first + images.image : nullptr;
            for (int x = 0; x < a.plan.in_w; ++x, first += images.pixel) {
                WideHalves pairs[tiles];
                pair_wide(first, second, pairs);
                line.put(pairs);
                if (second) second += images.pixel;
            }
        }
    }
    line.finish();
}

// Pixels of more than 16 channels are lines of 32.
inline void lay_inputs(const LineInputs& a) noexcept {
    assert(a.channel_begin % line_step == 0 && a.channel_end % line_step == 0);
    for (int channel = a.channel_begin; channel < a.channel_end;) {
        const bool both = channel % wide == 0 && channel + wide <= a.channel_end;
        both ? lay_channels<2>(a, channel) : lay_channels<1>(a, channel);
        channel += both ? wide : line_step;
    }
}

// One image's channels apart from each other, as pairs of parts.
inline void spread_channels(const TapLines& a, const float* image) noexcept {
    Bfloat16* row = a.planes + std::ptrdiff_t(2) * a.c * a.plane();
    for (int y = 0; y < a.plan.in_h; ++y, image += a.plan.in_w * a.c) {
        split(image, a.plan.in_w * a.c, row);
        for (int c = 0; c < a.c; ++c) {
            Bfloat16* to =
                a.planes + 2 * (std::ptrdiff_t(c) * a.plane() + (y + a.plan.padding) * a.plane_w() + a.plan.padding);
            for (int x = 0; x < a.plan.in_w; ++x)
                __builtin_memcpy(to + 2 * x, row + 2 * (x * a.c + c), 2 * sizeof(Bfloat16));
        }
    }
}

inline void lay_taps(const TapLines& a) noexcept {
    const LinePlan lines = a.lines();
    const int length = lines.inputs(a.images), count = a.plan.taps * a.plan.taps * a.c;
    const std::size_t row = std::size_t(2) * lines.in_w * sizeof(Bfloat16);
    __builtin_memset(a.planes, 0, std::size_t(a.size_of_planes()) * sizeof(Bfloat16));
    for (int image = 0; image < a.images; ++image) {
        spread_channels(a, a.in + std::ptrdiff_t(image) * a.plan.in_h * a.plan.in_w * a.c);
        for (int channel = a.channel_begin; channel < a.channel_end && channel < count; ++channel) {
            const int tap = channel / a.c, tap_y = tap / a.plan.taps, tap_x = tap % a.plan.taps;
            const Bfloat16* from =
                a.planes + 2 * (std::ptrdiff_t(channel % a.c) * a.plane() + tap_y * a.plane_w() + tap_x);
            Bfloat16* to = a.to + 2 * (std::ptrdiff_t(channel - a.channel_begin) * length + image * lines.pair_pitch());
            for (int y = 0; y < lines.in_h; ++y, from += 2 * a.plane_w(), to += 2 * lines.in_w)
                __builtin_memcpy(to, from, row);
        }
    }
    for (int channel = a.channel_begin; channel < a.channel_end; ++channel) {
        const int used = channel < count ? a.images * lines.pair_pitch() : 0;
        __builtin_memset(a.to + 2 * (std::ptrdiff_t(channel - a.channel_begin) * length + used), 0,
                         std::size_t(2) * std::size_t(length - used) * sizeof(Bfloat16));
    }
}

// The rows of one pair of images, `blocks` blocks from a.block_begin on; adds their sums to `sums`.
template <int blocks>
inline void lay_slopes_of_pair(const LineSlopes& a, int pair, Bfloat16* to, std::ptrdiff_t to_block,
                               Row<blocks * block_vectors>& sums) noexcept {
    const LineImages& images = a.images;
    const int image = images.twice ? pair : 2 * pair;
    const bool alone = !images.twice && image + 1 == images.count;
    Pairs ones{};  // not const with its value: nvcc's host pass ends at constant vectors
    ones += images.twice ? 0x3f80u : 0x3f80u | 0x3f80u << 16;
    for (int y = 0; y < a.plan.out_h(); ++y) {
        const Bfloat16* first = images.at + image * images.image + y * images.row + a.block_begin * channel_block;
        const Bfloat16* second = images.twice ? first : first + images.image;
        Bfloat16* at = to + std::ptrdiff_t(y) * a.plan.pitch() * 2 * channel_block;
        for (int x = 0; x < a.plan.out_w(); ++x, first += images.pixel, at += 2 * channel_block) {
            WideHalves pairs[blocks];
            pair_wide(first, alone ? nullptr : second, pairs);
            for (int b = 0; b < blocks; ++b) store_wide(at + b * to_block, pairs[b]);
            second += images.pixel;
            PairRow<blocks * block_vectors> slope;
            slope.load_from(at, to_block / 2);
            slope.add_products_to(sums, ones);
        }
    }
}

template <int blocks>
inline void lay_slope_blocks(const LineSlopes& a) noexcept {
    const int pairs = a.images.pairs();
    const std::ptrdiff_t place = 2 * channel_block, to_block = a.plan.slopes(pairs) * place;
    __builtin_memset(a.to, 0, std::size_t(blocks * to_block) * sizeof(Bfloat16));
    Row<blocks * block_vectors> sums;
    sums.clear();
    for (int pair = 0; pair < pairs; ++pair)
        lay_slopes_of_pair<blocks>(a, pair, a.to + (a.plan.before() + pair * a.plan.pair_pitch()) * place, to_block,
                                   sums);
    if (!a.bias_gradient) return;
    Row<blocks * block_vectors> total;
    total.load_from(a.bias_gradient + a.block_begin * channel_block, channel_block);
    total.add(sums);
    total.store_to(a.bias_gradient + a.block_begin * channel_block, channel_block);
}

inline void lay_slopes(const LineSlopes& a) noexcept {
    assert(a.block_end - a.block_begin == 1 || (a.block_end - a.block_begin == 2 && a.block_begin % 2 == 0));
    a.block_end - a.block_begin == 2 ? lay_slope_blocks<2>(a) : lay_slope_blocks<1>(a);
}
