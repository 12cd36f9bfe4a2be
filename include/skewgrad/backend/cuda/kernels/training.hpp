// Kernels of a training step that are no layer's: sums of shares, the optimiser's update, packed weights.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>

#include <skewgrad/backend/cuda/block.hpp>
#include <skewgrad/backend/cuda/kernels/divide.hpp>
#include <skewgrad/backend/cuda/kernels/layers.hpp>
#include <skewgrad/backend/cuda/kernels/rounded.hpp>
#include <skewgrad/backend/pass.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// The sum of values that lie `apart` elements apart, in their order; several are on their way at a time.
SKEWGRAD_FN inline float sum_of(const float* first, std::size_t apart, int count) {
    constexpr int ahead = 8;
    float sum = 0;
    int s = 0;
    for (; s + ahead <= count; s += ahead) {
        float near[ahead];
        for (int e = 0; e < ahead; ++e) near[e] = first[static_cast<std::size_t>(s + e) * apart];
        for (int e = 0; e < ahead; ++e) sum += near[e];
    }
    for (; s < count; ++s) sum += first[static_cast<std::size_t>(s) * apart];
    return sum;
}

/// How the rows of a layer's masters, (tap, channel), lie among those of its products, where a channel may be read in
/// several parts and tiles of channels are filled up: (tap, part, channel), `read` a tap.
struct ReadRows {
    Divide by_channels;  // of the masters' rows
    int taps, parts, read;
    SKEWGRAD_FN int channels() const { return by_channels.by(); }
    SKEWGRAD_FN int masters() const { return taps * channels(); }
    SKEWGRAD_FN int products() const { return taps * read; }
};

/// gradients += the shares' sums, in the shares' order. Where a channel was read in parts, all belong to one weight;
/// the last row, the products with ones, is the bias'.
struct AddShares {
    Divide by_row;  // of `stride` elements
    ReadRows rows;
    int shares;
    const float* sums;  // shares x (rows of products + 1) x stride
    float* gradients;   // (rows of masters + 1) x stride
    SKEWGRAD_FN void operator()(int i) const {
        const int r = by_row(i), o = i - r * by_row.by();
        const int stride = by_row.by();
        const std::size_t share = static_cast<std::size_t>(rows.products() + 1) * static_cast<std::size_t>(stride);
        const float* column = sums + o;
        if (r == rows.masters()) {
            gradients[i] += sum_of(column + static_cast<std::size_t>(rows.products() * stride), share, shares);
            return;
        }
        const int tap = rows.by_channels(r), c = r - tap * rows.channels();
        float sum = 0;
        for (int part = 0; part < rows.parts; ++part) {
            const int row = tap * rows.read + part * rows.channels() + c;
            sum += sum_of(column + static_cast<std::size_t>(row * stride), share, shares);
        }
        gradients[i] += sum;
    }
};

/// Outputs of a pass forward whose sums were shared: their shares' sums in order, then as `Store` says.
template <class Store>
struct Finish {
    Divide by_eights;  // of a row
    int rows, stride, shares;
    const float* sums;  // shares x rows x stride
    Store store;
    SKEWGRAD_FN void operator()(int i) const {
        const int r = by_eights(i), j = (i - r * by_eights.by()) * 8;
        const float* first = sums + static_cast<std::size_t>(r) * static_cast<std::size_t>(stride) + j;
        float eight[8];
        for (int e = 0; e < 8; ++e)
            eight[e] = sum_of(first + e, static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride), shares);
        store(r, j, eight, 0);
    }
};

/// Values in f32 as products read them: each channel as T and, in a second part, what the rounding lost; zeros behind.
template <class T>
struct Split {
    Divide by_read;  // elements a pixel: parts x channels, filled up
    int channels, parts;
    const float* from;  // `channels` a pixel
    T* to;
    SKEWGRAD_FN void operator()(int i) const {
        const int pixel = by_read(i), s = i - pixel * by_read.by();
        if (s >= parts * channels) {
            to[i] = static_cast<T>(0.0f);
            return;
        }
        const bool rest = s >= channels;
        const float x = from[static_cast<std::size_t>(pixel) * static_cast<std::size_t>(channels) +
                             static_cast<std::size_t>(rest ? s - channels : s)];
        const T rounded = static_cast<T>(x);
        to[i] = rest ? static_cast<T>(x - static_cast<float>(rounded)) : rounded;
    }
};

/// One parameter's update; its gradient is zero afterwards. Nothing happens once a loss was not finite.
template <class Step, int slots>
struct Update {
    const Step* step;
    const StepState* state;
    std::size_t slot;  // elements from one slot to the next
    float* w;
    float* g;
    float* s;
    SKEWGRAD_FN void operator()(int i) const {
        if (!state->failed()) {
            Rounded weight{w[i]}, own[slots > 0 ? slots : 1];
            for (int k = 0; k < slots; ++k)
                own[k] = Rounded{s[static_cast<std::size_t>(k) * slot + static_cast<std::size_t>(i)]};
            (*step)(weight, Rounded{g[i]}, own);
            w[i] = weight.value;
            for (int k = 0; k < slots; ++k)
                s[static_cast<std::size_t>(k) * slot + static_cast<std::size_t>(i)] = own[k].value;
        }
        g[i] = 0;
    }
};

/// s + momentum (b - s) of one statistic, b being the batch's. `difference`: b - s, from the gradients.
struct Blend {
    float momentum;
    const StepState* state;
    float* s;
    float* difference;
    SKEWGRAD_FN void operator()(int i) const {
        if (!state->failed()) s[i] = (Rounded{s[i]} + Rounded{momentum} * Rounded{difference[i]}).value;
        difference[i] = 0;
    }
};

/// A constant in every element.
struct Fill {
    float value;
    float* at;
    SKEWGRAD_FN void operator()(int i) const { at[i] = value; }
};

/// A layer's weights as its passes multiply them: forward (tap, part, channel) x output, `forward` elements, which may
/// be none; behind them backward (tap, output) x channel.
template <class T>
struct Pack {
    int forward;
    Divide by_stride, by_read;  // a row of masters; channels read a tap
    ReadRows rows;
    Divide by_in, by_out;  // backward: a row of channels, filled up; outputs a tap, as stored
    int outputs;
    const float* masters;
    T* packs;
    SKEWGRAD_FN void operator()(int i) const {
        if (i < forward) {
            const int row = by_stride(i), o = i - row * by_stride.by();
            const int tap = by_read(row), s = row - tap * by_read.by();
            const int part = rows.by_channels(s), c = s - part * rows.channels();
            packs[i] = static_cast<T>(part < rows.parts ? at(tap, c, o) : 0.0f);
        } else {
            const int j = i - forward, row = by_in(j), c = j - row * by_in.by();
            const int tap = by_out(row), o = row - tap * by_out.by();
            packs[i] = static_cast<T>(c < rows.channels() && o < outputs ? at(tap, c, o) : 0.0f);
        }
    }

private:
    SKEWGRAD_FN float at(int tap, int c, int o) const {
        return masters[static_cast<std::size_t>(tap * rows.channels() + c) * static_cast<std::size_t>(by_stride.by()) +
                       static_cast<std::size_t>(o)];
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
