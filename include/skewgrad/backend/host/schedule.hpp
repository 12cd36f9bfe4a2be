// The schedule of host backends: stage after stage over a block of images, forward and backward.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>

#include <skewgrad/backend/host/workspace.hpp>
#include <skewgrad/backend/plan/gradients_at_inputs.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Runs a plan on one workspace. `x` is the block's images (value 0), `images` at most the workspace's.
template <class B>
class Schedule {
public:
    using Boundary = typename B::Boundary;
    using Activation = typename B::Activation;
    using Sum = typename B::Sum;

    Schedule(typename B::Context& on, const plan::PlanView<B>& plan, Workspace<B>& own, const Sum* masters,
             const Activation* packs)
        : on_(on), plan_(plan), own_(own), masters_(masters), packs_(packs) {}

    /// Leaves the logits in the workspace; returns where. Depth first: small blocks of images through the first stages,
    /// all of them through the others. In training images stay together where there is dropout, or where a stage must
    /// see them all.
    Boundary* forward(const Boundary* x, int images, const plan::BlockPass& pass = {}) {
        const bool together = own_.mode() == Mode::train && (pass.masks || pass.needs_whole);
        const int blocked = together ? 0 : in_blocks(plan_.cache_blocked_stages, images);
        in_small_blocks(blocked, images, [&](const Block& block) {
            for (int s = 0; s < blocked; ++s) site(s).ops->forward(start(s, x, block, pass));
        });
        for (int s = blocked; s < stages(); ++s) site(s).ops->forward(start(s, x, all(images), pass));
        return static_cast<Boundary*>(own_.value(plan_.last_value));
    }

    /// From the gradient at the logits, which the caller has put into `gradient(last_value)`. Weight gradients go to
    /// `gradients` (the masters' layout) unless null, the gradient at the images to `dx` unless null. An attack's way
    /// back ends as it began: in small blocks through the first stages.
    void backward(const Boundary* x, int images, const plan::BlockPass& pass, Sum* gradients, Boundary* dx) {
        const auto run = [&](int s, const Block& block) {
            plan::AnyCall<B> call = start(s, x, block, pass);
            void* d_out = gradient(site(s).out_value, dx, block);
            if (site(s).epilogue && !site(s).masked) slope(call, d_out);
            call.d_out = d_out;
            if (gradients && site(s).needs.masters > 0) {
                call.gradients = gradients + site(s).master_offset;
                site(s).ops->backward_weights(call);
            }
            void* spare = own_.at(own_.number().spare(s < plan_.cache_blocked_back(own_.mode())), block.lane);
            plan::gradients_at_inputs(
                call, [&](int v) { return gradient(v, dx, block); }, spare,
                [&](int v, void* into) { add(v, block, spare, into); });
        };
        const int blocked = in_blocks(plan_.cache_blocked_back(own_.mode()), images);
        for (int s = stages() - 1; s >= blocked; --s) run(s, all(images));
        in_small_blocks(blocked, images, [&](const Block& block) {
            for (int s = blocked - 1; s >= 0; --s) run(s, block);
        });
    }

private:
    /// Some of a pass' images, and who runs them: all threads together, or one of them by itself.
    struct Block {
        typename B::Context& on;
        int first, images;
        int lane = -1;  ///< that thread
    };
    Block all(int images) { return {on_, 0, images}; }

    /// Each thread takes one block after the other, as it comes to them, and waits for nobody in between.
    template <class Body>
    void in_small_blocks(int blocked, int images, Body body) {
        if (blocked == 0) return;
        const int threads = on_.threads();
        auto alone = on_.share(threads);
        const int rounds = (images + threads * plan_.block_images - 1) / (threads * plan_.block_images);
        std::atomic<int> next{0};
        parallel_ranges(threads, threads, [&](int lane, int, int) {
            for (int b = next++; b < rounds * threads; b = next++) {
                const Share mine = share_of(images, b, rounds * threads);
                body(Block{alone, mine.begin, mine.end - mine.begin, lane});
            }
        });
    }
    // Where images are fewer than threads, these share an image's channels instead, stage by stage.
    int in_blocks(int blocked, int images) const { return images < on_.threads() ? 0 : blocked; }

    int stages() const { return static_cast<int>(plan_.sites.size()); }
    const plan::Site<B>& site(int s) const { return plan_.sites[static_cast<std::size_t>(s)]; }

    // Where a block's images stand among all images, or in the memory of the thread that runs it.
    void* place(std::size_t range, std::size_t bytes, const Block& block) {
        return own_.at(range, block.lane) + (own_.passes(range) ? 0 : static_cast<std::size_t>(block.first) * bytes);
    }
    template <class Image>
    Image* images_of(Image* x, const Block& block) const {
        return x + static_cast<std::size_t>(block.first) * plan_.values[0].size;
    }
    const void* value(int v, const Boundary* x, const Block& block) {
        return v == 0 ? images_of(x, block) : place(own_.number().value(v), plan_.bytes(v), block);
    }
    void* gradient(int v, Boundary* dx, const Block& block) {
        if (v == 0) return dx ? images_of(dx, block) : nullptr;
        return place(own_.number().gradient(v), plan_.bytes(v), block);
    }

    plan::AnyCall<B> start(int s, const Boundary* x, const Block& block, const plan::BlockPass& pass) {
        const plan::Site<B>& site = this->site(s);
        plan::AnyCall<B> call{.on = block.on, .site = site, .images = block.images};
        call.in = value(site.in_value, x, block);
        if (site.second_value >= 0) call.second = value(site.second_value, x, block);
        call.out = place(own_.number().value(site.out_value), plan_.bytes(site.out_value), block);
        call.masters = masters_ + site.master_offset;
        call.packs = packs_ + site.pack_offset;
        call.scratch = own_.scratch() + static_cast<std::size_t>(std::max(0, block.lane)) * plan_.lane_scratch;
        call.shared = own_.shared_scratch();
        call.pass = pass;
        call.pass.masks.first = block.first;
        if (own_.mode() != Mode::evaluate && site.needs.memory.record > 0)
            call.record = static_cast<std::byte*>(place(own_.number().record(s), site.needs.memory.record, block));
        return call;
    }

    void slope(const plan::AnyCall<B>& call, void* gradients) {
        const plan::Layout& l = call.site.out;
        const plan::Epilogue& epilogue = *call.site.epilogue;
        const std::size_t bytes = plan_.bytes(call.site.out_value);
        parallel_for(call.on.threads(), call.images, [&](int n) {
            const void* y = static_cast<const std::byte*>(call.out) + static_cast<std::size_t>(n) * bytes;
            void* d_out = static_cast<std::byte*>(gradients) + static_cast<std::size_t>(n) * bytes;
            if (l.stride_c == 1)
                epilogue.slope(y, d_out, l.shape.h * l.shape.w, l.shape.c, l.stride_w);
            else
                epilogue.slope(y, d_out, 1, static_cast<int>(l.size), 0);
        });
    }

    void add(int value, const Block& block, const void* spare, void* into) {
        const std::size_t size = plan_.values[static_cast<std::size_t>(value)].size;
        if (plan_.boundary[static_cast<std::size_t>(value)])
            add(size, block, static_cast<const Boundary*>(spare), static_cast<Boundary*>(into));
        else
            add(size, block, static_cast<const Activation*>(spare), static_cast<Activation*>(into));
    }
    template <class T>
    static void add(std::size_t size, const Block& block, const T* joined, T* to) {
        parallel_for(block.on.threads(), block.images, [&](int n) {
            const std::size_t first = static_cast<std::size_t>(n) * size;
            for (std::size_t i = first; i < first + size; ++i)
                to[i] = static_cast<T>(static_cast<Sum>(to[i]) + static_cast<Sum>(joined[i]));
        });
    }

    typename B::Context& on_;
    const plan::PlanView<B>& plan_;
    Workspace<B>& own_;
    const Sum* masters_;
    const Activation* packs_;
};

}  // namespace SKEWGRAD_NAMESPACE::host
