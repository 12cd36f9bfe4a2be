// The contract: what a backend owes. Above it nobody knows a layout, an address space, a thread or a schedule.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/core/shape.hpp>
#include <skewgrad/data/batches.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/nn/losses.hpp>
#include <skewgrad/nn/optimisers.hpp>
#include <skewgrad/nn/tape.hpp>

namespace SKEWGRAD_NAMESPACE {

/// What a pass is for. evaluate: logits only. attack: logits and input gradient, no weight gradient, no dropout.
/// train: everything, dropout on.
enum class Mode : std::uint8_t { evaluate, attack, train };

/// One sign step on images: x <- clip(project(x + alpha sign(g))).
struct SignStep {
    float alpha = 0;                                        ///< signed: minus descends
    float radius = std::numeric_limits<float>::infinity();  ///< of the L-infinity ball around the origin
    bool clip = true;                                       ///< to [0, 1]
    float at_zero = 0;                                      ///< what sign(0) is: 0 or 1
};

/// A training batch: which images of a store, in what order, and what its draws are keyed on.
struct Batch {
    std::span<const Pick> picks{};
    std::uint32_t epoch = 0;
    Seed seed{};
    bool flips = false;  ///< mirror the images that `flipped` says
};

/// What changes from step to step. On a device it lives in device memory, so that a captured graph can be replayed;
/// `Program::read` brings it back, waiting for the steps. Sums run over the steps since it was last cleared.
struct StepState {
    std::uint64_t updates = 0;  ///< made so far: the t of learning-rate schedules
    std::uint64_t images = 0;   ///< trained on
    std::uint64_t correct = 0;  ///< of them, classified rightly in the training pass (dropout on)
    double loss_sum = 0;        ///< over images, in their order
    std::uint64_t first_non_finite = std::numeric_limits<std::uint64_t>::max();  ///< update whose loss was not finite
    bool finite() const { return first_non_finite == std::numeric_limits<std::uint64_t>::max(); }
};

/// Bytes a program needs, as the backend counts them.
struct Bytes {
    std::size_t parameters = 0;  ///< masters and packed copies
    std::size_t workspace = 0;   ///< values, gradients and scratch for the number of images asked about
};

/// A backend is a policy type such as Cpu<f32>.
template <class B>
concept Backend = requires(typename B::Context& on, int jobs) {
    requires std::movable<typename B::Context>;  // thread team, or device, stream and library handles; default-made
    typename B::Real;                            // boundary element: float, or double for Reference<double>
    { B::name() } -> std::convertible_to<std::string>;         // precision and kind, e.g. "cpu-f32"
    { on.description() } -> std::convertible_to<std::string>;  // instruction set or device: goes into run records
    { on.threads() } -> std::convertible_to<int>;
    { on.share(jobs) } -> std::same_as<typename B::Context>;  // for one of `jobs` that work at once; the same bits
    { on.jobs() } -> std::convertible_to<int>;                // that train models fastest where there are many
    on.wait();  // until all work given to this context is done; only functions that return host arrays call it
};

/// How a backend runs one tape on one image shape. All calls but those that fill host spans may return early; work
/// given to one context is done in order. Programs hold no state: a `const Parameters` with two workspaces and two
/// contexts may be evaluated from two threads.
///
/// Parameters  masters in f32 and packed copies, in any layout. Canonical order (PyTorch's) at import and export only.
/// Images      n images in the backend's form, f32 (or Real): what attacks keep on the backend.
/// ByteImages  a whole data set of bytes, resident where training gathers from it.
/// Workspace   what a pass over at most `images()` images needs, sums' lanes and scratch included.
/// Training<O> gradients and the slots of optimiser O; belongs to a training session.
///
/// Any number of images may be given to `logits` and `gradient`: they run in chunks of the workspace, and an image's
/// results do not depend on the others of its chunk.
template <class P>
concept Program =
    requires(typename P::Context& on, typename P::Parameters& parameters, const typename P::Parameters& fixed,
             typename P::Images& x, const typename P::Images& x0, const typename P::ByteImages& bytes,
             typename P::Workspace& own, typename P::template Training<RmsProp>& training, StepState& state,
             Batch batch, std::span<typename P::Real> out, std::span<const typename P::Real> in,
             std::span<const Label> labels, std::span<double> losses, std::span<const std::uint32_t> which, int n) {
        { P::bytes(on, Mode::train, n) } -> std::same_as<Bytes>;
        // Parameters and state.
        { P::make_parameters(on) } -> std::same_as<typename P::Parameters>;
        P::import_parameters(on, parameters, in);
        P::export_parameters(on, fixed, out);
        P::copy_parameters(on, fixed, parameters);  // keeping the best weights costs one copy on the backend
        // Images: canonical N x C x H x W on the host side.
        { P::make_images(on, n) } -> std::same_as<typename P::Images>;
        { P::copy_images(on, x0) } -> std::same_as<typename P::Images>;
        { P::select_images(on, x0, which) } -> std::same_as<typename P::Images>;  // those at the positions `which`
        P::load(on, in, x);
        P::unload(on, x0, out);
        { P::upload(on, std::shared_ptr<const ImageStore>{}) } -> std::same_as<typename P::ByteImages>;
        P::gather(on, bytes, batch, x);  // bytes to images, flips included
        // Passes. Logits and losses may be asked for or not (empty spans).
        { P::make_workspace(on, Mode::train, n) } -> std::same_as<typename P::Workspace>;
        P::logits(on, fixed, x0, own, out);
        P::template gradient<CrossEntropy>(on, fixed, x0, labels, own, x, out, losses);  // into x; out: logits
        P::sign_step(on, x, x0, x0, SignStep{});                                         // images, origin, gradient
        // Training: forward, loss, backward, fixed-order sums, update, repack. Skips the update of a non-finite loss.
        P::make_training(on, RmsProp{});
        P::export_slot(on, training, 0, out);
        P::import_slot(on, training, 0, in);
        P::template train_step<CrossEntropy>(on, parameters, bytes, batch, own, training, state);
        P::template parameter_gradient<CrossEntropy>(on, fixed, x0, labels, own, out);  // of the mean loss, canonical
        P::read(on, training, state);
    };

}  // namespace SKEWGRAD_NAMESPACE
