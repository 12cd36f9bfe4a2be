// Vectors of bf16 pairs, their products, and the way between f32 and bf16.

typedef Words Pairs;

[[gnu::always_inline]] inline Pairs load_pairs(const Bfloat16* from) noexcept {
    Pairs v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
[[gnu::always_inline]] inline void store_pairs(Bfloat16* to, Pairs v) noexcept { __builtin_memcpy(to, &v, sizeof v); }

// One pair in every lane.
[[gnu::always_inline]] inline Pairs broadcast_pair(const Bfloat16* from) noexcept {
    std::uint32_t pair;
    __builtin_memcpy(&pair, from, sizeof pair);
    return Pairs{} + pair;
}

// The first and the second of each pair, as floats.
[[gnu::always_inline]] inline Vector first_of(Pairs v) noexcept { return __builtin_bit_cast(Vector, v << 16); }
[[gnu::always_inline]] inline Vector second_of(Pairs v) noexcept { return __builtin_bit_cast(Vector, v & 0xffff0000u); }

// sum + both products of each lane's pairs
[[gnu::always_inline]] inline Vector add_products(Pairs a, Pairs b, Vector sum) noexcept {
#if defined(SKEWGRAD_ISA_AVX512_BF16)
    return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, a), __builtin_bit_cast(__m512bh, b));
#else
    return multiply_add(second_of(a), second_of(b), multiply_add(first_of(a), first_of(b), sum));
#endif
}

// Each lane rounded to bf16, in the lane's upper half: to nearest, ties to even; a NaN stays one.
[[gnu::always_inline]] inline Pairs rounded(Vector v) noexcept {
    const Pairs x = __builtin_bit_cast(Pairs, v);
    const Pairs nan = __builtin_bit_cast(Pairs, v != v);
    const Pairs nearest = x + 0x7fffu + (x >> 16 & 1u);
    return ((nan & (x | 0x400000u)) | (~nan & nearest)) & 0xffff0000u;
}
[[gnu::always_inline]] inline Pairs joined(Vector first, Vector second) noexcept {
    return rounded(first) >> 16 | rounded(second);
}

[[gnu::always_inline]] inline void store_bf16(Bfloat16* to, Vector v) noexcept {
#if defined(SKEWGRAD_ISA_AVX512_BF16)
    const auto halves = _mm512_cvtneps_pbh(v);
#else
    const Halves halves = __builtin_convertvector(rounded(v) >> 16, Halves);
#endif
    static_assert(sizeof halves == lanes * sizeof(Bfloat16));
    __builtin_memcpy(to, &halves, sizeof halves);
}

// A pixel's 32 channels at once.
inline constexpr int wide = 2 * channel_block;
typedef std::int16_t WideHalves __attribute__((vector_size(wide * sizeof(std::int16_t))));

[[gnu::always_inline]] inline void load_wide(const Bfloat16* from, WideHalves& to) noexcept {
    __builtin_memcpy(&to, from, sizeof to);
}
[[gnu::always_inline]] inline void store_wide(Bfloat16* to, const WideHalves& v) noexcept {
    __builtin_memcpy(to, &v, sizeof v);
}
[[gnu::always_inline]] inline void round_wide(const float* from, WideHalves& to) noexcept {
#if defined(SKEWGRAD_ISA_AVX512_BF16)
    to = __builtin_bit_cast(WideHalves, _mm512_cvtne2ps_pbh(load(from + lanes), load(from)));
#else
    alignas(64) Bfloat16 halves[wide];
    for (int c = 0; c < wide; c += lanes) store_bf16(halves + c, load(from + c));
    load_wide(halves, to);
#endif
}

// Floats as their two parts: the nearest bf16, and the nearest to what is left of them.
inline void split(const float* from, std::ptrdiff_t count, Bfloat16* to) noexcept {
    SKEWGRAD_EXACT_BODY
    std::ptrdiff_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const Vector x = load(from + i);
        const Pairs first = rounded(x);
        store_pairs(to + 2 * i, first >> 16 | rounded(x - __builtin_bit_cast(Vector, first)));
    }
    for (; i < count; ++i) {
        const Bfloat16 first(from[i]);
        to[2 * i] = first;
        to[2 * i + 1] = Bfloat16(from[i] - static_cast<float>(first));
    }
}

// `width` vectors of pairs, and sums of their products: as Row and Tile, see there.
template <int width>
struct PairRow {
    PairRow<width - 1> before;
    Pairs last;

    [[gnu::always_inline]] void load_from(const Bfloat16* from, std::ptrdiff_t apart) noexcept {
        before.load_from(from, apart);
        last = load_pairs(from + 2 * Row<width>::offset(apart));
    }
    [[gnu::always_inline]] void add_products_to(Row<width>& sum, Pairs factor) const noexcept {
        before.add_products_to(sum.before, factor);
        sum.last = add_products(factor, last, sum.last);
    }
};
template <>
struct PairRow<0> {
    [[gnu::always_inline]] void load_from(const Bfloat16*, std::ptrdiff_t) noexcept {}
    [[gnu::always_inline]] void add_products_to(Row<0>&, Pairs) const noexcept {}
};

template <int rows>
struct PairPointers {
    PairPointers<rows - 1> before;
    const Bfloat16* last;

    [[gnu::always_inline]] void set(const Bfloat16* const* from, std::ptrdiff_t offset) noexcept {
        before.set(from, offset);
        last = from[rows - 1] + offset;
    }
};
template <>
struct PairPointers<0> {
    [[gnu::always_inline]] void set(const Bfloat16* const*, std::ptrdiff_t) noexcept {}
};

template <int rows, int width>
struct PairTile {
    PairTile<rows - 1, width> before;
    Row<width> last;

    [[gnu::always_inline]] void fill(const Row<width>& start) noexcept {
        before.fill(start);
        last = start;
    }
    // row r += pair k at at[r] * other
    [[gnu::always_inline]] void add(const PairPointers<rows>& at, std::ptrdiff_t k,
                                    const PairRow<width>& other) noexcept {
        before.add(at.before, k, other);
        other.add_products_to(last, broadcast_pair(at.last + 2 * k));
    }
    // row r += pair r of `factors` * other
    [[gnu::always_inline]] void add(const Bfloat16* factors, const PairRow<width>& other) noexcept {
        before.add(factors, other);
        other.add_products_to(last, broadcast_pair(factors + 2 * (rows - 1)));
    }
    // row r to to[r * row], its blocks `apart`
    [[gnu::always_inline]] void store_to(float* to, std::ptrdiff_t row, std::ptrdiff_t apart) const noexcept {
        before.store_to(to, row, apart);
        last.store_to(to + (rows - 1) * row, apart);
    }
    [[gnu::always_inline]] void add_to(float* to, std::ptrdiff_t row, std::ptrdiff_t apart) const noexcept {
        before.add_to(to, row, apart);
        Row<width> sum;
        sum.load_from(to + (rows - 1) * row, apart);
        sum.add(last);
        sum.store_to(to + (rows - 1) * row, apart);
    }
};
template <int width>
struct PairTile<0, width> {
    [[gnu::always_inline]] void fill(const Row<width>&) noexcept {}
    [[gnu::always_inline]] void add(const PairPointers<0>&, std::ptrdiff_t, const PairRow<width>&) noexcept {}
    [[gnu::always_inline]] void add(const Bfloat16*, const PairRow<width>&) noexcept {}
    [[gnu::always_inline]] void store_to(float*, std::ptrdiff_t, std::ptrdiff_t) const noexcept {}
    [[gnu::always_inline]] void add_to(float*, std::ptrdiff_t, std::ptrdiff_t) const noexcept {}
};
