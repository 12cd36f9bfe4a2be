// The operations of a device's backend (backend/backend.hpp), in terms of its schedule: compiled once a policy.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/backend/cuda/product_stage.hpp>
#include <skewgrad/backend/cuda/schedule.hpp>
#include <skewgrad/backend/cuda/space.hpp>
#include <skewgrad/backend/cuda/training.hpp>
#include <skewgrad/backend/plan/plan_view.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Parameters on a device: masters, and packed copies of them.
template <class B>
struct ParametersOnDevice {
    Memory<float, typename B::Device> masters;
    Memory<typename B::Activation, typename B::Device> packs;
};

template <class B>
struct Operations {
    using R = typename B::Device;
    using SpaceType = DeviceSpace<R>;
    using Context = typename B::Context;
    using Activation = typename B::Activation;
    using Plan = plan::PlanView<B>;
    using Parameters = ParametersOnDevice<B>;
    using Workspace = cuda::Workspace<B>;
    template <class O>
    using Training = cuda::Training<O, R>;

    /// True; where the backend cannot run the network, its plan says why in a static_assert.
    template <ANetwork N>
    static constexpr bool runs = sizeof(plan::PlanOf<B, typename N::tape, N::image>) > 0;
    template <ANetwork N>
    static const Plan& plan() {
        return plan::PlanOf<B, typename N::tape, N::image>::plan;
    }

    static Context queue(const Context& on) { return on; }
    static PixelOrder pixels(const Plan& plan) { return {plan.values[0].shape, true}; }
    static int classes(const Plan& plan) { return logits_of(plan).shape.c; }
    static bool needs_whole(const Plan& plan, const Pass& pass) { return plan.needs_whole(pass); }
    /// A whole batch: more images fill a GPU better.
    static int images_at_a_time(const Plan&, const Pass&, int count) { return count; }

    static Bytes bytes(const Context&, const Plan& plan, Mode mode, int images) {
        return {plan.masters * sizeof(float) + plan.packs * sizeof(Activation), Workspace::bytes(plan, mode, images)};
    }
    static Parameters make_parameters(Context& on, const Plan& plan) {
        return {on.template zeros<float>(plan.masters), on.template zeros<Activation>(plan.packs)};
    }
    static Workspace make_workspace(Context& on, const Plan& plan, Mode mode, int images) {
        return Workspace(on, plan, mode, images);
    }
    template <class O>
    static Training<O> make_training(Context& on, const Plan& plan, const O& optimiser) {
        return Training<O>(on, optimiser, plan.masters);
    }

    static void copy_parameters(Context&, const Plan&, const Parameters& from, Parameters& to) {
        to.masters.copy(from.masters);
        to.packs.copy(from.packs);
    }
    static void import_parameters(Context& on, const Plan& plan, Parameters& p, std::span<const float> canonical) {
        import_masters(on, plan, canonical, p.masters.data());
        repack(on, plan, p);
    }
    static void export_parameters(Context& on, const Plan& plan, const Parameters& p, std::span<float> canonical) {
        export_masters(on, plan, p.masters.data(), canonical);
    }
    template <class O>
    static void export_gradients(Context& on, const Plan& plan, const Training<O>& training,
                                 std::span<float> canonical) {
        export_masters(on, plan, training.gradients.data(), canonical);
    }
    /// One optimiser slot of every parameter, in canonical order: for checkpoints.
    template <class O>
    static void export_slot(Context& on, const Plan& plan, const Training<O>& training, int slot,
                            std::span<float> canonical) {
        export_masters(on, plan, training.slots.data() + static_cast<std::size_t>(slot) * plan.masters, canonical);
    }
    template <class O>
    static void import_slot(Context& on, const Plan& plan, Training<O>& training, int slot,
                            std::span<const float> canonical) {
        import_masters(on, plan, canonical, training.slots.data() + static_cast<std::size_t>(slot) * plan.masters);
    }

    static void forward(Context& on, const Plan& plan, const Parameters& p, const float* x, int count, Workspace& own,
                        const Pass& pass, Visit<SpaceType> visit) {
        run(on, plan, p, x, count, own, pass, visit, Way::forward, nullptr, nullptr);
    }
    static void differentiate(Context& on, const Plan& plan, const Parameters& p, const float* x, int count,
                              Workspace& own, const Pass& pass, Visit<SpaceType> visit, float* dx) {
        run(on, plan, p, x, count, own, pass, visit, Way::back, dx, nullptr);
    }
    template <class O>
    static void differentiate(Context& on, const Plan& plan, const Parameters& p, const float* x, int count,
                              Workspace& own, const Pass& pass, Visit<SpaceType> visit, float* dx,
                              Training<O>& training) {
        run(on, plan, p, x, count, own, pass, visit, Way::back, dx, training.gradients.data());
    }
    template <class O, class Step>
    static void update(Context& on, const Plan& plan, Parameters& p, Training<O>& training, const Step* step,
                       const StepState* state) {
        for (const plan::TrainedRun& run : plan.trained)
            each(on.device(), run.end - run.begin,
                 Update<Step, O::slots>{step, state, plan.masters, p.masters.data() + run.begin,
                                        training.gradients.data() + run.begin, training.slots.data() + run.begin});
        for (const plan::BlendedRun& run : plan.blended)
            each(on.device(), run.end - run.begin,
                 Blend{run.momentum, state, p.masters.data() + run.begin, training.gradients.data() + run.begin});
        repack(on, plan, p);
    }

private:
    enum class Way { forward, back };

    static const plan::Layout& logits_of(const Plan& plan) {
        return plan.values[static_cast<std::size_t>(plan.last_value)];
    }
    static void repack(Context& on, const Plan& plan, Parameters& p) {
        for (const plan::Site<B>& site : plan.sites)
            if (site.ops->repack)
                site.ops->repack(on, site, p.masters.data() + site.master_offset, p.packs.data() + site.pack_offset);
    }
    static void import_masters(Context& on, const Plan& plan, std::span<const float> canonical, float* masters) {
        std::vector<float> all(plan.masters);
        for (const plan::Site<B>& site : plan.sites)
            if (site.needs.masters > 0)
                site.ops->import_parameters(site, canonical.data() + site.canonical_offset,
                                            all.data() + site.master_offset);
        on.device().to_device(masters, all.data(), all.size() * sizeof(float));
    }
    static void export_masters(Context& on, const Plan& plan, const float* masters, std::span<float> canonical) {
        std::vector<float> all(plan.masters);
        on.device().to_host(all.data(), masters, all.size() * sizeof(float));
        for (const plan::Site<B>& site : plan.sites)
            if (site.needs.masters > 0)
                site.ops->export_parameters(site, all.data() + site.master_offset,
                                            canonical.data() + site.canonical_offset);
    }

    /// Block after block of as many images as the workspace holds: forward, visit, and back where that is wanted.
    static void run(Context& on, const Plan& plan, const Parameters& p, const float* x, int count, Workspace& own,
                    const Pass& pass, Visit<SpaceType> visit, Way way, float* dx, float* gradients) {
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
            const float* from = x + static_cast<std::size_t>(first) * image;
            const float* z = schedule.forward(from, images, how);
            if (way == Way::forward) {
                visit(on, {first, picks, {z, classes, stride}, {}});
                continue;
            }
            float* dz = static_cast<float*>(own.gradient(plan.last_value));
            visit(on, {first, picks, {z, classes, stride}, {dz, classes, stride}});
            schedule.backward(from, images, how, gradients,
                              dx ? dx + static_cast<std::size_t>(first) * image : nullptr);
        }
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
