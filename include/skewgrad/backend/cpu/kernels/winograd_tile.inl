// A tile's pixels for Winograd's transforms: where its rows lie, and which of its outputs any pixel reaches.

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

[[gnu::always_inline]] inline bool any_channel(const float* pixel, int channels) noexcept {
    Mask all = bits(load(pixel));
    for (int c = lanes; c < channels; c += lanes) all |= bits(load(pixel + c));
    return any_magnitude(all);
}

// The pixels of a tile that are not zero: (y, x) is bit 6 x + y. 0, for not known, where none is looked at but four in
// the middle, one of which each output meets. The first two columns are the last two of the tile to the left.
inline Reached find_reached(const TileRows<winograd_side>& rows, std::ptrdiff_t pixel, int channels,
                            std::uint64_t& pixels) noexcept {
    const auto any = [&](int y, int x) noexcept { return any_channel(rows.at[y] + x * pixel, channels); };
    const int known = pixels == 0 ? 0 : winograd_side - winograd_tile;
    pixels >>= winograd_side * winograd_tile;
    if (rows.has(2) && rows.has(3) && any(2, 2) + any(2, 3) + any(3, 2) + any(3, 3) == 4) {  // one jump
        pixels = 0;
        return all_reached;
    }
    for (int x = known > rows.column_begin ? known : rows.column_begin; x < rows.column_end; ++x) {
        std::uint64_t column = 0;
        for (int y = 0; y < winograd_side; ++y) column |= std::uint64_t{any(y, x)} << y;
        pixels |= column << winograd_side * x;
    }
    const std::uint64_t down = pixels | pixels >> 1 | pixels >> 2;
    return static_cast<Reached>(down | down >> winograd_side | down >> 2 * winograd_side) & all_reached;
}
