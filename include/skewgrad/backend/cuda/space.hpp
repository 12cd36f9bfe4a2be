// The space of a device's memory: loops are kernels, steps are recorded as graphs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <type_traits>

#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/loops.hpp>
#include <skewgrad/backend/cuda/memory.hpp>
#include <skewgrad/backend/pass.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Memory of device R; images and logits are f32.
template <class R>
struct DeviceSpace {
    using Real = float;
    static constexpr bool eager = false;
    using Queue = Context<R>;
    template <class T>
    using Array = Memory<T, R>;

    template <class T>
    static Array<T> make(const Queue& on, std::size_t size) {
        return on.template zeros<T>(size);
    }
    template <class T>
    static void put(const Queue&, std::type_identity_t<std::span<const T>> from, Array<T>& to) {
        if (!from.empty()) to.upload_async(from);
    }
    template <class T>
    static void get(const Queue&, const Array<T>& from, std::type_identity_t<std::span<T>> to) {
        if (!to.empty()) from.download(to);
    }
    static StoredImages share(const Queue& on, const std::shared_ptr<const ImageStore>& store) {
        auto there = on.resident(store);
        return {there, there->pixels.data(), there->labels.data()};
    }

    template <class F>
    static void each(const Queue& on, int count, const F& f) {
        cuda::each(on.device(), static_cast<std::size_t>(count), f);
    }
    static void each(const Queue& on, int, const CountLosses& count) {
        on.device().launch(Grid{}, CountLossesTogether{count});
    }
    template <class F>
    static void each_pixel(const Queue& on, int images, const PixelOrder& order, const F& f) {
        on.device().launch(grid(images, order), EachPixel<F>{f, order.size()});
    }
    template <class F>
    static void each_position(const Queue& on, int images, const PixelOrder& order, const F& f) {
        on.device().launch(grid(images, order), EachPosition<F>{f, order});
    }
    template <class F>
    static void fold(const Queue& on, int images, const PixelOrder& order, Fold how, const F& f, double* out) {
        on.device().launch(Grid{images}, FoldPixels<F>{f, order.size(), how == Fold::largest, out});
    }

    struct Recorded {
        bool ran = false, made = false;
        typename R::Graph graph{};
    };
    using Recording = std::map<std::uint64_t, Recorded>;
    /// Runs the work; from the second call with a key on, as one recorded graph.
    static void record(const Queue& on, Recording& kept, std::uint64_t key, FunctionRef<void()> work) {
        Recorded& mine = kept[key];
        if (!mine.ran)
            work();  // whatever is set up at first use is set up now
        else if (!mine.made)
            on.device().capture(mine.graph, work);
        else
            on.device().replay(mine.graph, work);
        mine.made = mine.ran;
        mine.ran = true;
    }

private:
    static Grid grid(int images, const PixelOrder& order) { return {images, (order.size() + 255) / 256}; }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
