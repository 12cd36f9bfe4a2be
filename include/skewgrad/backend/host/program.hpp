// The programs of a host backend: what Model, training and attacks call, for one network.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <skewgrad/backend/host/passes.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Implements the `Program` concept for one (backend, tape, image): the plan, a constant, handed to the passes.
template <class B, class Tape, Shape Image>
struct Program {
    using Context = typename B::Context;
    using Real = typename B::Real;
    using Activation = typename B::Activation;
    using Sum = typename B::Sum;
    using Images = host::Images<typename B::Boundary>;
    using ByteImages = host::ByteImages;
    using Workspace = host::Workspace<B>;
    template <class O>
    using Training = host::Training<O, Sum>;
    using Parameters = host::ParameterBuffers<B>;

    static constexpr auto lowered = lower<B>(Tape{}, Image);
    static constexpr PlanView<B> plan = view(lowered);
    static constexpr Layout logit_layout = lowered.values[static_cast<std::size_t>(lowered.last_value)];
    static constexpr int classes = logit_layout.shape.c;
    static_assert(logit_layout.shape.h == 1 && logit_layout.shape.w == 1,
                  "skewgrad: a network's last layer must give one value a class, C x 1 x 1");

    static Bytes bytes(const Context& on, Mode mode, int images) {
        return {plan.masters * sizeof(Sum) + plan.packs * sizeof(Activation),
                Workspace::bytes(plan, mode, block_of(mode, images), on.threads())};
    }

    static Parameters make_parameters(Context&) { return {Buffer<Sum>(plan.masters), Buffer<Activation>(plan.packs)}; }
    static void import_parameters(Context& on, Parameters& p, std::span<const Real> canonical) {
        Passes<B>::import_parameters(on, plan, p, canonical);
    }
    static void export_parameters(Context&, const Parameters& p, std::span<Real> canonical) {
        Passes<B>::export_in_master_layout(plan, p.masters.data(), canonical);
    }
    static void copy_parameters(Context& on, const Parameters& from, Parameters& to) {
        Passes<B>::copy_parameters(on, plan, from, to);
    }

    static Images make_images(Context&, int n) { return Passes<B>::make_images(plan, n); }
    static Images copy_images(Context& on, const Images& x) { return Passes<B>::copy_images(on, x); }
    static Images select_images(Context& on, const Images& x, std::span<const std::uint32_t> which) {
        return Passes<B>::select_images(on, x, which);
    }
    static void load(Context& on, std::span<const Real> canonical, Images& x) {
        host::load<Real>(on.threads(), canonical, x);
    }
    static void unload(Context& on, const Images& x, std::span<Real> canonical) {
        host::unload<Real>(on.threads(), x, canonical);
    }
    static ByteImages upload(Context&, std::shared_ptr<const ImageStore> store) { return {std::move(store)}; }
    static void gather(Context& on, const ByteImages& bytes, const Batch& batch, Images& x) {
        host::gather(on.threads(), *bytes.store, batch, x.layout, x.memory.data());
    }
    static void sign_step(Context& on, Images& x, const Images& origin, const Images& gradient, SignStep step) {
        Passes<B>::sign_step(on, x, origin, gradient, step);
    }

    static Workspace make_workspace(Context& on, Mode mode, int images) {
        return Workspace(plan, mode, block_of(mode, images), on.threads());
    }
    static void logits(Context& on, const Parameters& p, const Images& x, Workspace& own, std::span<Real> out) {
        Passes<B>::logits(on, plan, p, x, own, out);
    }
    template <class Loss>
    static void gradient(Context& on, const Parameters& p, const Images& x, std::span<const Label> labels,
                         Workspace& own, Images& dx, std::span<Real> logits, std::span<double> losses) {
        Passes<B>::template gradient<Loss>(on, plan, p, x, labels, own, dx, logits, losses);
    }

    template <class O>
    static Training<O> make_training(Context&, const O& optimiser) {
        return Training<O>(optimiser, plan.masters);
    }
    /// One optimiser slot of every parameter, in canonical order: for checkpoints.
    template <class O>
    static void export_slot(Context&, const Training<O>& training, int slot, std::span<Real> canonical) {
        Passes<B>::export_in_master_layout(plan, training.slots.data() + static_cast<std::size_t>(slot) * plan.masters,
                                           canonical);
    }
    template <class O>
    static void import_slot(Context&, Training<O>& training, int slot, std::span<const Real> canonical) {
        Passes<B>::import_in_master_layout(plan, canonical,
                                           training.slots.data() + static_cast<std::size_t>(slot) * plan.masters);
    }
    template <class Loss, class O>
    static void train_step(Context& on, Parameters& p, const ByteImages& bytes, const Batch& batch, Workspace& own,
                           Training<O>& training, StepState& state) {
        Passes<B>::template train_step<Loss>(on, plan, p, *bytes.store, batch, own, training, state);
    }
    /// Gradient of the mean loss over all images with respect to every parameter, in canonical order, dropout off. The
    /// workspace is one for training.
    template <class Loss>
    static void parameter_gradient(Context& on, const Parameters& p, const Images& x, std::span<const Label> labels,
                                   Workspace& own, std::span<Real> out) {
        Passes<B>::template parameter_gradient<Loss>(on, plan, p, x, labels, own, out);
    }
    template <class O>
    static void read(Context&, Training<O>&, StepState&) {}

private:
    // A training batch of any size runs through a workspace of this many images.
    static constexpr int training_block = 32;
    static constexpr int block_of(Mode mode, int images) {
        return mode == Mode::train ? std::min(images, training_block) : images;
    }
};

}  // namespace SKEWGRAD_NAMESPACE::host
