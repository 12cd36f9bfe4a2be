// Which kernels run a layer that needs no product: any element-wise or gather layer, dropout, joins.
#pragma once
#include <algorithm>
#include <cstddef>

#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/layers.hpp>
#include <skewgrad/backend/cuda/policy.hpp>
#include <skewgrad/backend/host/stages.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cuda {

template <class B, class L>
struct ElementwiseStage {
    static constexpr bool masks_input(const host::Site<B>&) { return true; }
    template <class In, class Out>
    static void forward(const host::Call<B, In, In, Out>& call) {
        const host::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), out.size * static_cast<std::size_t>(call.images),
             ElementwiseForward<L, In, Out>{CoordinatesOf(out), in, out, call.in, call.out});
    }
    template <class In, class Out>
    static void backward_data(const host::Call<B, In, In, Out>& call) {
        const host::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), in.size * static_cast<std::size_t>(call.images),
             ElementwiseBackward<L, In, Out>{CoordinatesOf(in), in, out, call.site.masks_in, call.in, call.d_out,
                                             call.d_in});
    }
};

template <class B, class L>
struct GatherStage {
    static constexpr bool masks_input(const host::Site<B>&) { return true; }
    template <class In, class Out>
    static void forward(const host::Call<B, In, In, Out>& call) {
        const host::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), out.size * static_cast<std::size_t>(call.images),
             GatherForward<L, In, Out>{CoordinatesOf(out), in, out, call.in, call.masters, call.out});
    }
    template <class In, class Out>
    static void backward_data(const host::Call<B, In, In, Out>& call) {
        const host::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), in.size * static_cast<std::size_t>(call.images),
             GatherBackward<L, In, Out>{CoordinatesOf(in), in, out, call.site.masks_in, call.in, call.d_out,
                                        call.masters, call.d_in});
    }
};

/// Parameters keep canonical order, as on the host.
template <class B, class L>
struct GatherStageWithParameters : GatherStage<B, L> {
    using OnHost = host::GatherStageWithParameters<B, L>;
    static constexpr std::size_t master_size(const host::Site<B>& site) { return OnHost::master_size(site); }
    template <class Visit>
    static constexpr void for_each_trained_run(const host::Site<B>& site, Visit visit) {
        OnHost::for_each_trained_run(site, visit);
    }
    static void import_parameters(const host::Site<B>& site, const float* canonical, float* masters) {
        OnHost::import_parameters(site, canonical, masters);
    }
    static void export_parameters(const host::Site<B>& site, const float* masters, float* canonical) {
        OnHost::export_parameters(site, masters, canonical);
    }
    template <class In, class Out>
    static void backward_weights(const host::Call<B, In, In, Out>& call) {
        for_each_trainable_run<L>(call.site.in.shape, [&](std::size_t first, std::size_t size) {
            each(call.on.device(), size,
                 GatherWeights<L, In, Out>{call.site.in, call.site.out, call.images, static_cast<int>(first), call.in,
                                           call.d_out, call.masters, call.gradients});
        });
    }
};

template <class B, class L>
constexpr auto choose_stage() {
    if constexpr (Elementwise<L>)
        return std::type_identity<ElementwiseStage<B, L>>{};
    else if constexpr (GatherWithParameters<L>)
        return std::type_identity<GatherStageWithParameters<B, L>>{};
    else if constexpr (Gather<L>)
        return std::type_identity<GatherStage<B, L>>{};
    else
        return std::type_identity<host::NoStage<B, L>>{};
}

}  // namespace cuda

namespace host {

template <class P, class R, class L>
struct Stage<cuda::Policy<P, R>, L> : decltype(cuda::choose_stage<cuda::Policy<P, R>, L>())::type {};

/// Kernels fuse the rectifier, and no other layer: what a GPU calls must be known when the kernel is compiled.
template <class P, class R, class L>
inline constexpr bool fuses<cuda::Policy<P, R>, L> = std::is_same_v<L, Relu>;

template <class P, class R, int Percent>
struct Stage<cuda::Policy<P, R>, Dropout<Percent>> {
    using B = cuda::Policy<P, R>;
    static constexpr bool masks_input(const Site<B>&) { return true; }
    template <class In, class Out>
    static void forward(const Call<B, In, In, Out>& call) {
        run<In>(call, call.in, call.site.in, call.out, call.site.out, static_cast<const In*>(nullptr));
    }
    template <class In, class Out>
    static void backward_data(const Call<B, In, In, Out>& call) {
        run<In>(call, call.d_out, call.site.out, call.d_in, call.site.in, call.site.masks_in ? call.in : nullptr);
    }

private:
    template <class In, class C, class From, class To>
    static void run(const C& call, const From* from, const Layout& source, To* to, const Layout& target,
                    const In* mask) {
        cuda::each(call.on.device(), target.size * static_cast<std::size_t>(call.images),
                   cuda::Drop<Percent, From, To, In>{cuda::CoordinatesOf(target), source, target, call.masks,
                                                     call.site.node, from, to, mask});
    }
};

template <class P, class R>
struct Stage<cuda::Policy<P, R>, Add> {
    using B = cuda::Policy<P, R>;
    template <class In, class Second, class Out>
    static void forward(const Call<B, In, Second, Out>& call) {
        cuda::each(call.on.device(), call.site.out.size * static_cast<std::size_t>(call.images),
                   cuda::Join<In, Second, Out>{cuda::CoordinatesOf(call.site.out), call.site.in, call.site.second,
                                               call.in, call.second, call.out});
    }
    template <class In, class Second, class Out>
    static void backward_data(const Call<B, In, Second, Out>& call) {
        if (call.d_in) carry(call, call.d_in, call.site.in);
        if (call.d_second) carry(call, call.d_second, call.site.second);
    }

private:
    template <class C, class To>
    static void carry(const C& call, To* to, const Layout& target) {
        using Out = typename C::OutElement;
        cuda::each(call.on.device(), target.size * static_cast<std::size_t>(call.images),
                   cuda::Carry<Out, To>{cuda::CoordinatesOf(target), call.site.out, call.d_out, to});
    }
};

}  // namespace host
}  // namespace SKEWGRAD_NAMESPACE
