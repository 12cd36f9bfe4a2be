// Winograd's transforms for F(4 x 4, 3 x 3): lines of a tile, then tiles, then strips of them and packed weights.

// A line of a tile, and the five ways to transform one. Sums are paired so that few products are needed.
struct Line4 {
    Vector a, b, c, d;
};
struct Line6 {
    Vector a, b, c, d, e, f;
};
struct Line3 {
    Vector a, b, c;
};

// B^T d
[[gnu::always_inline]] inline Line6 to_input(const Line6& d) noexcept {
    const Vector two = broadcast(2.0f), four = broadcast(4.0f), minus_four = broadcast(-4.0f),
                 minus_five = broadcast(-5.0f);
    const Vector even = multiply_add(minus_four, d.c, d.e), odd = multiply_add(minus_four, d.b, d.d);
    const Vector even2 = d.e - d.c, odd2 = two * (d.d - d.b);
    return {
        multiply_add(four, d.a, multiply_add(minus_five, d.c, d.e)), even + odd, even - odd, even2 + odd2, even2 - odd2,
        multiply_add(four, d.b, multiply_add(minus_five, d.d, d.f))};
}
// A^T m
[[gnu::always_inline]] inline Line4 to_output(const Line6& m) noexcept {
    const Vector two = broadcast(2.0f), four = broadcast(4.0f), eight = broadcast(8.0f);
    const Vector sum1 = m.b + m.c, difference1 = m.b - m.c, sum2 = m.d + m.e, difference2 = m.d - m.e;
    return {m.a + (sum1 + sum2), multiply_add(two, difference2, difference1), multiply_add(four, sum2, sum1),
            multiply_add(eight, difference2, difference1 + m.f)};
}
// A dy
[[gnu::always_inline]] inline Line6 to_gradient(const Line4& y) noexcept {
    const Vector two = broadcast(2.0f), four = broadcast(4.0f);
    const Vector even1 = y.a + y.c, odd1 = y.b + y.d;
    const Vector even2 = multiply_add(four, y.c, y.a), odd2 = two * multiply_add(four, y.d, y.b);
    return {y.a, even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2, y.d};
}
// G g
[[gnu::always_inline]] inline Line6 to_weights(const Line3& g) noexcept {
    const Vector sixth = broadcast(1.0f / 6), twelfth = broadcast(1.0f / 12), twenty_fourth = broadcast(1.0f / 24);
    const Vector even1 = sixth * (g.a + g.c), odd1 = sixth * g.b;
    const Vector even2 = multiply_add(twenty_fourth, g.a, sixth * g.c), odd2 = twelfth * g.b;
    return {broadcast(0.25f) * g.a, -even1 - odd1, odd1 - even1, even2 + odd2, even2 - odd2, g.c};
}
// G^T u
[[gnu::always_inline]] inline Line3 to_weight_gradient(const Line6& u) noexcept {
    const Vector sixth = broadcast(1.0f / 6), twelfth = broadcast(1.0f / 12), twenty_fourth = broadcast(1.0f / 24);
    const Vector sum1 = sixth * (u.b + u.c), sum2 = u.d + u.e;
    return {multiply_add(broadcast(0.25f), u.a, twenty_fourth * sum2) - sum1,
            multiply_add(twelfth, u.d - u.e, sixth * (u.c - u.b)), multiply_add(sixth, sum2, u.f - sum1)};
}

[[gnu::always_inline]] inline Line6 load_line(const float* at, std::ptrdiff_t apart) noexcept {
    return {load(at),
            load(at + apart),
            load(at + 2 * apart),
            load(at + 3 * apart),
            load(at + 4 * apart),
            load(at + 5 * apart)};
}
[[gnu::always_inline]] inline void store_line(float* at, std::ptrdiff_t apart, const Line6& line) noexcept {
    store(at, line.a);
    store(at + apart, line.b);
    store(at + 2 * apart, line.c);
    store(at + 3 * apart, line.d);
    store(at + 4 * apart, line.e);
    store(at + 5 * apart, line.f);
}

// The rows of one tile's pixels, from its first column on. A row outside the image stands at zeros.
template <int side>
struct TileRows {
    const float* at[side];
    int column_begin, column_end;  // columns inside the image

    TileRows(const WinogradScatter& a, int tile) noexcept {
        const auto& s = a.from;
        const int left = s.x + winograd_tile * tile;
        for (int y = 0; y < side; ++y) {
            const int h = s.y + y;
            at[y] = h >= 0 && h < s.h ? s.image + h * s.row + left * s.pixel : a.zeros;
        }
        column_begin = left < 0 ? -left : 0;
        column_end = s.w - left < side ? s.w - left : side;
    }
    bool has(int column) const noexcept { return column >= column_begin && column < column_end; }
};

// Both passes of a transform stand in registers: a store costs as much as several of its operations.

// The four rows that the next strip will read first are asked for early: images are larger than the near caches.
[[gnu::always_inline]] inline void prefetch_below(const WinogradStrip<const float>& s, int tile) noexcept {
    const float* at = s.image + (s.y + winograd_side) * s.row + (s.x + winograd_tile * tile) * s.pixel;
    for (int y = 0; y < winograd_tile; ++y, at += s.row)
        for (std::ptrdiff_t i = 0; i < winograd_tile * s.pixel; i += 16) __builtin_prefetch(at + i, 0, 2);
}

[[gnu::always_inline]] inline bool has_row(const WinogradScatter& a, int row) noexcept {
    return row >= a.row_begin && row < a.row_end;
}

inline void winograd_to_input(const WinogradScatter& a) noexcept {
    for (int tile = 0; tile < a.from.tiles; ++tile) {
        const TileRows<winograd_side> rows(a, tile);
        prefetch_below(a.from, tile);
        for (int c = 0; c < a.to.channels; c += lanes) {
            const auto column = [&](int x) noexcept {
                if (!rows.has(x)) return Line6{};
                const std::ptrdiff_t at = x * a.from.pixel + c;
                return to_input({load(rows.at[0] + at), load(rows.at[1] + at), load(rows.at[2] + at),
                                 load(rows.at[3] + at), load(rows.at[4] + at), load(rows.at[5] + at)});
            };
            const Line6 p = column(0), q = column(1), r = column(2), s = column(3), t = column(4), u = column(5);
            float* to = a.to.at + std::ptrdiff_t(tile) * a.to.channels + c;
            const std::ptrdiff_t apart = a.to.apart;
            if (has_row(a, 0)) store_line(to, apart, to_input({p.a, q.a, r.a, s.a, t.a, u.a}));
            if (has_row(a, 1)) store_line(to + 6 * apart, apart, to_input({p.b, q.b, r.b, s.b, t.b, u.b}));
            if (has_row(a, 2)) store_line(to + 12 * apart, apart, to_input({p.c, q.c, r.c, s.c, t.c, u.c}));
            if (has_row(a, 3)) store_line(to + 18 * apart, apart, to_input({p.d, q.d, r.d, s.d, t.d, u.d}));
            if (has_row(a, 4)) store_line(to + 24 * apart, apart, to_input({p.e, q.e, r.e, s.e, t.e, u.e}));
            if (has_row(a, 5)) store_line(to + 30 * apart, apart, to_input({p.f, q.f, r.f, s.f, t.f, u.f}));
        }
    }
}

inline void winograd_to_gradient(const WinogradScatter& a) noexcept {
    for (int tile = 0; tile < a.from.tiles; ++tile) {
        const TileRows<winograd_tile> rows(a, tile);
        for (int c = 0; c < a.to.channels; c += lanes) {
            const auto column = [&](int x) noexcept {
                if (!rows.has(x)) return Line6{};
                const std::ptrdiff_t at = x * a.from.pixel + c;
                return to_gradient(
                    {load(rows.at[0] + at), load(rows.at[1] + at), load(rows.at[2] + at), load(rows.at[3] + at)});
            };
            const Line6 p = column(0), q = column(1), r = column(2), s = column(3);
            float* to = a.to.at + std::ptrdiff_t(tile) * a.to.channels + c;
            const std::ptrdiff_t apart = a.to.apart;
            if (has_row(a, 0)) store_line(to, apart, to_gradient({p.a, q.a, r.a, s.a}));
            if (has_row(a, 1)) store_line(to + 6 * apart, apart, to_gradient({p.b, q.b, r.b, s.b}));
            if (has_row(a, 2)) store_line(to + 12 * apart, apart, to_gradient({p.c, q.c, r.c, s.c}));
            if (has_row(a, 3)) store_line(to + 18 * apart, apart, to_gradient({p.d, q.d, r.d, s.d}));
            if (has_row(a, 4)) store_line(to + 24 * apart, apart, to_gradient({p.e, q.e, r.e, s.e}));
            if (has_row(a, 5)) store_line(to + 30 * apart, apart, to_gradient({p.f, q.f, r.f, s.f}));
        }
    }
}

// One row of a tile's outputs; `columns` of them are inside the image.
[[gnu::always_inline]] inline void store_pixels(float* to, std::ptrdiff_t pixel, int columns, Vector bias, bool rectify,
                                                const Line6& m) noexcept {
    const Line4 y = to_output(m);
    const auto finished = [&](Vector v) noexcept {
        v += bias;
        return rectify ? select(v > Vector{}, v, Vector{}) : v;
    };
    store(to, finished(y.a));
    if (columns > 1) store(to + pixel, finished(y.b));
    if (columns > 2) store(to + 2 * pixel, finished(y.c));
    if (columns > 3) store(to + 3 * pixel, finished(y.d));
}

// The next tile's pixels, to be written: 4 x 4 of one vector.
[[gnu::always_inline]] inline void prefetch_right(const float* tile, std::ptrdiff_t row,
                                                  std::ptrdiff_t pixel) noexcept {
    for (int y = 0; y < winograd_tile; ++y)
        for (int x = winograd_tile; x < 2 * winograd_tile; ++x) __builtin_prefetch(tile + y * row + x * pixel, 1);
}

inline void winograd_to_output(const WinogradGather& a) noexcept {
    const auto& s = a.to;
    const int rows = s.h - s.y;
    const std::ptrdiff_t apart = a.from.apart, down = winograd_side * apart;
    for (int tile = 0; tile < s.tiles; ++tile) {
        const int left = s.x + winograd_tile * tile, columns = s.w - left;
        for (int c = 0; c < a.from.channels; c += lanes) {
            const float* from = a.from.at + std::ptrdiff_t(tile) * a.from.channels + c;
            const Line4 p = to_output(load_line(from, down)), q = to_output(load_line(from + apart, down)),
                        r = to_output(load_line(from + 2 * apart, down)),
                        t = to_output(load_line(from + 3 * apart, down)),
                        u = to_output(load_line(from + 4 * apart, down)),
                        v = to_output(load_line(from + 5 * apart, down));
            const Vector bias = a.bias ? load(a.bias + c) : Vector{};
            float* to = s.image + s.y * s.row + left * s.pixel + c;
            prefetch_right(to, s.row, s.pixel);
            store_pixels(to, s.pixel, columns, bias, a.rectify, {p.a, q.a, r.a, t.a, u.a, v.a});
            if (rows > 1) store_pixels(to + s.row, s.pixel, columns, bias, a.rectify, {p.b, q.b, r.b, t.b, u.b, v.b});
            if (rows > 2)
                store_pixels(to + 2 * s.row, s.pixel, columns, bias, a.rectify, {p.c, q.c, r.c, t.c, u.c, v.c});
            if (rows > 3)
                store_pixels(to + 3 * s.row, s.pixel, columns, bias, a.rectify, {p.d, q.d, r.d, t.d, u.d, v.d});
        }
    }
}

inline void winograd_to_weights(const WinogradWeights& a) noexcept {
    const std::ptrdiff_t tap = std::ptrdiff_t(a.in_c) * channel_block, plane = a.blocks * tap;
    for (int block = a.block_begin; block < a.block_end; ++block)
        for (std::ptrdiff_t i = 0; i < tap; i += lanes) {
            const float* from = a.from + block * 9 * tap + i;
            float* to = a.to + block * tap + i;
            alignas(64) float half[winograd_side * 3 * lanes];  // G g
            for (int x = 0; x < 3; ++x)
                store_line(half + x * lanes, 3 * lanes,
                           to_weights({load(from + x * tap), load(from + (3 + x) * tap), load(from + (6 + x) * tap)}));
            for (int y = 0; y < winograd_side; ++y) {
                const float* row = half + y * 3 * lanes;
                store_line(to + y * winograd_side * plane, plane,
                           to_weights({load(row), load(row + lanes), load(row + 2 * lanes)}));
            }
        }
}

inline void winograd_to_weight_gradient(const WinogradWeights& a) noexcept {
    const std::ptrdiff_t tap = std::ptrdiff_t(a.in_c) * channel_block, plane = a.blocks * tap;
    for (int block = a.block_begin; block < a.block_end; ++block)
        for (std::ptrdiff_t i = 0; i < tap; i += lanes) {
            const float* from = a.from + block * tap + i;
            float* to = a.to + block * 9 * tap + i;
            alignas(64) float half[3 * winograd_side * lanes];  // G^T u
            for (int x = 0; x < winograd_side; ++x) {
                const Line3 column = to_weight_gradient(load_line(from + x * plane, winograd_side * plane));
                store(half + x * lanes, column.a);
                store(half + (6 + x) * lanes, column.b);
                store(half + (12 + x) * lanes, column.c);
            }
            for (int y = 0; y < 3; ++y) {
                const Line3 line = to_weight_gradient(load_line(half + y * winograd_side * lanes, lanes));
                float* at = to + 3 * y * tap;
                store(at, load(at) + line.a);
                store(at + tap, load(at + tap) + line.b);
                store(at + 2 * tap, load(at + 2 * tap) + line.c);
            }
        }
}
