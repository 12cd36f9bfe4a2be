// The passes of a device, in terms of its schedule: compiled once a policy, whatever network runs.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/backend/cuda/images.hpp>
#include <skewgrad/backend/cuda/schedule.hpp>
#include <skewgrad/backend/cuda/training.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// A network's parameters on a device: masters, and packed copies of them.
template <class B>
struct ParametersOnDevice {
    Memory<float, typename B::Device> masters;
    Memory<typename B::Activation, typename B::Device> packs;
};

template <class B>
struct Passes {
    using Context = typename B::Context;
    using R = typename B::Device;
    using Plan = host::PlanView<B>;
    using Images = cuda::Images<R>;
    using Workspace = cuda::Workspace<B>;
    using Parameters = ParametersOnDevice<B>;

    static void repack(Context& on, const Plan& plan, Parameters& p) {
        for (const host::Site<B>& site : plan.sites)
            if (site.ops->repack)
                site.ops->repack(on, site, p.masters.data() + site.master_offset, p.packs.data() + site.pack_offset);
    }
    static void import_in_master_layout(const Plan& plan, std::span<const float> canonical, float* masters,
                                        Context& on) {
        std::vector<float> all(plan.masters);
        for (const host::Site<B>& site : plan.sites)
            if (site.master_size > 0)
                site.ops->import_parameters(site, canonical.data() + site.canonical_offset,
                                            all.data() + site.master_offset);
        on.device().to_device(masters, all.data(), all.size() * sizeof(float));
    }
    static void export_in_master_layout(const Plan& plan, const float* masters, std::span<float> canonical,
                                        Context& on) {
        std::vector<float> all(plan.masters);
        on.device().to_host(all.data(), masters, all.size() * sizeof(float));
        for (const host::Site<B>& site : plan.sites)
            if (site.master_size > 0)
                site.ops->export_parameters(site, all.data() + site.master_offset,
                                            canonical.data() + site.canonical_offset);
    }

    static void logits(Context& on, const Plan& plan, const Parameters& p, const Images& x, Workspace& own,
                       std::span<float> out) {
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        for (int first = 0; first < x.count; first += own.images()) {
            const int images = std::min(own.images(), x.count - first);
            copy_logits(on, plan, schedule.forward(x.at(first), images, Mode::evaluate), first, images, out);
        }
    }
    template <class Loss>
    static void gradient(Context& on, const Plan& plan, const Parameters& p, const Images& x,
                         std::span<const Label> labels, Workspace& own, Images& dx, std::span<float> logits,
                         std::span<double> losses) {
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        for (int first = 0; first < x.count; first += own.images()) {
            const int images = std::min(own.images(), x.count - first);
            const auto at = static_cast<std::size_t>(first), count = static_cast<std::size_t>(images);
            const float* z = schedule.forward(x.at(first), images, Mode::attack);
            own.labels().upload_async(labels.subspan(at, count));
            loss<Loss>(on, plan, own, images, 1.0, z, own.labels().data(), nullptr, nullptr);
            if (!losses.empty()) own.losses().download(losses.subspan(at, count));
            copy_logits(on, plan, z, first, images, logits);
            schedule.backward(x.at(first), images, Mode::attack, nullptr, nullptr, dx.at(first));
        }
    }

    /// A step in one go: what changes from step to step lies in the workspace's inputs, so that all the rest can be
    /// recorded once and given again. Throws ValueError for a batch of more images than the workspace is for.
    template <class Loss, class O>
    static void train_step(Context& on, const Plan& plan, Parameters& p, const ByteImages<R>& bytes, const Batch& batch,
                           Workspace& own, Training<O, R>& training, StepState& state) {
        const int images = static_cast<int>(batch.picks.size());
        if (images > own.images())
            throw ValueError("a training batch of " + std::to_string(images) + " images was given to a workspace for " +
                             std::to_string(own.images()));
        std::vector<std::byte> inputs = told(batch, state.updates);
        const auto step = training.optimiser.template at<float>(state.updates);
        static_assert(std::is_trivially_copyable_v<decltype(step)>);
        const std::size_t step_at = (inputs.size() + 15) / 16 * 16;
        inputs.resize(step_at + sizeof step);
        std::memcpy(inputs.data() + step_at, &step, sizeof step);
        own.inputs().upload_async(inputs);

        const auto* seen = reinterpret_cast<const BatchOnDevice*>(own.inputs().data());
        const auto* rates = reinterpret_cast<const std::remove_const_t<decltype(step)>*>(own.inputs().data() + step_at);
        training.run(on, {p.masters.data(), own.inputs().data(), bytes.there.get(), images}, [&] {
            Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
            const host::Layout& image = plan.values[0];
            each(on.device(), image.size * batch.picks.size(),
                 FromBytes{CoordinatesOf(image), image.shape, seen, bytes.there->pixels.data(), own.batch()});
            const float* z = schedule.forward(own.batch(), images, Mode::train, seen);
            loss<Loss>(on, plan, own, images, 1.0 / images, z, nullptr, seen, bytes.there->labels.data());
            on.device().launch({}, CountStep{images, own.losses().data(), own.right(), seen, training.state.data()});
            schedule.backward(own.batch(), images, Mode::train, seen, training.gradients.data(), nullptr);
            update(on, plan, p, training, rates);
            repack(on, plan, p);
        });
        state.updates += 1;
    }
    /// Gradient of the mean loss over all images with respect to every parameter, in canonical order, dropout off.
    template <class Loss>
    static void parameter_gradient(Context& on, const Plan& plan, const Parameters& p, const Images& x,
                                   std::span<const Label> labels, Workspace& own, std::span<float> out) {
        auto total = on.template zeros<float>(plan.masters);
        Schedule<B> schedule(on, plan, own, p.masters.data(), p.packs.data());
        for (int first = 0; first < x.count; first += own.images()) {
            const int images = std::min(own.images(), x.count - first);
            const float* z = schedule.forward(x.at(first), images, Mode::attack);
            own.labels().upload_async(
                labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(images)));
            loss<Loss>(on, plan, own, images, 1.0 / x.count, z, own.labels().data(), nullptr, nullptr);
            schedule.backward(x.at(first), images, Mode::attack, nullptr, total.data(), nullptr);
        }
        export_in_master_layout(plan, total.data(), out, on);
    }

private:
    static const host::Layout& logit_layout(const Plan& plan) {
        return plan.values[static_cast<std::size_t>(plan.last_value)];
    }
    template <class Loss>
    static void loss(Context& on, const Plan& plan, Workspace& own, int images, double scale, const float* z,
                     const Label* labels, const BatchOnDevice* batch, const Label* of_store) {
        const host::Layout& logits = logit_layout(plan);
        each(on.device(), static_cast<std::size_t>(images),
             LossGradient<Loss>{logits.shape.c, static_cast<int>(logits.size), scale, z, labels, batch, of_store,
                                static_cast<float*>(own.gradient(plan.last_value)), own.losses().data(), own.right()});
    }
    static void copy_logits(Context& on, const Plan& plan, const float* z, int first, int images,
                            std::span<float> out) {
        if (out.empty()) return;
        const host::Layout& logits = logit_layout(plan);
        const auto classes = static_cast<std::size_t>(logits.shape.c), count = static_cast<std::size_t>(images);
        std::vector<float> all(count * logits.size);
        on.device().to_host(all.data(), z, all.size() * sizeof(float));
        float* to = out.data() + static_cast<std::size_t>(first) * classes;
        for (std::size_t n = 0; n < count; ++n) std::copy_n(all.data() + n * logits.size, classes, to + n * classes);
    }

    template <class O, class Step>
    static void update(Context& on, const Plan& plan, Parameters& p, Training<O, R>& training, const Step* rates) {
        for (const host::TrainedRun& run : plan.trained)
            each(on.device(), run.end - run.begin,
                 Update<Step, O::slots>{rates, training.state.data(), plan.masters, p.masters.data() + run.begin,
                                        training.gradients.data() + run.begin, training.slots.data() + run.begin});
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
