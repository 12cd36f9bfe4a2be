// Weight gradient of lines by tiles: 16 input channels times 16 output channels, 16 positions at a time. A tile of
// sums is 16 rows of the packed gradient as it lies.

// A tile of sums where the gradient has fewer rows than it: by way of a whole one.
struct SumsInPart {
    alignas(64) float rows[line_step][channel_block];
    float* to;
    int count;

    template <class Tiles, int tile>
    [[gnu::always_inline]] inline void load(float* sums, int rows_there) noexcept {
        to = sums;
        count = rows_there;
        if (count == line_step) return Tiles::template load<tile>(sums, sizeof rows[0]);
        __builtin_memset(rows, 0, sizeof rows);
        __builtin_memcpy(rows, sums, std::size_t(count) * sizeof rows[0]);
        Tiles::template load<tile>(rows, sizeof rows[0]);
    }
    template <class Tiles, int tile>
    [[gnu::always_inline]] inline void store() noexcept {
        if (count == line_step) return Tiles::template store<tile>(to, sizeof rows[0]);
        Tiles::template store<tile>(rows, sizeof rows[0]);
        __builtin_memcpy(to, rows, std::size_t(count) * sizeof rows[0]);
    }
};

// Tiles 0 to 3: sums of two units times two blocks; 4, 5: their inputs; 6, 7: slopes.
template <class Tiles, int units, int blocks>
inline void accumulate_tiles(const LineGradient& a, int unit) noexcept {
    constexpr std::ptrdiff_t line = channel_block * sizeof(float);
    const int taps = a.plan.taps * a.plan.taps, length = a.plan.outputs(a.pairs);
    const std::ptrdiff_t in_row = std::ptrdiff_t(a.plan.inputs(a.pairs)) * 2;
    const Bfloat16* in[units];
    float* sums[units];
    int rows[units];
    for (int u = 0; u < units; ++u) {
        const int channel = (unit + u) / taps * line_step, tap = (unit + u) % taps;
        in[u] = a.in + (channel - a.channel_begin) * in_row + 2 * a.plan.offset(tap);
        rows[u] = a.in_c - channel < line_step ? a.in_c - channel : line_step;
        sums[u] = a.gradient + a.block * a.gradient_block + (std::ptrdiff_t(tap) * a.in_c + channel) * channel_block;
    }
    SumsInPart part[4];
    part[0].load<Tiles, 0>(sums[0], rows[0]);
    if constexpr (blocks > 1) part[1].load<Tiles, 1>(sums[0] + a.gradient_block, rows[0]);
    if constexpr (units > 1) part[2].load<Tiles, 2>(sums[units - 1], rows[units - 1]);
    if constexpr (units > 1 && blocks > 1) part[3].load<Tiles, 3>(sums[units - 1] + a.gradient_block, rows[units - 1]);
    const Bfloat16* slopes = a.slopes;
    const std::ptrdiff_t slope_block = std::ptrdiff_t(length) * 2 * channel_block;
    for (int position = 0; position < length; position += line_step, slopes += line_step * 2 * channel_block) {
        Tiles::template load<6>(slopes, line);
        if constexpr (blocks > 1) Tiles::template load<7>(slopes + slope_block, line);
        Tiles::template load<4>(in[0] + 2 * position, in_row * std::ptrdiff_t(sizeof(Bfloat16)));
        Tiles::template add_products<0, 4, 6>();
        if constexpr (blocks > 1) Tiles::template add_products<1, 4, 7>();
        if constexpr (units > 1) {
            Tiles::template load<5>(in[units - 1] + 2 * position, in_row * std::ptrdiff_t(sizeof(Bfloat16)));
            Tiles::template add_products<2, 5, 6>();
            if constexpr (blocks > 1) Tiles::template add_products<3, 5, 7>();
        }
    }
    part[0].store<Tiles, 0>();
    if constexpr (blocks > 1) part[1].store<Tiles, 1>();
    if constexpr (units > 1) part[2].store<Tiles, 2>();
    if constexpr (units > 1 && blocks > 1) part[3].store<Tiles, 3>();
}

template <class Tiles, int blocks>
inline void accumulate_tile_units(const LineGradient& a) noexcept {
    int unit = a.unit_begin;
    for (; unit + 2 <= a.unit_end; unit += 2) accumulate_tiles<Tiles, 2, blocks>(a, unit);
    if (unit < a.unit_end) accumulate_tiles<Tiles, 1, blocks>(a, unit);
}

template <class Tiles>
inline void accumulate_by_tiles(const LineGradient& a) noexcept {
    assert(a.blocks == 1 || a.blocks == 2);
    Tiles::configure();
    if (a.blocks == 2)
        accumulate_tile_units<Tiles, 2>(a);
    else
        accumulate_tile_units<Tiles, 1>(a);
    Tiles::release();
}
