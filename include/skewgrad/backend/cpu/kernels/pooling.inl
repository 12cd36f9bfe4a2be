// Max pooling and its gradient, vectorised over channels; of float or bf16, which is compared as float.

// Whether v takes the maximum's place: a later NaN always does, a number only where it is greater.
[[gnu::always_inline]] inline Mask takes_over(Vector v, Vector best) noexcept { return (v > best) | (v != v); }
[[gnu::always_inline]] inline bool takes_over(float v, float best) noexcept { return v > best || v != v; }

// A window of `side` pixels a side; of 0: as wide as the arguments say.
template <int side, class T>
inline void max_pool_windows(const MaxPool<T>& a) noexcept {
    const int window = side > 0 ? side : a.window;
    for (int y = 0; y < a.out_h; ++y)
        for (int x = 0; x < a.out_w; ++x) {
            const T* in = a.in + y * window * a.in_row + x * window * a.in_pixel;
            T* out = a.out + y * a.out_row + x * a.out_pixel;
            int c = 0;
            for (; c + lanes <= a.channels; c += lanes) {
                Vector best = load(in + c);
                for (int i = 0; i < window; ++i)
                    for (int j = 0; j < window; ++j) {
                        const Vector v = load(in + i * a.in_row + j * a.in_pixel + c);
                        best = select(takes_over(v, best), v, best);
                    }
                store_exact(out + c, best);
            }
            for (; c < a.channels; ++c) {
                T best = in[c];
                for (int i = 0; i < window; ++i)
                    for (int j = 0; j < window; ++j) {
                        const T v = in[i * a.in_row + j * a.in_pixel + c];
                        if (takes_over(float(v), float(best))) best = v;
                    }
                out[c] = best;
            }
        }
}

template <int side, class T>
inline void max_pool_window_gradients(const MaxPoolGradient<T>& a) noexcept {
    const int window = side > 0 ? side : a.window;
    for (int y = 0; y < a.out_h; ++y)
        for (int x = 0; x < a.out_w; ++x) {
            const T* in = a.in + y * window * a.in_row + x * window * a.in_pixel;
            const T* out_gradient = a.out_gradient + y * a.out_row + x * a.out_pixel;
            T* in_gradient = a.in_gradient + y * window * a.in_gradient_row + x * window * a.in_gradient_pixel;
            int c = 0;
            for (; c + lanes <= a.channels; c += lanes) {
                Vector best = load(in + c);
                Mask winner{};
                for (int i = 0, index = 0; i < window; ++i)
                    for (int j = 0; j < window; ++j, ++index) {
                        const Vector v = load(in + i * a.in_row + j * a.in_pixel + c);
                        const Mask wins = takes_over(v, best);
                        best = select(wins, v, best);
                        winner = (wins & index) | (~wins & winner);
                    }
                Mask slope = bits(load(out_gradient + c));
                if (a.positive) slope &= best > Vector{};
                for (int i = 0, index = 0; i < window; ++i)
                    for (int j = 0; j < window; ++j, ++index)
                        store_exact(in_gradient + i * a.in_gradient_row + j * a.in_gradient_pixel + c,
                                    from_bits(slope & (winner == index)));
            }
            for (; c < a.channels; ++c) {
                float best = float(in[c]);
                int winner = 0;
                for (int i = 0, index = 0; i < window; ++i)
                    for (int j = 0; j < window; ++j, ++index) {
                        const float v = float(in[i * a.in_row + j * a.in_pixel + c]);
                        if (takes_over(v, best)) best = v, winner = index;
                    }
                const T slope = !a.positive || best > 0 ? out_gradient[c] : T{};
                for (int i = 0, index = 0; i < window; ++i)
                    for (int j = 0; j < window; ++j, ++index)
                        in_gradient[i * a.in_gradient_row + j * a.in_gradient_pixel + c] =
                            index == winner ? slope : T{};
            }
        }
}

// The usual window is known to the compiler.
template <class T>
inline void max_pool(const MaxPool<T>& a) noexcept {
    a.window == 2 ? max_pool_windows<2>(a) : max_pool_windows<0>(a);
}
template <class T>
inline void max_pool_gradient(const MaxPoolGradient<T>& a) noexcept {
    a.window == 2 ? max_pool_window_gradients<2>(a) : max_pool_window_gradients<0>(a);
}
