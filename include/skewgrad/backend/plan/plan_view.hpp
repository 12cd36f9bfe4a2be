// A lowered network as data: what a schedule runs, without the network's types.
#pragma once
#include <cstddef>
#include <span>

#include <skewgrad/backend/plan/lower.hpp>

namespace SKEWGRAD_NAMESPACE::plan {

/// A lowered network without its length in the type, so that the schedule is compiled once a backend.
template <class B>
struct PlanView {
    std::span<const Site<B>> sites;
    std::span<const Layout> values;
    std::span<const bool> boundary;
    std::span<const TrainedRun> trained;
    std::span<const BlendedRun> blended;
    int last_value = 0;
    bool whole_batch = false;
    std::size_t canonical = 0, masters = 0, packs = 0, lane_scratch = 0, shared_scratch = 0;
    int cache_blocked_stages = 0;  ///< leading stages that passes over images run in small blocks
    int block_images = 0;          ///< of such a block at most; each is one thread's

    /// Whether a pass must take all its images at once: a loss of pairs reads the logits of all views, the batch's
    /// statistics need all images.
    constexpr bool needs_whole(const Pass& pass) const {
        return pass.views > 1 || (whole_batch && pass.statistics == BatchStatistics::batch);
    }
    /// Bytes of a value of one image.
    constexpr std::size_t bytes(int value) const {
        const auto v = static_cast<std::size_t>(value);
        return values[v].size * (boundary[v] ? sizeof(typename B::Boundary) : sizeof(typename B::Activation));
    }
    /// What small blocks leave for the stages behind them; -1 where there are none.
    constexpr int cache_blocked_output() const {
        return cache_blocked_stages > 0 ? sites[static_cast<std::size_t>(cache_blocked_stages) - 1].out_value : -1;
    }
    /// As many of the leading stages as run backward in small blocks.
    constexpr int cache_blocked_back(Mode mode) const { return mode == Mode::attack ? cache_blocked_stages : 0; }
    /// Whether a value must be there until its stage's turn comes in a backward pass.
    constexpr bool kept(int value, Mode mode) const {
        if (mode != Mode::attack) return mode == Mode::train;
        for (const Site<B>& site : sites) {
            const bool out = value == site.out_value;
            if (out && (site.epilogue || site.rectifies) && !site.masked) return true;  // for its slope
            if (site.needs.memory.values && (out || value == site.in_value || value == site.second_value)) return true;
        }
        return false;
    }
};

template <class B, std::size_t N, std::size_t Runs>
constexpr PlanView<B> view(const Lowered<B, N, Runs>& plan) {
    return {{plan.sites.data(), static_cast<std::size_t>(plan.stages)},
            plan.values,
            plan.boundary,
            {plan.trained.at.data(), plan.trained.count},
            {plan.blended.at.data(), plan.blended.count},
            plan.last_value,
            plan.whole_batch,
            plan.canonical,
            plan.masters,
            plan.packs,
            plan.lane_scratch,
            plan.shared_scratch};
}

/// The plan of one network on backend B, a constant: all that is compiled for each network but its layers' kernels.
template <class B, class Tape, Shape Image>
struct PlanOf {
    static constexpr auto lowered = lower<B>(Tape{}, Image);
    static constexpr PlanView<B> plan = B::Stages::arrange(view(lowered));
    static constexpr Layout logits = lowered.values[static_cast<std::size_t>(lowered.last_value)];
    static_assert(logits.shape.h == 1 && logits.shape.w == 1,
                  "skewgrad: a network's last layer must give one value a class, C x 1 x 1");
};

}  // namespace SKEWGRAD_NAMESPACE::plan
