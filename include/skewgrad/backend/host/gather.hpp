// The one loop for gather layers on host backends: a view of an image in, one element out.
#pragma once
#include <type_traits>

#include <skewgrad/backend/host/stage.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE::host {

template <class B, class L>
struct GatherStage {
    using Value = typename B::Value;
    using Sum = typename B::Sum;
    using Real = typename B::Real;
    using ImageView = View<Value, Sum>;
    static constexpr bool can_finish = true;

    static void forward(const Call<B>& call) {
        each_element(call, call.site.out, [&](int n, int c, int h, int w) {
            const ImageView in{call.in_image(n), call.site.in};
            call.out_image(n)[call.site.out(c, h, w)] = static_cast<Value>(L::value(in, call.masters, c, h, w));
        });
        clear_padding(call.site.out, call.out, call.images);
        if (call.site.epilogue) parallel_for(call.on.threads(), call.images, [&](int n) { call.finish(n); });
    }
    static void backward_data(const Call<B>& call) {
        each_element(call, call.site.in, [&](int n, int c, int h, int w) {
            const ImageView in{call.in_image(n), call.site.in}, d_out{call.d_out_image(n), call.site.out};
            call.d_in_image(n)[call.site.in(c, h, w)] =
                static_cast<Value>(L::input_gradient(in, d_out, call.masters, c, h, w));
        });
        clear_padding(call.site.in, call.d_in, call.images);
    }

private:
    template <class Body>
    static void each_element(const Call<B>& call, const Layout& of, Body body) {
        parallel_for(call.on.threads(), call.images, [&](int n) {
            for (int h = 0; h < of.shape.h; ++h)
                for (int w = 0; w < of.shape.w; ++w)
                    for (int c = 0; c < of.shape.c; ++c) body(n, c, h, w);
        });
    }
};

/// Parameters of a gather layer keep canonical order. Each gradient element is summed over images in their order.
template <class B, class L>
struct GatherStageWithParameters : GatherStage<B, L> {
    using Sum = typename B::Sum;
    using Real = typename B::Real;
    using typename GatherStage<B, L>::ImageView;

    static constexpr std::size_t master_size(Shape in) { return parameter_size<L>(in); }
    static constexpr std::size_t trained_size(Shape in) {
        std::size_t n = 0;
        bool statistics = false;
        for (const Parameter& p : parameters_of<L>(in)) {
            if (p.role == Role::statistic)
                statistics = true;
            else if (!statistics)
                n += p.size();
        }
        return n;
    }
    static void import_parameters(const Site<B>& site, const Real* canonical, Sum* masters) {
        for (std::size_t k = 0; k < site.canonical_size; ++k) masters[k] = static_cast<Sum>(canonical[k]);
    }
    static void export_parameters(const Site<B>& site, const Sum* masters, Real* canonical) {
        for (std::size_t k = 0; k < site.canonical_size; ++k) canonical[k] = static_cast<Real>(masters[k]);
    }
    static void backward_weights(const Call<B>& call) {
        parallel_for(call.on.threads(), static_cast<int>(call.site.trained_size), [&](int k) {
            Sum sum = 0;
            for (int n = 0; n < call.images; ++n) {
                const ImageView in{call.in_image(n), call.site.in}, d_out{call.d_out_image(n), call.site.out};
                sum += L::parameter_gradient(in, d_out, call.masters, k);
            }
            call.gradients[k] += sum;
        });
    }
};

}  // namespace SKEWGRAD_NAMESPACE::host
