// The programs of a device: what Model, training and attacks call, for one network.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/backend/cuda/kernels/images.hpp>
#include <skewgrad/backend/cuda/passes.hpp>
#include <skewgrad/backend/cuda/product_stage.hpp>
#include <skewgrad/backend/host/lower.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Implements the `Program` concept for one (policy, tape, image): the plan, a constant, handed to the passes.
template <class B, class Tape, Shape Image>
struct Program {
    using Context = typename B::Context;
    using Real = float;
    using Activation = typename B::Activation;
    using R = typename B::Device;
    using Images = cuda::Images<R>;
    using ByteImages = cuda::ByteImages<R>;
    using Workspace = cuda::Workspace<B>;
    template <class O>
    using Training = cuda::Training<O, R>;
    using Parameters = cuda::ParametersOnDevice<B>;

    static constexpr auto lowered = host::lower<B>(Tape{}, Image);
    static constexpr host::PlanView<B> plan = [] {
        auto all = host::view(lowered);
        all.cache_blocked_stages =
            0;  // a GPU's caches hold a chunk's values, or none of them: stages run over all its images
        return all;
    }();
    static constexpr host::Layout logit_layout = lowered.values[static_cast<std::size_t>(lowered.last_value)];
    static_assert(logit_layout.shape.h == 1 && logit_layout.shape.w == 1,
                  "skewgrad: a network's last layer must give one value a class, C x 1 x 1");

    static Bytes bytes(const Context&, Mode mode, int images) {
        return {plan.masters * sizeof(float) + plan.packs * sizeof(Activation), Workspace::bytes(plan, mode, images)};
    }

    static Parameters make_parameters(Context& on) {
        return {on.template zeros<float>(plan.masters), on.template zeros<Activation>(plan.packs)};
    }
    static void import_parameters(Context& on, Parameters& p, std::span<const float> canonical) {
        Passes<B>::import_in_master_layout(plan, canonical, p.masters.data(), on);
        Passes<B>::repack(on, plan, p);
    }
    static void export_parameters(Context& on, const Parameters& p, std::span<float> canonical) {
        Passes<B>::export_in_master_layout(plan, p.masters.data(), canonical, on);
    }
    static void copy_parameters(Context&, const Parameters& from, Parameters& to) {
        to.masters.copy(from.masters);
        to.packs.copy(from.packs);
    }

    static Images make_images(Context& on, int n) { return Images::make(on, plan.values[0], n); }
    static Images copy_images(Context& on, const Images& x) { return x.copy(on); }
    static Images select_images(Context& on, const Images& x, std::span<const std::uint32_t> which) {
        return x.select(on, which);
    }
    static void load(Context& on, std::span<const float> canonical, Images& x) { x.load(on, canonical); }
    static void unload(Context& on, const Images& x, std::span<float> canonical) { x.unload(on, canonical); }
    static ByteImages upload(Context& on, std::shared_ptr<const ImageStore> store) {
        auto there = on.resident(store);
        return {std::move(store), std::move(there)};
    }
    static void gather(Context& on, const ByteImages& bytes, const Batch& batch, Images& x) {
        x.gather(on, bytes, batch);
    }
    static void sign_step(Context& on, Images& x, const Images& origin, const Images& gradient, SignStep step) {
        x.sign_step(on, origin, gradient, step);
    }

    static Workspace make_workspace(Context& on, Mode mode, int images) { return Workspace(on, plan, mode, images); }
    static void logits(Context& on, const Parameters& p, const Images& x, Workspace& own, std::span<float> out) {
        Passes<B>::logits(on, plan, p, x, own, out);
    }
    template <class Loss>
    static void gradient(Context& on, const Parameters& p, const Images& x, std::span<const Label> labels,
                         Workspace& own, Images& dx, std::span<float> logits, std::span<double> losses) {
        Passes<B>::template gradient<Loss>(on, plan, p, x, labels, own, dx, logits, losses);
    }

    template <class O>
    static Training<O> make_training(Context& on, const O& optimiser) {
        return Training<O>(on, optimiser, plan.masters);
    }
    /// One optimiser slot of every parameter, in canonical order: for checkpoints.
    template <class O>
    static void export_slot(Context& on, const Training<O>& training, int slot, std::span<float> canonical) {
        Passes<B>::export_in_master_layout(plan, training.slots.data() + static_cast<std::size_t>(slot) * plan.masters,
                                           canonical, on);
    }
    template <class O>
    static void import_slot(Context& on, Training<O>& training, int slot, std::span<const float> canonical) {
        Passes<B>::import_in_master_layout(plan, canonical,
                                           training.slots.data() + static_cast<std::size_t>(slot) * plan.masters, on);
    }
    template <class Loss, class O>
    static void train_step(Context& on, Parameters& p, const ByteImages& bytes, const Batch& batch, Workspace& own,
                           Training<O>& training, StepState& state) {
        Passes<B>::template train_step<Loss>(on, plan, p, bytes, batch, own, training, state);
    }
    /// Gradient of the mean loss over all images with respect to every parameter, in canonical order, dropout off.
    template <class Loss>
    static void parameter_gradient(Context& on, const Parameters& p, const Images& x, std::span<const Label> labels,
                                   Workspace& own, std::span<float> out) {
        Passes<B>::template parameter_gradient<Loss>(on, plan, p, x, labels, own, out);
    }
    template <class O>
    static void read(Context&, Training<O>& training, StepState& state) {
        training.read(state);
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
