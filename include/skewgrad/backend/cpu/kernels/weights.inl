// Packed weights of the backward-data convolution: channels exchanged, taps flipped.

inline void transpose_weights(const WeightTranspose& a) noexcept {
    const int taps = a.taps_h * a.taps_w;
    for (int block = a.in_block_begin; block < a.in_block_end; ++block) {
        const int first = block * channel_block;
        const int valid = a.in_c - first < channel_block ? a.in_c - first : channel_block;
        for (int tap = 0; tap < taps; ++tap)
            for (int o = 0; o < a.out_c; o += channel_block) {
                // Flipping both axes is reversing the taps' row-major order.
                const float* from =
                    a.weights +
                    (std::ptrdiff_t(o / channel_block * taps + taps - 1 - tap) * a.in_c + first) * channel_block;
                float* to = a.transposed + (std::ptrdiff_t(block * taps + tap) * a.out_c + o) * channel_block;
                const int count = a.out_c - o < channel_block ? a.out_c - o : channel_block;
                for (int i = 0; i < count; ++i)
                    for (int c = 0; c < channel_block; ++c)
                        to[i * channel_block + c] = c < valid ? from[c * channel_block + i] : 0.0f;
            }
    }
}
