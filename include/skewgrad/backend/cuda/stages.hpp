// Which kernels run a layer that needs no product: any element-wise or gather layer, dropout, joins.
#pragma once
#include <algorithm>
#include <cstddef>

#include <skewgrad/backend/cuda/batch_norm_stage.hpp>
#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/layers.hpp>
#include <skewgrad/backend/cuda/policy.hpp>
#include <skewgrad/backend/plan/canonical_parameters.hpp>
#include <skewgrad/backend/plan/plan_view.hpp>
#include <skewgrad/backend/plan/stage.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

template <class B, class L>
struct ElementwiseStage {
    static constexpr plan::Traits traits{};
    static constexpr plan::Needs needs(const plan::Site<B>&) { return {.masks_input = true}; }
    template <class In, class Out>
    static void forward(const plan::Call<B, In, In, Out>& call) {
        const plan::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), out.size * static_cast<std::size_t>(call.images),
             ElementwiseForward<L, In, Out>{CoordinatesOf(out), in, out, call.in, call.out});
    }
    template <class In, class Out>
    static void backward_data(const plan::Call<B, In, In, Out>& call) {
        const plan::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), in.size * static_cast<std::size_t>(call.images),
             ElementwiseBackward<L, In, Out>{CoordinatesOf(in), in, out, call.site.masks_in, call.in, call.d_out,
                                             call.d_in});
    }
};

template <class B, class L>
struct GatherStage {
    static constexpr plan::Traits traits{};
    static constexpr plan::Needs needs(const plan::Site<B>&) { return {.masks_input = true}; }
    template <class In, class Out>
    static void forward(const plan::Call<B, In, In, Out>& call) {
        const plan::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), out.size * static_cast<std::size_t>(call.images),
             GatherForward<L, In, Out>{CoordinatesOf(out), in, out, call.in, call.masters, call.out});
    }
    template <class In, class Out>
    static void backward_data(const plan::Call<B, In, In, Out>& call) {
        const plan::Layout &in = call.site.in, &out = call.site.out;
        each(call.on.device(), in.size * static_cast<std::size_t>(call.images),
             GatherBackward<L, In, Out>{CoordinatesOf(in), in, out, call.site.masks_in, call.in, call.d_out,
                                        call.masters, call.d_in});
    }
};

/// Parameters keep canonical order, as on the host.
template <class B, class L>
struct GatherStageWithParameters : GatherStage<B, L>, plan::CanonicalParameters<B> {
    static_assert(!StatesStatistics<L> || GatherWithStatistics<L>,
                  "skewgrad: a gather layer's `statistic(in, p, k)` must return the type of p[k], and the layer must "
                  "have a `momentum`");

    static constexpr plan::Needs needs(const plan::Site<B>& site) {
        return {.masters = parameter_size<L>(site.in.shape),
                .canonical = true,
                .masks_input = true,
                .whole_batch = GatherWithStatistics<L>};
    }
    template <class In, class Out>
    static void backward_weights(const plan::Call<B, In, In, Out>& call) {
        for_each_run<L>(call.site.in.shape, [&](Role role, std::size_t first, std::size_t size) {
            if (role == Role::statistic) return move_statistics(call, static_cast<int>(first), size);
            if constexpr (has_trainable_parameters<L>)
                each(call.on.device(), size,
                     GatherWeights<L, In, Out>{call.site.in, call.site.out, call.images, static_cast<int>(first),
                                               call.in, call.d_out, call.masters, call.gradients});
        });
    }

private:
    template <class C>
    static void move_statistics(const C& call, int first, std::size_t size) {
        if constexpr (GatherWithStatistics<L>)
            if (call.pass.statistics == BatchStatistics::batch)
                each(call.on.device(), size,
                     GatherStatistics<L, typename C::InElement>{call.site.in, call.images, first, call.in, call.masters,
                                                                call.gradients});
    }
};

template <class B, class L>
constexpr auto choose_stage() {
    if constexpr (Elementwise<L>)
        return std::type_identity<ElementwiseStage<B, L>>{};
    else if constexpr (GatherWithParameters<L>)
        return std::type_identity<GatherStageWithParameters<B, L>>{};
    else if constexpr (Gather<L> && !has_parameters<L>)
        return std::type_identity<GatherStage<B, L>>{};
    else
        return std::type_identity<plan::NoStage<B, L>>{};
}

/// How a device runs a layer, whatever the policy.
template <class B, class L>
struct GenericStage : decltype(choose_stage<B, L>())::type {};

/// What `plan::lower` asks of a backend about layers. Kernels fuse the rectifier, and no other layer: what a GPU calls
/// must be known when the kernel is compiled.
template <class B>
struct Stages {
    template <class L>
    using Generic = GenericStage<B, L>;
    template <class L>
    static constexpr bool fuses = std::is_same_v<L, Relu>;
    template <class L, class T>
    static constexpr const plan::Epilogue* epilogue = nullptr;
    /// A GPU's caches hold all values of a block, or none: stages run over all images, not in small blocks.
    static constexpr plan::PlanView<B> arrange(plan::PlanView<B> plan) { return plan; }
};

template <class B, int Percent>
struct GenericStage<B, Dropout<Percent>> {
    static constexpr plan::Traits traits{};
    static constexpr plan::Needs needs(const plan::Site<B>&) { return {.masks_input = true}; }
    template <class In, class Out>
    static void forward(const plan::Call<B, In, In, Out>& call) {
        run<In>(call, call.in, call.site.in, call.out, call.site.out, static_cast<const In*>(nullptr));
    }
    template <class In, class Out>
    static void backward_data(const plan::Call<B, In, In, Out>& call) {
        run<In>(call, call.d_out, call.site.out, call.d_in, call.site.in, call.site.masks_in ? call.in : nullptr);
    }

private:
    template <class In, class C, class From, class To>
    static void run(const C& call, const From* from, const plan::Layout& source, To* to, const plan::Layout& target,
                    const In* mask) {
        each(call.on.device(), target.size * static_cast<std::size_t>(call.images),
             Drop<Percent, From, To, In>{CoordinatesOf(target), source, target, call.pass.masks, call.site.node, from,
                                         to, mask});
    }
};

template <class B>
struct GenericStage<B, BatchNorm> : BatchNormStage<B> {};

template <class B>
struct GenericStage<B, Add> {
    static constexpr plan::Traits traits{};
    static constexpr plan::Needs needs(const plan::Site<B>&) { return {}; }
    template <class In, class Second, class Out>
    static void forward(const plan::Call<B, In, Second, Out>& call) {
        each(call.on.device(), call.site.out.size * static_cast<std::size_t>(call.images),
             Join<In, Second, Out>{CoordinatesOf(call.site.out), call.site.in, call.site.second, call.in, call.second,
                                   call.out});
    }
    template <class In, class Second, class Out>
    static void backward_data(const plan::Call<B, In, Second, Out>& call) {
        if (call.d_in) carry(call, call.d_in, call.site.in);
        if (call.d_second) carry(call, call.d_second, call.site.second);
    }

private:
    template <class C, class To>
    static void carry(const C& call, To* to, const plan::Layout& target) {
        using Out = typename C::OutElement;
        each(call.on.device(), target.size * static_cast<std::size_t>(call.images),
             Carry<Out, To>{CoordinatesOf(target), call.site.out, call.d_out, to});
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
