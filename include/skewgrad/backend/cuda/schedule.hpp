// Stage after stage over a block of images, forward and backward, all of it given to the device without waiting.
#pragma once
#include <cstddef>

#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/layers.hpp>
#include <skewgrad/backend/cuda/workspace.hpp>
#include <skewgrad/backend/plan/gradients_at_inputs.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Runs a plan on one workspace. `x` is the block's images (value 0), `images` at most the workspace's.
template <class B>
class Schedule {
public:
    using Activation = typename B::Activation;

    Schedule(typename B::Context& on, const plan::PlanView<B>& plan, Workspace<B>& own, const float* masters,
             const Activation* packs)
        : on_(on), plan_(plan), own_(own), masters_(masters), packs_(packs) {}

    /// Leaves the logits in the workspace; returns where.
    float* forward(const float* x, int images, const plan::BlockPass& pass = {}) {
        for (const plan::Site<B>& site : plan_.sites) site.ops->forward(start(site, x, images, pass));
        return static_cast<float*>(own_.value(plan_.last_value));
    }

    /// From the gradient at the logits, which the caller has put into `gradient(last_value)`. Weight gradients are
    /// added to `gradients` (the masters' layout) unless null, the gradient at the images goes to `dx` unless null. In
    /// training, where the workspace keeps all values and gradients until the end, the gradients of weights are
    /// computed beside those of values.
    void backward(const float* x, int images, const plan::BlockPass& pass, float* gradients, float* dx) {
        const bool overlaps = own_.mode() == Mode::train;
        for (auto it = plan_.sites.rbegin(); it != plan_.sites.rend(); ++it) {
            const plan::Site<B>& site = *it;
            auto call = start(site, x, images, pass);
            void* d_out = own_.gradient(site.out_value);
            if (site.rectifies && !site.masked)
                typed(site.out_value, [&]<class T>(T*) {
                    each_element(site.out_value, images,
                                 Rectify<T>{static_cast<const T*>(call.out), static_cast<T*>(d_out)});
                });
            call.d_out = d_out;
            if (gradients && site.needs.masters > 0) {
                call.gradients = gradients + site.master_offset;
                const auto weights = [&] { site.ops->backward_weights(call); };
                overlaps && !site.needs.whole_batch ? on_.device().fork(weights) : weights();
            }
            const auto gradient = [&](int v) -> void* { return v == 0 ? dx : own_.gradient(v); };
            plan::gradients_at_inputs(call, gradient, own_.spare(),
                                      [&](int value, void* into) { add(value, images, into); });
        }
        if (overlaps) on_.device().join();
    }

private:
    plan::AnyCall<B> start(const plan::Site<B>& site, const float* x, int images, const plan::BlockPass& pass) {
        const auto value = [&](int v) -> const void* { return v == 0 ? x : own_.value(v); };
        plan::AnyCall<B> call{.on = on_, .site = site, .images = images};
        call.in = value(site.in_value);
        if (site.second_value >= 0) call.second = value(site.second_value);
        call.out = own_.value(site.out_value);
        call.masters = masters_ + site.master_offset;
        call.packs = packs_ + site.pack_offset;
        call.scratch = own_.scratch();
        call.shared = own_.shared_scratch();
        if (own_.mode() != Mode::evaluate && site.needs.memory.record > 0)
            call.record = own_.record(static_cast<int>(&site - plan_.sites.data()));
        call.pass = pass;
        return call;
    }

    void add(int value, int images, void* into) {
        typed(value, [&]<class T>(T*) {
            each_element(value, images, Increase<T>{static_cast<T*>(into), static_cast<const T*>(own_.spare())});
        });
    }

    // Calls f with a null pointer to the elements of a value.
    template <class F>
    void typed(int value, F f) {
        plan_.boundary[static_cast<std::size_t>(value)] ? f(static_cast<float*>(nullptr))
                                                        : f(static_cast<Activation*>(nullptr));
    }
    template <class Body>
    void each_element(int value, int images, const Body& body) {
        each(on_.device(), plan_.values[static_cast<std::size_t>(value)].size * static_cast<std::size_t>(images), body);
    }

    typename B::Context& on_;
    const plan::PlanView<B>& plan_;
    Workspace<B>& own_;
    const float* masters_;
    const Activation* packs_;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
