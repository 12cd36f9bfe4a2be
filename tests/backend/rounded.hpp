// The oracle of bf16 backends: Reference<float>'s products, every value and weight rounded where Cpu<bf16> rounds it.
#pragma once
#include <algorithm>
#include <cstddef>
#include <skewgrad/backend/bfloat16.hpp>
#include <skewgrad/backend/precision.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <string>
#include <vector>

namespace skewgrad_tests {

template <class Precision>
struct Rounded;

/// Values are stored in bf16 but at the network's ends; products see bf16 weights, f32 images, bf16 gradients.
template <>
struct Rounded<skewgrad::bf16> {
    using Real = float;
    using Boundary = float;
    using Activation = skewgrad::Bfloat16;
    using Sum = float;
    using Context = skewgrad::Reference<float>::Context;
    static std::string name() { return "rounded-bf16"; }
    static constexpr skewgrad::plan::Layout layout(skewgrad::Shape s, bool) { return skewgrad::plan::planar(s); }
    using Stages = skewgrad::host::Stages<Rounded>;
    using Operations = skewgrad::host::Operations<Rounded>;
};

namespace rounded {

using B = Rounded<skewgrad::bf16>;
using Plain = skewgrad::Reference<float>;
using skewgrad::Bfloat16;

inline float to_bf16(float x) { return static_cast<float>(Bfloat16(x)); }

template <class T>
std::vector<float> floats(const T* from, std::size_t count, bool round) {
    std::vector<float> all(count);
    for (std::size_t i = 0; i < count; ++i) {
        const float x = static_cast<float>(from[i]);
        all[i] = round ? to_bf16(x) : x;
    }
    return all;
}

/// A stage of the reference backend run on rounded operands.
template <class Layer>
struct RoundedStage {
    using Inner = skewgrad::plan::Stage<Plain, Layer>;
    using Site = skewgrad::plan::Site<B>;
    static constexpr skewgrad::plan::Traits traits{.can_finish = true, .rounds = true};
    static constexpr skewgrad::plan::Needs needs(const Site& site) {
        return {.masters = skewgrad::parameter_size<Layer>(site.in.shape)};
    }
    static void import_parameters(const Site& site, const float* canonical, float* masters) {
        std::copy_n(canonical, site.canonical_size, masters);
    }
    static void export_parameters(const Site& site, const float* masters, float* canonical) {
        std::copy_n(masters, site.canonical_size, canonical);
    }

    template <class In, class Out>
    struct Run {
        using Call = skewgrad::plan::Call<B, In, In, Out>;
        Plain::Context on{};
        skewgrad::plan::Site<Plain> site{};
        std::vector<float> in, out, d_out, d_in, masters;
        skewgrad::plan::Call<Plain> inner;
        explicit Run(const Call& call, bool back)
            : in(floats(call.in, count(call, call.site.in), false)),
              out(count(call, call.site.out)),
              d_in(in.size()),
              masters(floats(call.masters, call.site.canonical_size, true)),
              inner{.on = on, .site = site, .images = call.images} {
            // Biases are not rounded.
            const auto weights = call.site.canonical_size - static_cast<std::size_t>(call.site.out.shape.c);
            std::copy(call.masters + weights, call.masters + call.site.canonical_size,
                      masters.begin() + static_cast<std::ptrdiff_t>(weights));
            if (back) d_out = floats(call.d_out, out.size(), true);
            site.in = call.site.in;
            site.out = call.site.out;
            site.canonical_size = call.site.canonical_size;
            inner.in = in.data();
            inner.out = out.data();
            inner.d_out = d_out.data();
            inner.d_in = d_in.data();
            inner.masters = masters.data();
            inner.gradients = call.gradients;
        }
        Run(const Run&) = delete;
        static std::size_t count(const Call& call, const skewgrad::plan::Layout& l) {
            return static_cast<std::size_t>(call.images) * l.size;
        }
    };
    template <class In, class Out>
    static void forward(const skewgrad::plan::Call<B, In, In, Out>& call) {
        Run<In, Out> run(call, false);
        Inner::forward(run.inner);
        for (std::size_t i = 0; i < run.out.size(); ++i) call.out[i] = static_cast<Out>(run.out[i]);
        for (int n = 0; n < call.images; ++n) call.finish(n);
    }
    template <class In, class Out>
    static void backward_data(const skewgrad::plan::Call<B, In, In, Out>& call) {
        Run<In, Out> run(call, true);
        Inner::backward_data(run.inner);
        for (std::size_t i = 0; i < run.d_in.size(); ++i) call.d_in[i] = static_cast<In>(run.d_in[i]);
    }
    template <class In, class Out>
    static void backward_weights(const skewgrad::plan::Call<B, In, In, Out>& call) {
        Run<In, Out> run(call, true);
        Inner::backward_weights(run.inner);
    }
};

}  // namespace rounded
}  // namespace skewgrad_tests

template <int Out, int Kernel, int Stride, skewgrad::Padding Pad, skewgrad::Initial Start>
struct skewgrad::plan::Stage<skewgrad_tests::Rounded<skewgrad::bf16>, skewgrad::Conv<Out, Kernel, Stride, Pad, Start>>
    : skewgrad_tests::rounded::RoundedStage<skewgrad::Conv<Out, Kernel, Stride, Pad, Start>> {};
template <int Out, skewgrad::Initial Start>
struct skewgrad::plan::Stage<skewgrad_tests::Rounded<skewgrad::bf16>, skewgrad::Dense<Out, Start>>
    : skewgrad_tests::rounded::RoundedStage<skewgrad::Dense<Out, Start>> {};
