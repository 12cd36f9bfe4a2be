// The optimiser's step over all trained masters, and the packed copies made again from them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <skewgrad/backend/host/buffer.hpp>
#include <skewgrad/backend/host/workspace.hpp>
#include <skewgrad/core/parallel.hpp>
#include <skewgrad/nn/optimisers.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Gradients (zero between steps) and optimiser state of a training session, in the masters' layout. Slot s of all
/// parameters is one run.
template <class O, class Sum>
struct Training {
    Training(const O& with, std::size_t masters)
        : optimiser(with), size(masters), gradients(masters), slots(masters * O::slots) {
        std::fill_n(slots.data(), slots.size(), static_cast<Sum>(O::slot_start));
    }
    O optimiser;
    std::size_t size;
    Buffer<Sum> gradients, slots;
};

SKEWGRAD_EXACT_BEGIN
template <class Step, class T, int Slots>
struct UpdateLoop {
    // w, g and the slots are seen as arrays of V: numbers, or vectors of four.
    template <class V>
    static void run(const Step& step, V* w, V* g, V* slots, std::size_t slot_stride, std::size_t n) noexcept {
        SKEWGRAD_EXACT_BODY
        for (std::size_t i = 0; i < n; ++i) {
            V own[Slots > 0 ? Slots : 1];
            for (int s = 0; s < Slots; ++s) own[s] = slots[static_cast<std::size_t>(s) * slot_stride + i];
            step(w[i], g[i], own);
            g[i] = V{};
            for (int s = 0; s < Slots; ++s) slots[static_cast<std::size_t>(s) * slot_stride + i] = own[s];
        }
    }
};
SKEWGRAD_EXACT_END

/// One update of every trained parameter; the gradients are zero afterwards, for the next step to add to. Masters are
/// dealt out in blocks of 16, padding included.
template <class B, class O, class Sum>
void update(int threads, const PlanView<B>& plan, Training<O, Sum>& training, std::uint64_t updates, Sum* masters) {
    const auto step = training.optimiser.template at<Sum>(updates);
    using Loop = UpdateLoop<std::remove_const_t<decltype(step)>, Sum, O::slots>;
    for (const Site<B>& site : plan.sites) {
        if (site.trained_size == 0) continue;
        const int blocks = static_cast<int>(site.trained_size / 16);
        Sum* w = masters + site.master_offset;
        Sum* g = training.gradients.data() + site.master_offset;
        Sum* slots = training.slots.data() + site.master_offset;
        parallel_ranges(threads, blocks, [&](int, int begin, int end) {
            const auto first = static_cast<std::size_t>(begin) * 16, count = static_cast<std::size_t>(end - begin) * 16;
            using Lanes = optimiser::FloatLanes;
            if constexpr (std::is_same_v<Sum, float> && std::is_invocable_v<decltype(step), Lanes&, Lanes, Lanes*>)
                Loop::run(step, reinterpret_cast<Lanes*>(w + first), reinterpret_cast<Lanes*>(g + first),
                          reinterpret_cast<Lanes*>(slots + first), training.size / 4, count / 4);
            else
                Loop::run(step, w + first, g + first, slots + first, training.size, count);
        });
        const std::size_t done = static_cast<std::size_t>(blocks) * 16;
        Loop::run(step, w + done, g + done, slots + done, training.size, site.trained_size - done);
    }
}

template <class B>
void repack(typename B::Context& on, const PlanView<B>& plan, const typename B::Sum* masters,
            typename B::Value* packs) {
    for (const Site<B>& site : plan.sites)
        if (site.ops->repack) site.ops->repack(on, site, masters + site.master_offset, packs + site.pack_offset);
}

}  // namespace SKEWGRAD_NAMESPACE::host
