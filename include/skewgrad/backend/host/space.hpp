// The space of host memory: loops run when they are given, on a team of threads.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <skewgrad/backend/host/buffer.hpp>
#include <skewgrad/backend/space.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE {

// Loops and the functors of images/ stand in regions of exact arithmetic (core/config.hpp); g++ inlines a functor into
// its loop because both do. The loops are not inlined: by themselves, compilers see that they can be vectorised.
SKEWGRAD_EXACT_BEGIN
namespace loops {

template <class F>
[[gnu::noinline]] void each(const F& f, int begin, int end) {
    SKEWGRAD_EXACT_BODY
    for (int n = begin; n < end; ++n) f(n);
}
template <class F>
[[gnu::noinline]] void each_pixel(const F& f, int n, int size) {
    SKEWGRAD_EXACT_BODY
    auto element = f(n);
    for (int e = 0; e < size; ++e) element(e);
}
template <class F>
[[gnu::noinline]] void each_position(const F& f, int n, const PixelOrder& order) {
    SKEWGRAD_EXACT_BODY
    auto element = f(n);
    const Shape s = order.shape;
    int e = 0;
    if (order.channels_last)
        for (int h = 0; h < s.h; ++h)
            for (int w = 0; w < s.w; ++w)
                for (int c = 0; c < s.c; ++c) element(e++, c, h, w);
    else
        for (int c = 0; c < s.c; ++c)
            for (int h = 0; h < s.h; ++h)
                for (int w = 0; w < s.w; ++w) element(e++, c, h, w);
}
/// Sums: element e belongs to sum e % 8; the eight are then added in order, so that the loop can be vectorised.
template <class F>
[[gnu::noinline]] double fold(const F& f, int n, int size, Fold how) {
    SKEWGRAD_EXACT_BODY
    const auto term = f(n);
    if (how == Fold::largest) {
        double most = 0;
        for (int e = 0; e < size; ++e) {
            const double t = term(e);
            most = t > most ? t : most;
        }
        return most;
    }
    double sums[8] = {};
    int e = 0;
    for (; e + 8 <= size; e += 8)
        for (int i = 0; i < 8; ++i) sums[i] += term(e + i);
    for (int i = 0; e < size; ++e, ++i) sums[i] += term(e);
    double sum = 0;
    for (int i = 0; i < 8; ++i) sum += sums[i];
    return sum;
}

}  // namespace loops
SKEWGRAD_EXACT_END

/// Host memory, images and logits being R. Each thread takes whole images.
template <std::floating_point R>
struct HostSpace {
    using Real = R;
    static constexpr bool eager = true;
    struct Queue {
        int threads = 1;
    };
    struct Recording {};
    template <class T>
    using Array = host::Buffer<T>;

    template <class T>
    static Array<T> make(const Queue&, std::size_t size) {
        return Array<T>(size);
    }
    template <class T>
    static void put(const Queue&, std::type_identity_t<std::span<const T>> from, Array<T>& to) {
        assert(from.size() <= to.size());
        std::copy(from.begin(), from.end(), to.data());
    }
    template <class T>
    static void get(const Queue&, const Array<T>& from, std::type_identity_t<std::span<T>> to) {
        assert(to.size() <= from.size());
        std::copy_n(from.data(), to.size(), to.begin());
    }
    static StoredImages share(const Queue&, std::shared_ptr<const ImageStore> store) {
        const std::uint8_t* bytes = store->pixels().data();
        const Label* labels = store->labels.data();
        return {std::move(store), bytes, labels};
    }
    /// Few items are done before another thread is woken. All threads or one: a team of another size would be made
    /// anew.
    template <class F>
    static void each(const Queue& on, int count, const F& f) {
        constexpr int few = 128;
        parallel_ranges(count < few ? 1 : on.threads, count,
                        [&](int, int begin, int end) { loops::each(f, begin, end); });
    }
    template <class F>
    static void each_pixel(const Queue& on, int images, const PixelOrder& order, const F& f) {
        parallel_for(on.threads, images, [&](int n) { loops::each_pixel(f, n, order.size()); });
    }
    template <class F>
    static void each_position(const Queue& on, int images, const PixelOrder& order, const F& f) {
        parallel_for(on.threads, images, [&](int n) { loops::each_position(f, n, order); });
    }
    template <class F>
    static void fold(const Queue& on, int images, const PixelOrder& order, Fold how, const F& f, double* out) {
        parallel_for(on.threads, images, [&](int n) { out[n] = loops::fold(f, n, order.size(), how); });
    }
    static void record(const Queue&, Recording&, std::uint64_t, FunctionRef<void()> work) { work(); }
};

static_assert(Space<HostSpace<float>> && Space<HostSpace<double>>);

}  // namespace SKEWGRAD_NAMESPACE
