// The operations of host backends (backend/backend.hpp), in terms of the schedule: compiled once a backend.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <utility>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/backend/host/schedule.hpp>
#include <skewgrad/backend/host/space.hpp>
#include <skewgrad/backend/host/stages.hpp>
#include <skewgrad/backend/host/update.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Parameters on a host: masters, and packed copies of them.
template <class B>
struct ParameterBuffers {
    Buffer<typename B::Sum> masters;
    Buffer<typename B::Activation> packs;
};

template <class B>
struct Operations {
    using SpaceType = HostSpace<typename B::Boundary>;
    using Queue = typename SpaceType::Queue;
    using Context = typename B::Context;
    using Real = typename B::Real;
    using Boundary = typename B::Boundary;
    using Sum = typename B::Sum;
    using Plan = plan::PlanView<B>;
    using Parameters = ParameterBuffers<B>;
    using Workspace = host::Workspace<B>;
    template <class O>
    using Training = host::Training<O, Sum>;

    /// True; where the backend cannot run the network, its plan says why in a static_assert.
    template <ANetwork N>
    static constexpr bool runs = sizeof(plan::PlanOf<B, typename N::tape, N::image>) > 0;
    template <ANetwork N>
    static const Plan& plan() {
        return plan::PlanOf<B, typename N::tape, N::image>::plan;
    }

    static Queue queue(const Context& on) { return {on.threads()}; }
    static PixelOrder pixels(const Plan& plan) { return {plan.values[0].shape, plan.values[0].stride_c == 1}; }
    static int classes(const Plan& plan) { return logits_of(plan).shape.c; }
    static bool needs_whole(const Plan& plan, const Pass& pass) { return plan.needs_whole(pass); }
    /// A training batch runs in blocks that stay in a near cache, so that memory does not grow with the batch, unless
    /// the pass needs it whole.
    static int images_at_a_time(const Plan& plan, const Pass& pass, int count) {
        constexpr int training_block = 32;
        return plan.needs_whole(pass) ? count : std::min(count, training_block);
    }

    static Bytes bytes(const Context& on, const Plan& plan, Mode mode, int images) {
        return {plan.masters * sizeof(Sum) + plan.packs * sizeof(typename B::Activation),
                Workspace::bytes(plan, mode, images, on.threads())};
    }
    static Parameters make_parameters(Context&, const Plan& plan) {
        return {Buffer<Sum>(plan.masters), Buffer<typename B::Activation>(plan.packs)};
    }
    static Workspace make_workspace(Context& on, const Plan& plan, Mode mode, int images) {
        return Workspace(plan, mode, images, on.threads());
    }
    template <class O>
    static Training<O> make_training(Context&, const Plan& plan, const O& optimiser) {
        return Training<O>(optimiser, plan.masters);
    }

    static void copy_parameters(Context& on, const Plan& plan, const Parameters& from, Parameters& to) {
        std::copy_n(from.masters.data(), plan.masters, to.masters.data());
        repack(on, plan, to.masters.data(), to.packs.data());
    }
    static void import_parameters(Context& on, const Plan& plan, Parameters& p, std::span<const Real> canonical) {
        import_masters(plan, canonical, p.masters.data());
        repack(on, plan, p.masters.data(), p.packs.data());
    }
    static void export_parameters(Context&, const Plan& plan, const Parameters& p, std::span<Real> canonical) {
        export_masters(plan, p.masters.data(), canonical);
    }
    template <class O>
    static void export_gradients(Context&, const Plan& plan, const Training<O>& training, std::span<Real> canonical) {
        export_masters(plan, training.gradients.data(), canonical);
    }
    /// One optimiser slot of every parameter, in canonical order: for checkpoints.
    template <class O>
    static void export_slot(Context&, const Plan& plan, const Training<O>& training, int slot,
                            std::span<Real> canonical) {
        export_masters(plan, training.slots.data() + static_cast<std::size_t>(slot) * plan.masters, canonical);
    }
    template <class O>
    static void import_slot(Context&, const Plan& plan, Training<O>& training, int slot,
                            std::span<const Real> canonical) {
        import_masters(plan, canonical, training.slots.data() + static_cast<std::size_t>(slot) * plan.masters);
    }

    static void forward(Context& on, const Plan& plan, const Parameters& p, const Boundary* x, int count,
                        Workspace& own, const Pass& pass, Visit<SpaceType> visit) {
        run(on, plan, p, x, count, own, pass, visit, Way::forward, nullptr, nullptr);
    }
    static void differentiate(Context& on, const Plan& plan, const Parameters& p, const Boundary* x, int count,
                              Workspace& own, const Pass& pass, Visit<SpaceType> visit, Boundary* dx) {
        run(on, plan, p, x, count, own, pass, visit, Way::back, dx, nullptr);
    }
    template <class O>
    static void differentiate(Context& on, const Plan& plan, const Parameters& p, const Boundary* x, int count,
                              Workspace& own, const Pass& pass, Visit<SpaceType> visit, Boundary* dx,
                              Training<O>& training) {
        run(on, plan, p, x, count, own, pass, visit, Way::back, dx, training.gradients.data());
    }
    template <class O, class Step>
    static void update(Context& on, const Plan& plan, Parameters& p, Training<O>& training, const Step* step,
                       const StepState* state) {
        if (state->failed()) {
            std::fill_n(training.gradients.data(), training.size, Sum{});
            return;
        }
        host::update(on.threads(), plan, training, *step, p.masters.data());
        repack(on, plan, p.masters.data(), p.packs.data());
    }

private:
    enum class Way { forward, back };

    static const plan::Layout& logits_of(const Plan& plan) {
        return plan.values[static_cast<std::size_t>(plan.last_value)];
    }
    static void import_masters(const Plan& plan, std::span<const Real> canonical, Sum* masters) {
        for (const plan::Site<B>& site : plan.sites)
            if (site.needs.masters > 0)
                site.ops->import_parameters(site, canonical.data() + site.canonical_offset,
                                            masters + site.master_offset);
    }
    static void export_masters(const Plan& plan, const Sum* masters, std::span<Real> canonical) {
        for (const plan::Site<B>& site : plan.sites)
            if (site.needs.masters > 0)
                site.ops->export_parameters(site, masters + site.master_offset,
                                            canonical.data() + site.canonical_offset);
    }

    /// Block after block of as many images as the workspace holds: forward, visit, and back where that is wanted.
    static void run(Context& on, const Plan& plan, const Parameters& p, const Boundary* x, int count, Workspace& own,
                    const Pass& pass, Visit<SpaceType> visit, Way way, Boundary* dx, Sum* gradients) {
        const plan::Layout& logits = logits_of(plan);
        const std::size_t image = plan.values[0].size;
        const int classes = logits.shape.c, stride = static_cast<int>(logits.size);
        const int most = own.images() / pass.views;
        assert(!plan.needs_whole(pass) || (count <= most && own.mode() == Mode::train));
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        for (int first = 0; first < count; first += most) {
            const int picks = std::min(most, count - first), images = picks * pass.views;
            plan::BlockPass how{
                .statistics = pass.statistics, .views = pass.views, .needs_whole = plan.needs_whole(pass)};
            if (pass.draws) how.masks = {pass.draws, pass.picks + first, picks};
            const Boundary* from = x + static_cast<std::size_t>(first) * image;
            const Boundary* z = schedule.forward(from, images, how);
            if (way == Way::forward) {
                visit(queue(on), {first, picks, {z, classes, stride}, {}});
                continue;
            }
            Boundary* dz = static_cast<Boundary*>(own.gradient(plan.last_value));
            visit(queue(on), {first, picks, {z, classes, stride}, {dz, classes, stride}});
            schedule.backward(from, images, how, gradients,
                              dx ? dx + static_cast<std::size_t>(first) * image : nullptr);
        }
    }
};

}  // namespace SKEWGRAD_NAMESPACE::host
