// The given schedule: stage after stage over a block of images, forward and backward.
#pragma once
#include <algorithm>
#include <cstddef>

#include <skewgrad/backend/host/workspace.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// The gradients at a stage's inputs. `gradient(value)` says where a value's stands, null where it is not wanted;
/// `add(value, into)` adds the spare gradient to the one that is there already.
template <class B, class Gradient, class Add>
void gradients_at_inputs(AnyCall<B>& call, Gradient gradient, void* spare, Add add) {
    const Site<B>& site = call.site;
    void* in = gradient(site.in_value);
    void* second = site.second_value < 0 ? nullptr : gradient(site.second_value);
    if (!in && !second) return;
    call.d_in = in && site.adds_to_in ? spare : in;
    call.d_second = second && site.adds_to_second ? nullptr : second;
    site.ops->backward_data(call);
    if (in && site.adds_to_in) add(site.in_value, in);
    if (second && site.adds_to_second) {  // both operands of a join have the same gradient
        call.d_in = nullptr;
        call.d_second = spare;
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
        const int near = batch ? 0 : plan_.near_stages;
        in_small_blocks(near, images, [&](Block block) {
            for (int s = 0; s < near; ++s) site(s).ops->forward(start(s, x, block, mode, nullptr));
        });
        for (int s = near; s < stages(); ++s) site(s).ops->forward(start(s, x, {0, images}, mode, batch));
        return static_cast<Edge*>(own_.value(plan_.last_value));
    }

    /// From the gradient at the logits, which the caller has put into `gradient(last_value)`. Weight gradients go to
    /// `gradients` (the masters' layout) unless null, the gradient at the images to `dx` unless null. An attack's way
    /// back ends as it began: in small blocks through the first stages.
    void backward(const Edge* x, int images, Mode mode, const Batch* batch, Sum* gradients, Edge* dx) {
        const auto run = [&](int s, Block block) {
            AnyCall<B> call = start(s, x, block, mode, batch);
            void* d_out = gradient(site(s).out_value, block, dx);
            if (site(s).epilogue && !site(s).masked) slope(site(s), call.out, d_out, block.images);
            call.d_out = d_out;
            if (gradients && site(s).master_size > 0) {
                call.gradients = gradients + site(s).master_offset;
                site(s).ops->backward_weights(call);
            }
            gradients_at_inputs(
                call, [&](int v) { return gradient(v, block, dx); }, own_.spare(),
                [&](int v, void* into) { add(v, block.images, into); });
        };
        const int near = own_.mode() == Mode::attack ? plan_.near_stages : 0;
        for (int s = stages() - 1; s >= near; --s) run(s, {0, images});
        in_small_blocks(near, images, [&](Block block) {
            for (int s = near - 1; s >= 0; --s) run(s, block);
        });
    }

private:
    /// Some of a pass' images.
    struct Block {
        int first, images;
    };

    template <class Body>
    void in_small_blocks(int near, int images, Body body) {
        if (near == 0) return;
        const int step = plan_.near_images * on_.threads();
        for (int first = 0; first < images; first += step) body(Block{first, std::min(step, images - first)});
    }

    int stages() const { return static_cast<int>(plan_.sites.size()); }
    const Site<B>& site(int s) const { return plan_.sites[static_cast<std::size_t>(s)]; }

    // Where a block's first image stands. What nobody reads after the block makes room for the next block's.
    template <class Byte>
    Byte* of_block(Byte* first_image, std::size_t bytes, bool lasts, Block block) const {
        return lasts ? first_image + static_cast<std::size_t>(block.first) * bytes : first_image;
    }
    const void* value(int v, const Edge* x, Block block) {
        const auto* at = static_cast<const std::byte*>(v == 0 ? x : own_.value(v));
        return of_block(at, plan_.bytes(v), own_.lasts(v), block);
    }
    void* gradient(int v, Block block, Edge* dx) {
        if (v == 0 && !dx) return nullptr;
        auto* at = static_cast<std::byte*>(v == 0 ? dx : own_.gradient(v));
        return of_block(at, plan_.bytes(v), v == 0 || v == plan_.near_value(), block);
    }

    AnyCall<B> start(int s, const Edge* x, Block block, Mode mode, const Batch* batch) {
        const Site<B>& site = this->site(s);
        AnyCall<B> call{.on = on_, .site = site, .images = block.images, .mode = mode};
        call.in = value(site.in_value, x, block);
        if (site.second_value >= 0) call.second = value(site.second_value, x, block);
        call.out = const_cast<void*>(value(site.out_value, x, block));
        call.masters = masters_ + site.master_offset;
        call.packs = packs_ + site.pack_offset;
        call.scratch = own_.scratch();
        call.shared = own_.shared_scratch();
        call.batch = batch;
        if (own_.mode() != Mode::evaluate && site.memory.record > 0)
            call.record = of_block(own_.record(s), site.memory.record, true, block);
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
