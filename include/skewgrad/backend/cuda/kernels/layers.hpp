// One element of what a layer gives or hands back: element-wise and gather layers, dropout, joins.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/cuda/kernels/places.hpp>
#include <skewgrad/backend/host/layout.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/batches.hpp>
#include <skewgrad/nn/layers.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Image n of a value.
template <class T>
SKEWGRAD_FN T* image_of(T* first, const host::Layout& layout, int n) {
    return first + static_cast<std::size_t>(n) * layout.size;
}

/// Whether the rectifier that wrote a value let this element through; where none did (no mask), all pass.
template <class In>
SKEWGRAD_FN bool passes(bool masks, In value) {
    return !masks || static_cast<float>(value) > 0;
}

template <class L, class In, class Out>
struct ElementwiseForward {
    Places places;  // of the output
    host::Layout in, out;
    const In* x;
    Out* y;
    SKEWGRAD_FN void operator()(int i) const {
        const Place p = places(i);
        y[i] =
            static_cast<Out>(p.padding ? 0.0f : L::value(static_cast<float>(image_of(x, in, p.n)[in(p.c, p.h, p.w)])));
    }
};

template <class L, class In, class Out>
struct ElementwiseBackward {
    Places places;  // of the input
    host::Layout in, out;
    bool masks;
    const In* x;
    const Out* dy;
    In* dx;
    SKEWGRAD_FN void operator()(int i) const {
        const Place p = places(i);
        const bool stops = p.padding || !passes(masks, x[i]);
        dx[i] = static_cast<In>(stops ? 0.0f
                                      : static_cast<float>(image_of(dy, out, p.n)[out(p.c, p.h, p.w)]) *
                                            L::slope(static_cast<float>(x[i])));
    }
};

template <class L, class In, class Out>
struct GatherForward {
    Places places;  // of the output
    host::Layout in, out;
    const In* x;
    const float* parameters;
    Out* y;
    SKEWGRAD_FN void operator()(int i) const {
        const Place p = places(i);
        const host::View<In, float> view{image_of(x, in, p.n), in};
        y[i] = static_cast<Out>(p.padding ? 0.0f : L::value(view, parameters, p.c, p.h, p.w));
    }
};

template <class L, class In, class Out>
struct GatherBackward {
    Places places;  // of the input
    host::Layout in, out;
    bool masks;
    const In* x;
    const Out* dy;
    const float* parameters;
    In* dx;
    SKEWGRAD_FN void operator()(int i) const {
        const Place p = places(i);
        const host::View<In, float> view{image_of(x, in, p.n), in};
        const host::View<Out, float> slopes{image_of(dy, out, p.n), out};
        const bool stops = p.padding || !passes(masks, x[i]);
        dx[i] = static_cast<In>(stops ? 0.0f : L::input_gradient(view, slopes, parameters, p.c, p.h, p.w));
    }
};

/// One parameter's gradient, summed over images in their order.
template <class L, class In, class Out>
struct GatherWeights {
    host::Layout in, out;
    int images;
    const In* x;
    const Out* dy;
    const float* parameters;
    float* gradients;
    SKEWGRAD_FN void operator()(int k) const {
        float sum = 0;
        for (int n = 0; n < images; ++n) {
            const host::View<In, float> view{image_of(x, in, n), in};
            const host::View<Out, float> slopes{image_of(dy, out, n), out};
            sum += L::parameter_gradient(view, slopes, parameters, k);
        }
        gradients[k] += sum;
    }
};

/// What a training batch on the device says of itself: the seed and epoch that draws are keyed on, then its picks.
struct BatchOnDevice {
    Seed seed{};
    std::uint32_t epoch = 0;
    std::uint32_t flips = 0;
    std::uint64_t update = 0;  ///< number of the step that it is for
    SKEWGRAD_FN const Pick* picks() const { return reinterpret_cast<const Pick*>(this + 1); }
};

/// Inverted dropout, either way (From to To): element (h W + w) C + c of a visit of an image reads 16 bits of its
/// stream. Without a batch the identity.
template <int Percent, class From, class To, class In>
struct Drop {
    Places places;  // of `to`
    host::Layout source, target;
    const BatchOnDevice* batch;
    std::uint16_t node;
    const From* from;
    To* to;
    const In* mask;  // laid out as `to`, or null
    SKEWGRAD_FN void operator()(int i) const {
        const Place p = places(i);
        const bool stops = p.padding || (mask && !(static_cast<float>(mask[i]) > 0));
        const float x = stops ? 0.0f : static_cast<float>(image_of(from, source, p.n)[source(p.c, p.h, p.w)]);
        to[i] = static_cast<To>(!batch || Percent == 0 || stops ? x : dropped(p) ? 0.0f : x * scale);
    }

private:
    static constexpr float scale = static_cast<float>(Dropout<Percent>::scale);
    SKEWGRAD_FN bool dropped(const Place& p) const {
        const Pick pick = batch->picks()[p.n];
        const Stream stream{.seed = batch->seed,
                            .purpose = Purpose::dropout,
                            .node = node,
                            .item = pick.item,
                            .epoch = batch->epoch,
                            .copy = pick.copy};
        const std::uint32_t element = source.element(p.c, p.h, p.w);
        const std::uint32_t word = draw_word(stream, element / 2);
        return (word >> (16 * (element % 2)) & 0xffffu) < Dropout<Percent>::threshold;
    }
};

/// y = a + b.
template <class In, class Second, class Out>
struct Join {
    Places places;  // of the output
    host::Layout first, second;
    const In* a;
    const Second* b;
    Out* y;
    SKEWGRAD_FN void operator()(int i) const {
        const Place p = places(i);
        y[i] = static_cast<Out>(p.padding ? 0.0f
                                          : static_cast<float>(image_of(a, first, p.n)[first(p.c, p.h, p.w)]) +
                                                static_cast<float>(image_of(b, second, p.n)[second(p.c, p.h, p.w)]));
    }
};

/// A value in another layout or of other elements, padding zero.
template <class From, class To>
struct Carry {
    Places places;  // of `to`
    host::Layout source;
    const From* from;
    To* to;
    SKEWGRAD_FN void operator()(int i) const {
        const Place p = places(i);
        to[i] =
            static_cast<To>(p.padding ? 0.0f : static_cast<float>(image_of(from, source, p.n)[source(p.c, p.h, p.w)]));
    }
};

/// a += b, element by element.
template <class T>
struct Increase {
    T* a;
    const T* b;
    SKEWGRAD_FN void operator()(int i) const {
        a[i] = static_cast<T>(static_cast<float>(a[i]) + static_cast<float>(b[i]));
    }
};

/// dy = 0 where the rectifier that wrote y let nothing through.
template <class T>
struct Rectify {
    const T* y;
    T* dy;
    SKEWGRAD_FN void operator()(int i) const {
        if (!(static_cast<float>(y[i]) > 0)) dy[i] = static_cast<T>(0.0f);
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
