// Which stage runs a layer on a host backend when nothing faster is specialised.
#pragma once
#include <algorithm>
#include <type_traits>

#include <skewgrad/backend/host/batch_norm_stage.hpp>
#include <skewgrad/backend/host/elementwise.hpp>
#include <skewgrad/backend/host/gather.hpp>
#include <skewgrad/backend/host/small_blocks.hpp>
#include <skewgrad/nn/layers.hpp>

namespace SKEWGRAD_NAMESPACE::host {

template <class B, class L>
constexpr auto choose_stage() {
    using Sum = typename B::Sum;
    if constexpr (Elementwise<L, Sum>)
        return std::type_identity<ElementwiseStage<B, L>>{};
    else if constexpr (GatherWithParameters<L, Sum>)
        return std::type_identity<GatherStageWithParameters<B, L>>{};
    else if constexpr (Gather<L, Sum> && !has_parameters<L>)
        return std::type_identity<GatherStage<B, L>>{};
    else
        return std::type_identity<plan::NoStage<B, L>>{};
}

/// How a host backend runs a layer, whatever the backend.
template <class B, class L>
struct GenericStage : decltype(choose_stage<B, L>())::type {};

/// What `plan::lower` asks of a backend about layers: how it runs them, and which are fused behind the stage before.
template <class B>
struct Stages {
    using Sum = typename B::Sum;
    template <class L>
    using Generic = GenericStage<B, L>;
    /// Whether a layer is fused where the stage before it can finish its values.
    template <class L>
    static constexpr bool fuses = SlopeFromValue<L, Sum>;
    /// The fused layer for values of type T, or null.
    template <class L, class T>
    static constexpr const plan::Epilogue* epilogue = [] {
        if constexpr (fuses<L>)
            return &InPlace<T, Sum, L>::epilogue;
        else
            return static_cast<const plan::Epilogue*>(nullptr);
    }();
    static constexpr plan::PlanView<B> arrange(plan::PlanView<B> plan) { return with_small_blocks(plan); }
};

/// Dropout draws its masks again in the backward pass: a mask is a function of the image's identity, not a memory.
template <class B, int Percent>
struct DropoutStage {
    using Sum = typename B::Sum;
    static constexpr plan::Traits traits{};
    static constexpr plan::Needs needs(const plan::Site<B>&) { return {.memory = {.values = false}}; }

    template <class In, class Out>
    static void forward(const plan::Call<B, In, In, Out>& call) {
        run(call, call.in, call.site.in, call.out, call.site.out);
    }
    template <class In, class Out>
    static void backward_data(const plan::Call<B, In, In, Out>& call) {
        run(call, call.d_out, call.site.out, call.d_in, call.site.in);
    }

private:
    template <class C, class From, class To>
    static void run(const C& call, const From* from, const plan::Layout& source, To* to, const plan::Layout& target) {
        constexpr Sum scale = static_cast<Sum>(Dropout<Percent>::scale);
        const bool drops = call.pass.masks && Percent > 0;
        const bool alike = std::is_same_v<From, To> && source.stride_w == target.stride_w && source.size == target.size;
        parallel_for(call.on.threads(), call.images, [&](int n) {
            const From* x = from + static_cast<std::size_t>(n) * source.size;
            To* y = to + static_cast<std::size_t>(n) * target.size;
            if (!drops && alike) {
                std::copy_n(x, source.size, y);
                return;
            }
            const Stream stream = drops ? call.pass.masks.stream(n, call.site.node) : Stream{};
            Words words{};
            std::uint32_t element = 0;  // runs over (h W + w) C + c as the loops do
            for (int h = 0; h < source.shape.h; ++h)
                for (int w = 0; w < source.shape.w; ++w)
                    for (int c = 0; c < source.shape.c; ++c, ++element) {
                        const From v = x[source(c, h, w)];
                        if (!drops) {
                            y[target(c, h, w)] = static_cast<To>(v);
                            continue;
                        }
                        if (element % 8 == 0) words = draw(stream, element / 8);
                        const std::uint32_t bits = words[element % 8 / 2] >> (16 * (element % 2)) & 0xffffu;
                        y[target(c, h, w)] = bits < Dropout<Percent>::threshold
                                                 ? static_cast<To>(Sum(0))
                                                 : static_cast<To>(static_cast<Sum>(v) * scale);
                    }
        });
        clear_padding(target, to, call.images);
    }
};

template <class B, int Percent>
struct GenericStage<B, Dropout<Percent>> : DropoutStage<B, Percent> {};

template <class B>
struct GenericStage<B, BatchNorm> : BatchNormStage<B> {};

/// The join of a residual branch; operands may differ in layout and elements, as where one is the image itself.
template <class B>
struct GenericStage<B, Add> {
    using Sum = typename B::Sum;
    static constexpr plan::Traits traits{};
    static constexpr plan::Needs needs(const plan::Site<B>&) { return {.memory = {.values = false}}; }

    template <class In, class Second, class Out>
    static void forward(const plan::Call<B, In, Second, Out>& call) {
        each(call, [&](std::size_t a, std::size_t b, std::size_t y) {
            call.out[y] = static_cast<Out>(static_cast<Sum>(call.in[a]) + static_cast<Sum>(call.second[b]));
        });
        clear_padding(call.site.out, call.out, call.images);
    }
    template <class In, class Second, class Out>
    static void backward_data(const plan::Call<B, In, Second, Out>& call) {
        each(call, [&](std::size_t a, std::size_t b, std::size_t y) {
            if (call.d_in) call.d_in[a] = static_cast<In>(call.d_out[y]);
            if (call.d_second) call.d_second[b] = static_cast<Second>(call.d_out[y]);
        });
        if (call.d_in) clear_padding(call.site.in, call.d_in, call.images);
        if (call.d_second) clear_padding(call.site.second, call.d_second, call.images);
    }

private:
    template <class C, class Body>
    static void each(const C& call, Body body) {
        const plan::Layout &a = call.site.in, &b = call.site.second, &y = call.site.out;
        parallel_for(call.on.threads(), call.images, [&](int n) {
            const auto image = static_cast<std::size_t>(n);
            for (int h = 0; h < a.shape.h; ++h)
                for (int w = 0; w < a.shape.w; ++w)
                    for (int c = 0; c < a.shape.c; ++c)
                        body(image * a.size + a(c, h, w), image * b.size + b(c, h, w), image * y.size + y(c, h, w));
        });
    }
};

}  // namespace SKEWGRAD_NAMESPACE::host
