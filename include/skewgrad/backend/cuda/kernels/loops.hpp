// The loops of a device's space as kernels: one thread an element, or one block an image for folds.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/cuda/block.hpp>
#include <skewgrad/backend/pass.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// f(n)(e): block x is the image, so that nothing is divided.
template <class F>
struct EachPixel {
    static constexpr int threads = 256;
    static constexpr bool waits = false;
    static constexpr std::size_t shared_bytes = 0;
    F f;
    int size;
    SKEWGRAD_FN void operator()(const Block& block) const {
        const int e = block.y * threads + block.thread;
        if (e < size) f(block.x)(e);
    }
};

/// f(n)(e, c, h, w).
template <class F>
struct EachPosition {
    static constexpr int threads = 256;
    static constexpr bool waits = false;
    static constexpr std::size_t shared_bytes = 0;
    F f;
    PixelOrder order;
    SKEWGRAD_FN void operator()(const Block& block) const {
        const int e = block.y * threads + block.thread;
        const Shape s = order.shape;
        if (e >= order.size()) return;
        if (order.channels_last)
            f(block.x)(e, e % s.c, e / s.c / s.w, e / s.c % s.w);
        else
            f(block.x)(e, e / (s.h * s.w), e / s.w % s.h, e % s.w);
    }
};

/// out[n] = sum or largest of f(n)(e). Thread t joins elements t, t + 256, ... in order, then halves are joined: the
/// order depends on the size alone.
template <class F>
struct FoldPixels {
    static constexpr int threads = 256;
    static constexpr bool waits = true;
    static constexpr std::size_t shared_bytes = threads * sizeof(double);
    F f;
    int size;
    bool largest;
    double* out;
    SKEWGRAD_FN void operator()(const Block& block) const {
        double* joined = reinterpret_cast<double*>(block.shared);
        const auto term = f(block.x);
        double mine = 0;
        for (int e = block.thread; e < size; e += threads) mine = join(mine, term(e));
        joined[block.thread] = mine;
        for (int half = threads / 2; half > 0; half /= 2) {
            block.wait();
            if (block.thread < half) joined[block.thread] = join(joined[block.thread], joined[block.thread + half]);
        }
        if (block.thread == 0) out[block.x] = joined[0];
    }

private:
    SKEWGRAD_FN double join(double a, double b) const { return largest ? (b > a ? b : a) : a + b; }
};

/// CountLosses by a block of threads: all of them fetch losses, one adds them in their order.
struct CountLossesTogether {
    static constexpr int threads = 256;
    static constexpr bool waits = true;
    static constexpr std::size_t shared_bytes = threads * sizeof(double);
    CountLosses count;
    SKEWGRAD_FN void operator()(const Block& block) const {
        double* fetched = reinterpret_cast<double*>(block.shared);
        double sum = count.first ? 0 : count.state->loss;
        std::uint64_t correct = count.first ? 0 : count.state->correct;
        for (int first = 0; first < count.count; first += threads) {
            if (first + block.thread < count.count) fetched[block.thread] = count.losses[first + block.thread];
            block.wait();
            if (block.thread == 0)
                for (int n = first; n < count.count && n < first + threads; ++n) {
                    sum += fetched[n - first];
                    correct += count.correct[n];
                }
            block.wait();
        }
        if (block.thread != 0) return;
        count.state->loss = sum;
        count.state->correct = correct;
        count.finish();
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
