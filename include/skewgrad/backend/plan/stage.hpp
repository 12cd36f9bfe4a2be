// A stage: one kernel's worth of the tape on a backend, and its functions behind one signature.
#pragma once
#include <concepts>
#include <type_traits>

#include <skewgrad/backend/plan/call.hpp>
#include <skewgrad/nn/layer.hpp>

namespace SKEWGRAD_NAMESPACE::plan {

/// How backend B runs one layer:
///
///     static constexpr Traits traits{...};
///     static constexpr Needs needs(const Site<B>&);
///     static void forward(const Call<...>&), backward_data(const Call<...>&);
///
/// and where the layer has parameters `backward_weights(const Call<...>&)`, `import_parameters(site, canonical,
/// masters)` and `export_parameters(site, masters, canonical)`; where `traits.repacks`, `repack(on, site, masters,
/// packs)`. Functions take the Calls of the elements that they are for.
///
/// The primary template is the backend's own for any layer (`B::Stages`). Backends, and users who want more speed for a
/// layer of theirs, specialise it.
template <class B, class Layer>
struct Stage : B::Stages::template Generic<Layer> {};

/// The stage of a layer that a backend cannot run: one readable error.
template <class B, class L>
struct NoStage {
    static_assert(
        !std::is_same_v<L, L>,
        "skewgrad: this backend cannot run this layer: the layer is neither element-wise (value, slope) nor in "
        "gather form (value, input_gradient[, parameter_gradient]), and plan::Stage<Backend, Layer> is not "
        "specialised for it");
};

/// A stage's functions as the schedule calls them. Null where there is nothing to do: no parameters, no packed copies.
template <class B>
struct Ops {
    using Real = typename B::Real;
    using Sum = typename B::Sum;
    void (*import_parameters)(const Site<B>&, const Real* canonical, Sum* masters) = nullptr;
    void (*export_parameters)(const Site<B>&, const Sum* masters, Real* canonical) = nullptr;
    void (*repack)(typename B::Context&, const Site<B>&, const Sum* masters, typename B::Activation* packs) = nullptr;
    void (*forward)(const AnyCall<B>&) = nullptr;
    void (*backward_data)(const AnyCall<B>&) = nullptr;
    void (*backward_weights)(const AnyCall<B>&) = nullptr;
};

/// A stage's functions for values of certain elements, behind the one signature that the schedule knows.
template <class B, class S, class In, class Second, class Out>
struct Typed {
    static void forward(const AnyCall<B>& call) { S::forward(call.template of<In, Second, Out>()); }
    static void backward_data(const AnyCall<B>& call) { S::backward_data(call.template of<In, Second, Out>()); }
    static void backward_weights(const AnyCall<B>& call) { S::backward_weights(call.template of<In, Second, Out>()); }
};

template <class S, class B>
concept StatesItsNeeds = requires(const Site<B>& site) {
    { S::traits } -> std::convertible_to<Traits>;
    { S::needs(site) } -> std::same_as<Needs>;
};

template <class B, class Layer, class In, class Second, class Out>
inline constexpr Ops<B> ops_of = [] {
    using S = Stage<B, Layer>;
    static_assert(StatesItsNeeds<S, B>,
                  "skewgrad: a Stage states `static constexpr plan::Traits traits` and `static constexpr plan::Needs "
                  "needs(const plan::Site<B>&)`");
    using Run = Typed<B, S, In, Second, Out>;
    Ops<B> ops;
    ops.forward = &Run::forward;
    ops.backward_data = &Run::backward_data;
    if constexpr (has_parameters<Layer>) {
        ops.import_parameters = &S::import_parameters;
        ops.export_parameters = &S::export_parameters;
        ops.backward_weights = &Run::backward_weights;
    }
    if constexpr (S::traits.repacks) ops.repack = &S::repack;
    return ops;
}();

}  // namespace SKEWGRAD_NAMESPACE::plan
