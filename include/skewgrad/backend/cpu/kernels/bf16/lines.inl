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

// A place that walks along a line: column `x` of row `y` of pair `pair`, the border before them included.
struct LinePlace {
    int pair = 0, y = 0, x = 0;

    [[gnu::always_inline]] inline void step(const LinePlan& plan) noexcept {
        if (++x < plan.pitch()) return;
        x = 0;
        if (++y < plan.in_h + plan.padding) return;
        y = 0;
        ++pair;
    }
    // What stands here: from `channel` on, the pixels (y - before, x - before) of two images of h x w.
    [[gnu::always_inline]] inline void read(const LineImages& a, int channel, int before, int h, int w,
                                            LinePairs& to) const noexcept {
        const int row = y - before, column = x - before;
        const bool inside = pair < a.pairs() && row >= 0 && row < h && column >= 0 && column < w;
        const int image = a.twice ? pair : 2 * pair;
        const Bfloat16* first = inside ? a.at + image * a.image + row * a.row + column * a.pixel + channel : nullptr;
        const Bfloat16* second = a.twice ? first : inside && image + 1 < a.count ? first + a.image : nullptr;
        pair_channels(first, second, to);
    }
};

inline void lay_inputs(const LineInputs& a) noexcept {
    assert(a.channel_begin % line_step == 0 && a.channel_end % line_step == 0);
    const int length = a.plan.inputs(a.images.pairs());
    for (int c = a.channel_begin; c < a.channel_end; c += line_step) {
        Bfloat16* to = a.to + std::ptrdiff_t(c - a.channel_begin) * length * 2;
        LinePlace place;
        for (int position = 0; position < length; position += line_step) {
            LinePairs rows[line_step];
            for (LinePairs& row : rows) {
                place.read(a.images, c, a.plan.padding, a.plan.in_h, a.plan.in_w, row);
                place.step(a.plan);
            }
            turn_over(rows);
            for (int r = 0; r < line_step; ++r)
                __builtin_memcpy(to + (std::ptrdiff_t(r) * length + position) * 2, &rows[r], sizeof rows[r]);
        }
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

inline void lay_slopes(const LineSlopes& a) noexcept {
    const int length = a.plan.outputs(a.images.pairs());
    Pairs ones{};  // not const with its value: nvcc's host pass ends at constant vectors
    ones += a.images.twice ? 0x3f80u : 0x3f80u | 0x3f80u << 16;
    Bfloat16* to = a.to;
    for (int block = a.block_begin; block < a.block_end; ++block) {
        Row<block_vectors> sum;
        sum.clear();
        LinePlace place;
        for (int position = 0; position < length; ++position, to += 2 * channel_block) {
            LinePairs pairs;
            place.read(a.images, block * channel_block, 0, a.plan.out_h(), a.plan.out_w(), pairs);
            __builtin_memcpy(to, &pairs, sizeof pairs);
            place.step(a.plan);
            PairRow<block_vectors> slope;
            slope.load_from(to, channel_block);
            slope.add_products_to(sum, ones);
        }
        if (!a.bias_gradient) continue;
        Row<block_vectors> total;
        total.load_from(a.bias_gradient + block * channel_block, channel_block);
        total.add(sum);
        total.store_to(a.bias_gradient + block * channel_block, channel_block);
    }
}
