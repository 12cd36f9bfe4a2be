// Dropout: as many Philox blocks at once as a vector has 64-bit lanes, each eight elements' decisions.

typedef std::uint64_t Wide __attribute__((vector_size(lanes * sizeof(float))));
inline constexpr int wide_lanes = lanes / 2;

// The products of the low 32 bits of each 64.
[[gnu::always_inline]] inline Wide multiply_low(Wide a, Wide b) noexcept {
#if defined(SKEWGRAD_ISA_AVX512)
    return Wide(_mm512_maskz_mul_epu32(0xff, __m512i(a), __m512i(b)));  // maskz: g++ 12 warns of the other
#elif defined(SKEWGRAD_ISA_AVX2)
    return Wide(_mm256_mul_epu32(__m256i(a), __m256i(b)));
#elif defined(__x86_64__)
    return Wide(_mm_mul_epu32(__m128i(a), __m128i(b)));
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}
[[gnu::always_inline]] inline Wide broadcast_wide(std::uint64_t x) noexcept { return x - Wide{}; }

// Philox 4x32-10 (Salmon et al. 2011) at blocks first, first + 1, ..., as core/random.hpp draws them: eight 16-bit
// halves a block, in order. Upper halves of the lanes hold leftovers that nothing reads.
[[gnu::always_inline]] inline void draw_halves(const Drop& a, std::uint32_t first, std::uint16_t* halves) noexcept {
    const Wide multiplier0 = broadcast_wide(0xD2511F53u), multiplier1 = broadcast_wide(0xCD9E8D57u);
    Wide c0{}, c1 = broadcast_wide(a.counter[0]), c2 = broadcast_wide(a.counter[1]), c3 = broadcast_wide(a.counter[2]);
    for (int i = 0; i < wide_lanes; ++i) c0[i] = first + static_cast<std::uint32_t>(i);
    std::uint32_t key0 = a.key[0], key1 = a.key[1];
    for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
        const Wide product0 = multiply_low(c0, multiplier0), product1 = multiply_low(c2, multiplier1);
        c0 = (product1 >> 32) ^ c1 ^ broadcast_wide(key0);
        c1 = product1;
        c2 = (product0 >> 32) ^ c3 ^ broadcast_wide(key1);
        c3 = product0;
    }
    const Wide low = broadcast_wide(0xffffffffu);
    const Wide words01 = (c0 & low) | (c1 << 32), words23 = (c2 & low) | (c3 << 32);
    for (int i = 0; i < wide_lanes; ++i) {
        const std::uint64_t four[2] = {words01[i], words23[i]};
        __builtin_memcpy(halves + 8 * i, four, sizeof four);
    }
}

inline void drop(const Drop& a) noexcept {
    constexpr int elements = 8 * wide_lanes;
    const Vector scale = broadcast(a.scale);
    for (std::ptrdiff_t at = 0; at < a.size; at += elements) {
        alignas(64) std::uint16_t halves[elements];
        draw_halves(a, static_cast<std::uint32_t>(at / 8), halves);
        const std::ptrdiff_t count = a.size - at < elements ? a.size - at : elements;
        std::ptrdiff_t i = 0;
        for (; i + lanes <= count; i += lanes) {
            Halves draws;
            __builtin_memcpy(&draws, halves + i, sizeof draws);
            const Mask kept = __builtin_convertvector(draws, Mask) >= static_cast<std::int32_t>(a.threshold);
            store(a.out + at + i, from_bits(bits(load(a.in + at + i) * scale) & kept));
        }
        for (; i < count; ++i) a.out[at + i] = halves[i] < a.threshold ? 0.0f : a.in[at + i] * a.scale;
    }
}
