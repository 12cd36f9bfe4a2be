// Max pooling of bf16 and its gradient: as for f32 (see there), values widened and, being what they were, not rounded.

[[gnu::always_inline]] inline void narrow(Bfloat16* to, Vector v) noexcept {
    const Halves halves = __builtin_convertvector(__builtin_bit_cast(Pairs, v) >> 16, Halves);
    __builtin_memcpy(to, &halves, sizeof halves);
}

inline void max_pool_bf16(const Bf16MaxPool& a) noexcept {
    for (int y = 0; y < a.out_h; ++y)
        for (int x = 0; x < a.out_w; ++x) {
            const Bfloat16* in = a.in + y * a.window * a.in_row + x * a.window * a.in_pixel;
            Bfloat16* out = a.out + y * a.out_row + x * a.out_pixel;
            for (int c = 0; c < a.channels; c += lanes) {
                Vector best = load_bf16(in + c);
                for (int i = 0; i < a.window; ++i)
                    for (int j = 0; j < a.window; ++j) {
                        const Vector v = load_bf16(in + i * a.in_row + j * a.in_pixel + c);
                        best = select(takes_over(v, best), v, best);
                    }
                narrow(out + c, best);
            }
        }
}

inline void max_pool_gradient_bf16(const Bf16MaxPoolGradient& a) noexcept {
    const Vector zero{};
    for (int y = 0; y < a.out_h; ++y)
        for (int x = 0; x < a.out_w; ++x) {
            const std::ptrdiff_t corner = y * a.window * a.in_row + x * a.window * a.in_pixel;
            const Bfloat16* out_gradient = a.out_gradient + y * a.out_row + x * a.out_pixel;
            for (int c = 0; c < a.channels; c += lanes) {
                const Bfloat16* in = a.in + corner + c;
                Vector best = load_bf16(in);
                Mask winner{};
                for (int i = 0, index = 0; i < a.window; ++i)
                    for (int j = 0; j < a.window; ++j, ++index) {
                        const Vector v = load_bf16(in + i * a.in_row + j * a.in_pixel);
                        const Mask wins = takes_over(v, best);
                        best = select(wins, v, best);
                        winner = (wins & index) | (~wins & winner);
                    }
                Mask slope = bits(load_bf16(out_gradient + c));
                if (a.positive) slope &= best > zero;
                for (int i = 0, index = 0; i < a.window; ++i)
                    for (int j = 0; j < a.window; ++j, ++index)
                        narrow(a.in_gradient + corner + i * a.in_row + j * a.in_pixel + c,
                               from_bits(slope & (winner == index)));
            }
        }
}
