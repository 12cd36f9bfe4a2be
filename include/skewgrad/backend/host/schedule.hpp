// The given schedule: stage after stage over a block of images, forward and backward.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <skewgrad/backend/host/workspace.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// The gradients at a stage's inputs, the image's own only where `dx` is not null. `add(value, into)` adds the spare
/// gradient of a value to the one that is there already.
template <class B, class Own, class Add>
void gradients_at_inputs(AnyCall<B>& call, const Site<B>& site, Own& own, void* dx, Add add) {
    const auto target = [&](int v) -> void* {
        if (v < 0) return nullptr;
        return v == 0 ? dx : own.gradient(v);
    };
    void* in = target(site.in_value);
    void* second = target(site.second_value);
    if (!in && !second) return;
    call.d_in = in && site.adds_to_in ? own.spare() : in;
    call.d_second = second && site.adds_to_second ? nullptr : second;
    site.ops->backward_data(call);
    if (in && site.adds_to_in) add(site.in_value, in);
    if (second && site.adds_to_second) {  // both operands of a join have the same gradient
        call.d_in = nullptr;
        call.d_second = own.spare();
        site.ops->backward_data(call);
        add(site.second_value, second);
    }
}

/// Runs a plan on one workspace. `x` is the block's images (value 0), `images` at most the workspace's.
template <class B>
class Schedule {
public:
    using Edge = typename B::Edge;
    using Value = typename B::Value;
    using Sum = typename B::Sum;

    Schedule(typename B::Context& on, const PlanView<B>& plan, Workspace<B>& own, const Sum* masters,
             const Value* packs)
        : on_(on), plan_(plan), own_(own), masters_(masters), packs_(packs) {}

    /// Leaves the logits in the workspace; returns where. Depth first: small blocks of images through the first stages,
    /// all of them through the others. A training batch's images are told apart by their places in it, and stay
    /// together.
    Edge* forward(const Edge* x, int images, Mode mode, const Batch* batch = nullptr) {
        const auto near = plan_.sites.first(batch ? 0 : static_cast<std::size_t>(plan_.near_stages));
        const int step = PlanView<B>::near_images * on_.threads();
        for (int first = 0; first < images && !near.empty(); first += step)
            for (const Site<B>& site : near) {
                AnyCall<B> call = start(site, x, std::min(step, images - first), mode, nullptr);
                call.in = image(call.in, site.in_value, first, mode);
                if (call.second) call.second = image(call.second, site.second_value, first, mode);
                call.out = image(call.out, site.out_value, first, mode);
                site.ops->forward(call);
            }
        for (const Site<B>& site : plan_.sites.subspan(near.size()))
            site.ops->forward(start(site, x, images, mode, batch));
        return static_cast<Edge*>(own_.value(plan_.last_value));
    }

    /// From the gradient at the logits, which the caller has put into `gradient(last_value)`. Weight gradients go to
    /// `gradients` (the masters' layout) unless null, the gradient at the images to `dx` unless null.
    void backward(const Edge* x, int images, Mode mode, const Batch* batch, Sum* gradients, Edge* dx) {
        for (auto it = plan_.sites.rbegin(); it != plan_.sites.rend(); ++it) {
            const Site<B>& site = *it;
            AnyCall<B> call = start(site, x, images, mode, batch);
            void* d_out = own_.gradient(site.out_value);
            if (site.epilogue && !site.masked) slope(site, call.out, d_out, images);
            call.d_out = d_out;
            if (gradients && site.master_size > 0) {
                call.gradients = gradients + site.master_offset;
                site.ops->backward_weights(call);
            }
            data(call, site, dx);
        }
    }

private:
    const void* value(int v, const Edge* x) { return v == 0 ? x : own_.value(v); }

    // Where a small block's first image stands. Values that nobody reads after the block make room for the next
    // block's.
    template <class Pointer>
    Pointer image(Pointer value, int v, int first, Mode mode) const {
        const bool passing = mode == Mode::evaluate && v != 0 &&
                             v != plan_.sites[static_cast<std::size_t>(plan_.near_stages) - 1].out_value;
        if (passing) return value;
        using Bytes = std::conditional_t<std::is_const_v<std::remove_pointer_t<Pointer>>, const std::byte, std::byte>;
        return static_cast<Bytes*>(value) + static_cast<std::size_t>(first) * plan_.bytes(v);
    }

    AnyCall<B> start(const Site<B>& site, const Edge* x, int images, Mode mode, const Batch* batch) {
        AnyCall<B> call{.on = on_, .site = site, .images = images, .mode = mode};
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

    void slope(const Site<B>& site, const void* values, void* gradients, int images) {
        const Layout& l = site.out;
        const std::size_t bytes = plan_.bytes(site.out_value);
        parallel_for(on_.threads(), images, [&](int n) {
            const void* y = static_cast<const std::byte*>(values) + static_cast<std::size_t>(n) * bytes;
            void* dy = static_cast<std::byte*>(gradients) + static_cast<std::size_t>(n) * bytes;
            if (l.c == 1)
                site.epilogue->slope(y, dy, l.shape.h * l.shape.w, l.shape.c, l.w);
            else
                site.epilogue->slope(y, dy, 1, static_cast<int>(l.size), 0);
        });
    }

    void data(AnyCall<B>& call, const Site<B>& site, Edge* dx) {
        gradients_at_inputs(call, site, own_, dx, [&](int value, void* into) { add(value, call.images, into); });
    }

    void add(int value, int images, void* into) {
        if (plan_.edges[static_cast<std::size_t>(value)])
            add<Edge>(plan_.values[static_cast<std::size_t>(value)].size, images, into);
        else
            add<Value>(plan_.values[static_cast<std::size_t>(value)].size, images, into);
    }
    template <class T>
    void add(std::size_t size, int images, void* into) {
        T* to = static_cast<T*>(into);
        const T* joined = static_cast<const T*>(own_.spare());
        parallel_for(on_.threads(), images, [&](int n) {
            const std::size_t first = static_cast<std::size_t>(n) * size;
            for (std::size_t i = first; i < first + size; ++i)
                to[i] = static_cast<T>(static_cast<Sum>(to[i]) + static_cast<Sum>(joined[i]));
        });
    }

    typename B::Context& on_;
    const PlanView<B>& plan_;
    Workspace<B>& own_;
    const Sum* masters_;
    const Value* packs_;
};

}  // namespace SKEWGRAD_NAMESPACE::host
