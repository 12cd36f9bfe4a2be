// A training step's ends: the loss and its slope, sums over the batch, shares of gradients, the update, packed weights.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/backend/cuda/block.hpp>
#include <skewgrad/backend/cuda/kernels/divide.hpp>
#include <skewgrad/backend/cuda/kernels/layers.hpp>
#include <skewgrad/backend/cuda/kernels/rounded.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// What a session's steps leave on the device until it is read (StepState, without what the host counts itself).
struct StepStateOnDevice {
    std::uint64_t images = 0, correct = 0;
    double loss_sum = 0;
    std::uint64_t first_non_finite = std::numeric_limits<std::uint64_t>::max();
    SKEWGRAD_FN bool failed() const { return first_non_finite != ~std::uint64_t{0}; }
};

/// Loss, gradient at the logits and whether the answer is right, image by image. Labels stand either in `labels` or,
/// for a batch of a store, in `of_store`.
template <class Loss>
struct LossGradient {
    int classes, stride;
    double scale;
    const float* logits;
    const Label* labels;
    const BatchOnDevice* batch;
    const Label* of_store;
    float* slopes;
    double* losses;
    std::uint8_t* right;
    SKEWGRAD_FN void operator()(int n) const {
        const Label y = labels ? labels[n] : of_store[batch->picks()[n].item];
        const float* z = logits + static_cast<std::size_t>(n) * static_cast<std::size_t>(stride);
        float* dz = slopes + static_cast<std::size_t>(n) * static_cast<std::size_t>(stride);
        for (int k = classes; k < stride; ++k) dz[k] = 0;
        losses[n] = Loss::gradient(z, classes, y, scale, dz);
        int best = 0;
        for (int k = 1; k < classes; ++k)
            if (z[k] > z[best]) best = k;
        right[n] = best == index(y);
    }
};

/// Adds a batch's losses, in the order of its images, to the session's state; a sum that is not finite stops it.
struct CountStep {
    static constexpr int threads = 256;
    static constexpr bool waits = true;
    static constexpr std::size_t shared_bytes = threads * sizeof(double);
    int images;
    const double* losses;
    const std::uint8_t* right;
    const BatchOnDevice* batch;
    StepStateOnDevice* state;
    SKEWGRAD_FN void operator()(const Block& block) const {
        double* near = reinterpret_cast<double*>(block.shared);
        double sum = 0;
        std::uint64_t correct = 0;
        for (int first = 0; first < images; first += threads) {
            if (first + block.thread < images) near[block.thread] = losses[first + block.thread];
            block.wait();
            if (block.thread == 0)
                for (int n = first; n < images && n < first + threads; ++n) {
                    sum += near[n - first];
                    correct += right[n];
                }
            block.wait();
        }
        if (block.thread != 0 || state->failed()) return;
        if (!(sum - sum == 0)) {  // infinite or not a number
            state->first_non_finite = batch->update;
            return;
        }
        state->images += static_cast<std::uint64_t>(images);
        state->correct += correct;
        state->loss_sum += sum;
    }
};

/// gradients += the shares' sums, in the shares' order. Where columns came in two parts, both belong to one weight; the
/// last row, the products with ones, is the bias'.
struct AddShares {
    Divide by_row;           // of `stride` elements
    int taken, parts, shares;
    const float* sums;       // shares x (parts taken + 1) x stride
    float* gradients;        // (taken + 1) x stride
    SKEWGRAD_FN void operator()(int i) const {
        const int r = by_row(i), o = i - r * by_row.by();
        const auto stride = static_cast<std::size_t>(by_row.by());
        const std::size_t share = static_cast<std::size_t>(parts * taken + 1) * stride;
        const auto at = [&](int row) { return static_cast<std::size_t>(row) * stride + static_cast<std::size_t>(o); };
        float sum = 0;
        for (int s = 0; s < shares; ++s) {
            const float* of = sums + static_cast<std::size_t>(s) * share;
            if (r == taken)
                sum += of[at(parts * taken)];
            else
                for (int part = 0; part < parts; ++part) sum += of[at(part * taken + r)];
        }
        gradients[i] += sum;
    }
};

/// One parameter's update; its gradient is zero afterwards. Nothing happens once a loss was not finite.
template <class Step, int slots>
struct Update {
    const Step* step;
    const StepStateOnDevice* state;
    std::size_t slot;  // elements from one slot to the next
    float* w;
    float* g;
    float* s;
    SKEWGRAD_FN void operator()(int i) const {
        if (!state->failed()) {
            Rounded weight{w[i]}, own[slots > 0 ? slots : 1];
            for (int k = 0; k < slots; ++k) own[k] = Rounded{s[static_cast<std::size_t>(k) * slot + static_cast<std::size_t>(i)]};
            (*step)(weight, Rounded{g[i]}, own);
            w[i] = weight.value;
            for (int k = 0; k < slots; ++k) s[static_cast<std::size_t>(k) * slot + static_cast<std::size_t>(i)] = own[k].value;
        }
        g[i] = 0;
    }
};

/// A constant in every element.
struct Fill {
    float value;
    float* at;
    SKEWGRAD_FN void operator()(int i) const { at[i] = value; }
};

/// Weights as a pass forward multiplies them: masters rounded, all rows twice where the images come in two parts.
template <class T>
struct PackForward {
    int size;  // of the masters' rows
    const float* masters;
    T* packs;
    SKEWGRAD_FN void operator()(int i) const { packs[i] = static_cast<T>(masters[i < size ? i : i - size]); }
};

/// Weights as a pass backward multiplies them: rows (tap, out), columns in; from masters (tap, in) x out.
template <class T>
struct PackBackward {
    Divide by_in, by_out;  // columns, and outputs a tap
    int channels;          // inputs a tap
    int outputs, stride;   // of the masters' rows: there, and with padding
    const float* masters;
    T* packs;
    SKEWGRAD_FN void operator()(int i) const {
        const int row = by_in(i), c = i - row * by_in.by();
        const int tap = by_out(row), o = row - tap * by_out.by();
        const bool there = c < channels && o < outputs;
        packs[i] = static_cast<T>(
            there ? masters[static_cast<std::size_t>(tap * channels + c) * static_cast<std::size_t>(stride) +
                            static_cast<std::size_t>(o)]
                  : 0.0f);
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
