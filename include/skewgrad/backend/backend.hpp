// The contract of backends: networks forward, gradients back, parameters updated. Nothing above it knows a layout, a
// thread or a schedule; nothing below it knows a loss, an attack or what a training step is made of.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <skewgrad/backend/pass.hpp>
#include <skewgrad/backend/space.hpp>
#include <skewgrad/nn/network.hpp>
#include <skewgrad/nn/optimisers.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Bytes that a network needs on a backend.
struct Bytes {
    std::size_t parameters = 0;  ///< masters and packed copies
    std::size_t workspace = 0;   ///< values, gradients and scratch for the number of images asked about
};

namespace probe {

struct OptimiserLike {
    static constexpr const char* name = "probe";
    static constexpr int slots = 1;
    static constexpr float slot_start = 0;
    static constexpr auto fields = names();
    struct Step {
        template <class V>
        SKEWGRAD_FN void operator()(V&, V, V*) const {}
    };
    template <class>
    Step at(std::uint64_t) const {
        return {};
    }
};

}  // namespace probe

/// The functions of a backend B (`B::Operations`). All take the network as a `Plan`, a constant that names no type:
/// they are compiled once a backend, and only `plan<N>()` depends on the network.
///
/// Parameters  masters in f32 and packed copies, in any layout; owned by a Model, changed by import, copy and update
///             alone. Packed copies follow at once. Canonical order (PyTorch's) at import and export only.
/// Workspace   memory of one pass at a time, for a Mode and a number of images (views counted). A pass may overwrite
///             what an earlier one left.
/// Training<O> gradients (zero between steps, also after a step that `update` refused) and the slots of optimiser O;
///             owned by a session.
/// x, dx       the caller's: `count * views` images in the order `pixels(plan)`. They overlap neither each other nor
///             memory of the backend. dx is overwritten; parameters' gradients are added to. Both stay where they are
///             until the work is done (in a recording: as long as it may be replayed).
/// step, state the caller's, in the space's memory: the optimiser's step of this update, the sums of the step.
///
/// `forward` and `differentiate` run the images in blocks of the backend's choice, each from the image to the logits
/// and back. With running statistics an image's logits and dx depend on no other image and on no block. Where a pass
/// `needs_whole` (several views, or batch statistics and a layer that takes them) all picks are one block: the
/// workspace must have room for them and be one for training.
/// `forward`, `differentiate` and `update` may be recorded: they neither allocate nor wait.
template <class P>
concept BackendOperations =
    Space<typename P::SpaceType> &&
    requires(typename P::Context& on, const typename P::Plan& plan, typename P::Parameters& p,
             const typename P::Parameters& fixed, typename P::Workspace& own,
             typename P::template Training<probe::OptimiserLike>& training, const typename P::SpaceType::Real* x,
             typename P::SpaceType::Real* dx, int count, Mode mode, const Pass& pass,
             Visit<typename P::SpaceType> visit, std::span<const typename P::SpaceType::Real> in,
             std::span<typename P::SpaceType::Real> out, const probe::OptimiserLike::Step* step,
             const StepState* state) {
        { P::queue(on) } -> std::same_as<typename P::SpaceType::Queue>;
        { P::pixels(plan) } -> std::same_as<PixelOrder>;
        { P::classes(plan) } -> std::convertible_to<int>;
        { P::needs_whole(plan, pass) } -> std::convertible_to<bool>;
        { P::images_at_a_time(plan, pass, count) } -> std::convertible_to<int>;  // picks of a training block
        // Recordable.
        P::forward(on, plan, fixed, x, count, own, pass, visit);
        P::differentiate(on, plan, fixed, x, count, own, pass, visit, dx);            // dx = J(x)^T dz
        P::differentiate(on, plan, fixed, x, count, own, pass, visit, dx, training);  // dx null: parameters alone
        P::update(on, plan, p, training, step, state);  // parameters step, statistics move, packed copies follow
        // Not recordable.
        { P::bytes(on, plan, mode, count) } -> std::same_as<Bytes>;
        { P::make_parameters(on, plan) } -> std::same_as<typename P::Parameters>;
        { P::make_workspace(on, plan, mode, count) } -> std::same_as<typename P::Workspace>;
        {
            P::make_training(on, plan, probe::OptimiserLike{})
        } -> std::same_as<typename P::template Training<probe::OptimiserLike>>;
        P::copy_parameters(on, plan, fixed, p);  // keeping the best weights costs one copy where they are
        P::import_parameters(on, plan, p, in);
        P::export_parameters(on, plan, fixed, out);
        P::export_gradients(on, plan, training, out);
        P::export_slot(on, plan, training, 0, out);
        P::import_slot(on, plan, training, 0, in);
    };

/// A backend is a policy type such as Cpu<f32>: it names its context, its element type and its operations.
template <class B>
concept Backend = requires(typename B::Context& on, int jobs) {
    requires std::movable<typename B::Context>;  // thread team, or device, stream and library handles; default-made
    typename B::Real;                            // of images and logits: float, or double for Reference<double>
    requires BackendOperations<typename B::Operations>;
    { B::name() } -> std::convertible_to<std::string>;         // kind and precision, e.g. "cpu-f32"
    { on.description() } -> std::convertible_to<std::string>;  // instruction set or device: goes into run records
    { on.threads() } -> std::convertible_to<int>;
    { on.share(jobs) } -> std::same_as<typename B::Context>;  // for one of `jobs` that work at once; the same bits
    { on.jobs() } -> std::convertible_to<int>;                // that train models fastest where there are many
    on.wait();  // until all work given to this context is done; only functions that return host arrays call it
};

}  // namespace SKEWGRAD_NAMESPACE
