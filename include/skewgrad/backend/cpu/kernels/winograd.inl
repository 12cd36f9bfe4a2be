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

// B^T d: its first three places, which leave out the last of d, and its last three, which leave out the first
[[gnu::always_inline]] inline Line3 to_input_first(Vector a, Vector b, Vector c, Vector d, Vector e) noexcept {
    const Vector four = broadcast(4.0f), minus_four = broadcast(-4.0f), minus_five = broadcast(-5.0f);
    const Vector even = multiply_add(minus_four, c, e), odd = multiply_add(minus_four, b, d);
    return {multiply_add(four, a, multiply_add(minus_five, c, e)), even + odd, even - odd};
}
[[gnu::always_inline]] inline Line3 to_input_last(Vector b, Vector c, Vector d, Vector e, Vector f) noexcept {
    const Vector two = broadcast(2.0f), four = broadcast(4.0f), minus_five = broadcast(-5.0f);
    const Vector even = e - c, odd = two * (d - b);
    return {even + odd, even - odd, multiply_add(four, b, multiply_add(minus_five, d, f))};
}
// A^T m
[[gnu::always_inline]] inline Line4 to_output(const Line6& m) noexcept {
    const Vector two = broadcast(2.0f), four = broadcast(4.0f), eight = broadcast(8.0f);
    const Vector sum1 = m.b + m.c, difference1 = m.b - m.c, sum2 = m.d + m.e, difference2 = m.d - m.e;
    return {m.a + (sum1 + sum2), multiply_add(two, difference2, difference1), multiply_add(four, sum2, sum1),
            multiply_add(eight, difference2, difference1 + m.f)};
}
// A dy, in two halves as well
[[gnu::always_inline]] inline Line3 to_gradient_first(const Line4& y) noexcept {
    const Vector even = y.a + y.c, odd = y.b + y.d;
    return {y.a, even + odd, even - odd};
}
[[gnu::always_inline]] inline Line3 to_gradient_last(const Line4& y) noexcept {
    const Vector two = broadcast(2.0f), four = broadcast(4.0f);
    const Vector even = multiply_add(four, y.c, y.a), odd = two * multiply_add(four, y.d, y.b);
    return {even + odd, even - odd, y.d};
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
[[gnu::always_inline]] inline void store_halves(float* at, std::ptrdiff_t apart, const Line3& first,
                                                const Line3& last) noexcept {
    store_line(at, apart, {first.a, first.b, first.c, last.a, last.b, last.c});
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

// Both passes of a transform stand in registers, half of the rows at a time: a store costs as much as several of its
// operations, a load less than one.

// The four rows that the next strip will read first are asked for early: images are larger than the near caches.
[[gnu::always_inline]] inline void prefetch_below(const WinogradStrip<const float>& s, int tile) noexcept {
    const float* at = s.image + (s.y + winograd_side) * s.row + (s.x + winograd_tile * tile) * s.pixel;
    for (int y = 0; y < winograd_tile; ++y, at += s.row)
        for (std::ptrdiff_t i = 0; i < winograd_tile * s.pixel; i += 16) __builtin_prefetch(at + i, 0, 2);
}

// Transforms three rows of places along their columns, those of them that are asked for, from row `first` on.
template <class Along>
[[gnu::always_inline]] inline void store_rows(const WinogradScatter& a, float* to, int first, Along along) noexcept {
    const std::ptrdiff_t apart = a.to.apart;
    const auto wanted = [&](int row) noexcept { return row >= a.row_begin && row < a.row_end; };
    to += winograd_side * first * apart;
    if (wanted(first)) along(to, [](const Line3& column) noexcept { return column.a; });
    if (wanted(first + 1)) along(to + winograd_side * apart, [](const Line3& column) noexcept { return column.b; });
    if (wanted(first + 2)) along(to + 2 * winograd_side * apart, [](const Line3& column) noexcept { return column.c; });
}

inline void winograd_to_input(const WinogradScatter& a) noexcept {
    const std::ptrdiff_t apart = a.to.apart;
    for (int tile = 0; tile < a.from.tiles; ++tile) {
        const TileRows<winograd_side> rows(a, tile);
        prefetch_below(a.from, tile);
        for (int c = 0; c < a.to.channels; c += lanes) {
            float* to = a.to.at + std::ptrdiff_t(tile) * a.to.channels + c;
            const auto half = [&](int first, auto transform) noexcept {
                const auto column = [&](int x) noexcept {
                    if (!rows.has(x)) return Line3{};
                    const std::ptrdiff_t at = x * a.from.pixel + c;
                    return transform(at);
                };
                const Line3 p = column(0), q = column(1), r = column(2), s = column(3), t = column(4), u = column(5);
                store_rows(a, to, first, [&](float* row, auto of) noexcept {
                    store_halves(row, apart, to_input_first(of(p), of(q), of(r), of(s), of(t)),
                                 to_input_last(of(q), of(r), of(s), of(t), of(u)));
                });
            };
            if (a.row_begin < 3)
                half(0, [&](std::ptrdiff_t at) noexcept {
                    return to_input_first(load(rows.at[0] + at), load(rows.at[1] + at), load(rows.at[2] + at),
                                          load(rows.at[3] + at), load(rows.at[4] + at));
                });
            if (a.row_end > 3)
                half(3, [&](std::ptrdiff_t at) noexcept {
                    return to_input_last(load(rows.at[1] + at), load(rows.at[2] + at), load(rows.at[3] + at),
                                         load(rows.at[4] + at), load(rows.at[5] + at));
                });
        }
    }
}

inline void winograd_to_gradient(const WinogradScatter& a) noexcept {
    const std::ptrdiff_t apart = a.to.apart;
    for (int tile = 0; tile < a.from.tiles; ++tile) {
        const TileRows<winograd_tile> rows(a, tile);
        for (int c = 0; c < a.to.channels; c += lanes) {
            float* to = a.to.at + std::ptrdiff_t(tile) * a.to.channels + c;
            const auto half = [&](int first, auto transform) noexcept {
                const auto column = [&](int x) noexcept {
                    if (!rows.has(x)) return Line3{};
                    const std::ptrdiff_t at = x * a.from.pixel + c;
                    return transform(Line4{load(rows.at[0] + at), load(rows.at[1] + at), load(rows.at[2] + at),
                                           load(rows.at[3] + at)});
                };
                const Line3 p = column(0), q = column(1), r = column(2), s = column(3);
                store_rows(a, to, first, [&](float* row, auto of) noexcept {
                    const Line4 line{of(p), of(q), of(r), of(s)};
                    store_halves(row, apart, to_gradient_first(line), to_gradient_last(line));
                });
            };
            if (a.row_begin < 3) half(0, [](const Line4& y) noexcept { return to_gradient_first(y); });
            if (a.row_end > 3) half(3, [](const Line4& y) noexcept { return to_gradient_last(y); });
        }
    }
}

// What is done to outputs before they are stored.
struct Finish {
    Vector bias;
    bool rectify;
    const float* mask;  // of the pixel `to`
};

// One row of a tile's outputs; `columns` of them are inside the image.
[[gnu::always_inline]] inline void store_pixels(float* to, std::ptrdiff_t pixel, int columns, const Finish& how,
                                                std::ptrdiff_t from_mask, const Line6& m) noexcept {
    const Line4 y = to_output(m);
    const auto finished = [&](Vector v, std::ptrdiff_t at) noexcept {
        v += how.bias;
        if (how.rectify) v = select(v > Vector{}, v, Vector{});
        if (how.mask) v = select(load(how.mask + from_mask + at) > Vector{}, v, Vector{});
        return v;
    };
    store(to, finished(y.a, 0));
    if (columns > 1) store(to + pixel, finished(y.b, pixel));
    if (columns > 2) store(to + 2 * pixel, finished(y.c, 2 * pixel));
    if (columns > 3) store(to + 3 * pixel, finished(y.d, 3 * pixel));
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
            const std::ptrdiff_t at = s.y * s.row + left * s.pixel + c;
            const Finish how{a.bias ? load(a.bias + c) : Vector{}, a.rectify, a.mask ? a.mask + at : nullptr};
            float* to = s.image + at;
            prefetch_right(to, s.row, s.pixel);
            store_pixels(to, s.pixel, columns, how, 0, {p.a, q.a, r.a, t.a, u.a, v.a});
            if (rows > 1) store_pixels(to + s.row, s.pixel, columns, how, s.row, {p.b, q.b, r.b, t.b, u.b, v.b});
            if (rows > 2)
                store_pixels(to + 2 * s.row, s.pixel, columns, how, 2 * s.row, {p.c, q.c, r.c, t.c, u.c, v.c});
            if (rows > 3)
                store_pixels(to + 3 * s.row, s.pixel, columns, how, 3 * s.row, {p.d, q.d, r.d, t.d, u.d, v.d});
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
