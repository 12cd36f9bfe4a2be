// The given schedule: stage after stage over a block of images, forward and backward.
#pragma once
#include <cstddef>

#include <skewgrad/backend/host/workspace.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Runs a plan on one workspace. `x` is the block's images (value 0), `images` at most the workspace's.
template <class B>
class Schedule {
public:
    using Value = typename B::Value;
    using Sum = typename B::Sum;

    Schedule(typename B::Context& on, const PlanView<B>& plan, Workspace<B>& own, const Sum* masters,
             const Value* packs)
        : on_(on), plan_(plan), own_(own), masters_(masters), packs_(packs) {}

    /// Leaves the logits in the workspace; returns where.
    Value* forward(const Value* x, int images, Mode mode, const Batch* batch = nullptr) {
        for (const Site<B>& site : plan_.sites) {
            Call<B> call = start(site, x, images, mode, batch);
            site.ops->forward(call);
        }
        return own_.value(plan_.last_value);
    }

    /// From the gradient at the logits, which the caller has put into `gradient(last_value)`. Weight gradients go to
    /// `gradients` (the masters' layout) unless null, the gradient at the images to `dx` unless null.
    void backward(const Value* x, int images, Mode mode, const Batch* batch, Sum* gradients, Value* dx) {
        for (auto it = plan_.sites.rbegin(); it != plan_.sites.rend(); ++it) {
            const Site<B>& site = *it;
            Call<B> call = start(site, x, images, mode, batch);
            Value* d_out = own_.gradient(site.out_value);
            if (site.epilogue) slope(site, call.out, d_out, images);
            call.d_out = d_out;
            if (gradients && site.master_size > 0) {
                call.gradients = gradients + site.master_offset;
                site.ops->backward_weights(call);
            }
            data(call, site, dx);
        }
    }

private:
    Value* value(int v, const Value* x) { return v == 0 ? const_cast<Value*>(x) : own_.value(v); }

    Call<B> start(const Site<B>& site, const Value* x, int images, Mode mode, const Batch* batch) {
        Call<B> call{.on = on_, .site = site, .images = images, .mode = mode};
        call.in = value(site.in_value, x);
        if (site.second_value >= 0) call.second = value(site.second_value, x);
        call.out = own_.value(site.out_value);
        call.masters = masters_ + site.master_offset;
        call.packs = packs_ + site.pack_offset;
        call.scratch = own_.scratch();
        call.shared = own_.shared_scratch();
        call.batch = batch;
        return call;
    }

    void slope(const Site<B>& site, const Value* y, Value* dy, int images) {
        const Layout& l = site.out;
        parallel_for(on_.threads(), images, [&](int n) {
            const std::size_t at = static_cast<std::size_t>(n) * l.size;
            if (l.c == 1)
                site.epilogue->slope(y + at, dy + at, l.shape.h * l.shape.w, l.shape.c, l.w);
            else
                site.epilogue->slope(y + at, dy + at, 1, static_cast<int>(l.size), 0);
        });
    }

    // The gradients at a stage's inputs. The image's own is computed only when asked for.
    void data(Call<B>& call, const Site<B>& site, Value* dx) {
        const auto target = [&](int v) -> Value* {
            if (v < 0) return nullptr;
            return v == 0 ? dx : own_.gradient(v);
        };
        Value* in = target(site.in_value);
        Value* second = target(site.second_value);
        if (!in && !second) return;
        call.d_in = in && site.adds_to_in ? own_.spare() : in;
        call.d_second = second && site.adds_to_second ? nullptr : second;
        site.ops->backward_data(call);
        if (in && site.adds_to_in) add(site.in, call.images, in);
        if (second && site.adds_to_second) {  // both operands of a join have the same gradient
            call.d_in = nullptr;
            call.d_second = own_.spare();
            site.ops->backward_data(call);
            add(B::layout(site.in.shape, site.second_value == 0), call.images, second);
        }
    }

    void add(const Layout& l, int images, Value* into) {
        const Value* joined = own_.spare();
        parallel_for(on_.threads(), images, [&](int n) {
            const std::size_t first = static_cast<std::size_t>(n) * l.size;
            for (std::size_t i = first; i < first + l.size; ++i) into[i] = into[i] + joined[i];
        });
    }

    typename B::Context& on_;
    const PlanView<B>& plan_;
    Workspace<B>& own_;
    const Sum* masters_;
    const Value* packs_;
};

}  // namespace SKEWGRAD_NAMESPACE::host
