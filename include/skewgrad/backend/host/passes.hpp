// The passes of a host backend, in terms of the given schedule: compiled once a backend, whatever network runs.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include <skewgrad/backend/host/images.hpp>
#include <skewgrad/backend/host/schedule.hpp>
#include <skewgrad/backend/host/update.hpp>
#include <skewgrad/core/finite.hpp>
#include <skewgrad/nn/prediction.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Loss and its gradient for a block of logits, per image; `scale` multiplies the gradient. Images in order.
template <class Loss, class Boundary>
void loss_gradient(const Layout& layout, const Boundary* z, std::span<const Label> labels, double scale, Boundary* dz,
                   std::span<double> losses) {
    clear_padding(layout, dz, static_cast<int>(labels.size()));
    for (std::size_t n = 0; n < labels.size(); ++n)
        losses[n] = Loss::gradient(z + n * layout.size, layout.shape.c, labels[n], scale, dz + n * layout.size);
}

/// A network's parameters on a host backend: masters, and packed copies of them.
template <class B>
struct ParameterBuffers {
    Buffer<typename B::Sum> masters;
    Buffer<typename B::Activation> packs;
};

/// What `Program` promises, on a plan whose length is no part of a type.
template <class B>
struct Passes {
    using Context = typename B::Context;
    using Real = typename B::Real;
    using Boundary = typename B::Boundary;
    using Sum = typename B::Sum;
    using Plan = PlanView<B>;
    using Images = host::Images<Boundary>;
    using Workspace = host::Workspace<B>;
    using Parameters = host::ParameterBuffers<B>;

    static void import_parameters(Context& on, const Plan& plan, Parameters& p, std::span<const Real> canonical) {
        import_in_master_layout(plan, canonical, p.masters.data());
        repack(on, plan, p.masters.data(), p.packs.data());
    }
    static void copy_parameters(Context& on, const Plan& plan, const Parameters& from, Parameters& to) {
        std::copy_n(from.masters.data(), plan.masters, to.masters.data());
        repack(on, plan, to.masters.data(), to.packs.data());
    }

    static Images make_images(const Plan& plan, int n) {
        return {plan.values[0], n, Buffer<Boundary>(plan.values[0].size * static_cast<std::size_t>(n))};
    }
    // Padding is copied, too.
    static Images copy_images(Context& on, const Images& x) {
        Images copy{x.layout, x.count,
                    Buffer<Boundary>(x.layout.size * static_cast<std::size_t>(x.count), Fill::unset)};
        parallel_for(on.threads(), x.count, [&](int n) { std::copy_n(x.at(n), x.layout.size, copy.at(n)); });
        return copy;
    }
    static Images select_images(Context& on, const Images& x, std::span<const std::uint32_t> which) {
        const int count = static_cast<int>(which.size());
        Images some{x.layout, count, Buffer<Boundary>(x.layout.size * which.size(), Fill::unset)};
        parallel_for(on.threads(), count, [&](int n) {
            std::copy_n(x.at(static_cast<int>(which[static_cast<std::size_t>(n)])), x.layout.size, some.at(n));
        });
        return some;
    }
    static void sign_step(Context& on, Images& x, const Images& origin, const Images& gradient, SignStep step) {
        parallel_for(on.threads(), x.count,
                     [&](int n) { host::sign_step(x.at(n), origin.at(n), gradient.at(n), x.layout.size, step); });
    }

    static void logits(Context& on, const Plan& plan, const Parameters& p, const Images& x, Workspace& own,
                       std::span<Real> out) {
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        for (int first = 0; first < x.count; first += own.images()) {
            const int images = std::min(own.images(), x.count - first);
            copy_logits(plan, schedule.forward(x.at(first), images, Mode::evaluate), first, images, out);
        }
    }
    template <class Loss>
    static void gradient(Context& on, const Plan& plan, const Parameters& p, const Images& x,
                         std::span<const Label> labels, Workspace& own, Images& dx, std::span<Real> logits,
                         std::span<double> losses) {
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        for (int first = 0; first < x.count; first += own.images()) {
            const int images = std::min(own.images(), x.count - first);
            const Boundary* z = schedule.forward(x.at(first), images, Mode::attack);
            const auto at = static_cast<std::size_t>(first), count = static_cast<std::size_t>(images);
            loss_gradient<Loss>(logit_layout(plan), z, labels.subspan(at, count), 1.0, logit_gradient(plan, own),
                                own.losses());
            for (std::size_t n = 0; n < count && !losses.empty(); ++n) losses[at + n] = own.losses()[n];
            copy_logits(plan, z, first, images, logits);
            schedule.backward(x.at(first), images, Mode::attack, nullptr, nullptr, dx.at(first));
        }
    }

    template <class Loss, class O>
    static void train_step(Context& on, const Plan& plan, Parameters& p, const ImageStore& store, const Batch& batch,
                           Workspace& own, Training<O, Sum>& training, StepState& state) {
        const Layout& logits = logit_layout(plan);
        const auto count = batch.picks.size();
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        double sum = 0;
        std::uint64_t right = 0;
        // Block after block, so that what one needs stays in a near cache, and memory does not grow with the batch.
        for (std::size_t first = 0; first < count; first += static_cast<std::size_t>(own.images())) {
            Batch block = batch;
            block.picks = batch.picks.subspan(first, std::min(count - first, static_cast<std::size_t>(own.images())));
            const int images = static_cast<int>(block.picks.size());
            const std::span<Label> labels = own.labels().first(block.picks.size());
            std::ranges::transform(block.picks, labels.begin(),
                                   [&](const Pick& pick) { return store.labels[pick.item]; });
            host::gather(on.threads(), store, block, plan.values[0], own.batch());
            const Boundary* z = schedule.forward(own.batch(), images, Mode::train, &block);
            loss_gradient<Loss>(logits, z, labels, 1.0 / static_cast<double>(count), logit_gradient(plan, own),
                                own.losses());
            const auto classes = static_cast<std::size_t>(logits.shape.c);
            for (std::size_t n = 0; n < labels.size(); ++n) {
                sum += own.losses()[n];
                right += correct(prediction_of(std::span<const Boundary>(z + n * logits.size, classes)), labels[n]);
            }
            if (!finite_bits(sum)) {
                std::fill_n(training.gradients.data(), training.size, Sum{});
                state.first_non_finite = std::min(state.first_non_finite, state.updates);
                return;
            }
            schedule.backward(own.batch(), images, Mode::train, &block, training.gradients.data(), nullptr);
        }
        update(on.threads(), plan, training, state.updates, p.masters.data());
        repack(on, plan, p.masters.data(), p.packs.data());
        state.updates += 1;
        state.images += count;
        state.correct += right;
        state.loss_sum += sum;
    }
    /// Gradient of the mean loss over all images with respect to every parameter, in canonical order, dropout off. The
    /// workspace is one for training.
    template <class Loss>
    static void parameter_gradient(Context& on, const Plan& plan, const Parameters& p, const Images& x,
                                   std::span<const Label> labels, Workspace& own, std::span<Real> out) {
        assert(own.mode() == Mode::train);  // others do not keep what gradients of parameters read
        const Layout& logits = logit_layout(plan);
        Buffer<Sum> total(plan.masters);
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        for (int first = 0; first < x.count; first += own.images()) {
            const int images = std::min(own.images(), x.count - first);
            const Boundary* z = schedule.forward(x.at(first), images, Mode::attack);
            loss_gradient<Loss>(logits, z,
                                labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(images)),
                                1.0 / x.count, logit_gradient(plan, own), own.losses());
            schedule.backward(x.at(first), images, Mode::attack, nullptr, total.data(), nullptr);
        }
        export_in_master_layout(plan, total.data(), out);
    }

    static void import_in_master_layout(const Plan& plan, std::span<const Real> canonical, Sum* masters) {
        for (const Site<B>& site : plan.sites)
            if (site.master_size > 0)
                site.ops->import_parameters(site, canonical.data() + site.canonical_offset,
                                            masters + site.master_offset);
    }
    static void export_in_master_layout(const Plan& plan, const Sum* masters, std::span<Real> canonical) {
        for (const Site<B>& site : plan.sites)
            if (site.master_size > 0)
                site.ops->export_parameters(site, masters + site.master_offset,
                                            canonical.data() + site.canonical_offset);
    }

private:
    static Boundary* logit_gradient(const Plan& plan, Workspace& own) {
        return static_cast<Boundary*>(own.gradient(plan.last_value));
    }
    static const Layout& logit_layout(const Plan& plan) {
        return plan.values[static_cast<std::size_t>(plan.last_value)];
    }
    static void copy_logits(const Plan& plan, const Boundary* z, int first, int images, std::span<Real> out) {
        if (out.empty()) return;
        const Layout& logits = logit_layout(plan);
        const int classes = logits.shape.c;
        for (int n = 0; n < images; ++n)
            for (int k = 0; k < classes; ++k)
                out[static_cast<std::size_t>((first + n) * classes + k)] =
                    static_cast<Real>(z[static_cast<std::size_t>(n) * logits.size + static_cast<std::size_t>(k)]);
    }
};

}  // namespace SKEWGRAD_NAMESPACE::host
