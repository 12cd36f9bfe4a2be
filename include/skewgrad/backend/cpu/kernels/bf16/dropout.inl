// Dropout of bf16 values, drawn as for f32.

inline void drop_bf16(const Bf16Drop& a) noexcept {
    constexpr int elements = 8 * wide_lanes;
    const Vector scale = broadcast(a.how.scale);
    for (std::ptrdiff_t at = 0; at < a.how.size; at += elements) {
        alignas(64) std::uint16_t halves[elements];
        draw_halves(a.how, static_cast<std::uint32_t>(at / 8), halves);
        const std::ptrdiff_t count = a.how.size - at < elements ? a.how.size - at : elements;
        for (std::ptrdiff_t i = 0; i < count; i += lanes) {  // pixels take whole vectors
            Halves draws;
            __builtin_memcpy(&draws, halves + i, sizeof draws);
            const Mask kept = __builtin_convertvector(draws, Mask) >= static_cast<std::int32_t>(a.how.threshold);
            store_bf16(a.out + at + i, from_bits(bits(load(a.in + at + i) * scale) & kept));
        }
    }
}
