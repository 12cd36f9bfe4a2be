// A lowered network as data, and which of its first stages run in small blocks of images.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>

#include <skewgrad/backend/host/lower.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// A lowered network without its length in the type, so that the schedule is compiled once a backend.
template <class B>
struct PlanView {
    std::span<const Site<B>> sites;
    std::span<const Layout> values;
    std::span<const bool> boundary;
    std::span<const TrainedRun> trained;
    int last_value = 0;
    std::size_t canonical = 0, masters = 0, packs = 0, lane_scratch = 0, shared_scratch = 0;
    int cache_blocked_stages = 0;  ///< leading stages that passes over images run in small blocks
    int block_images = 0;          ///< of such a block at most; each is one thread's

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
            if (out && site.epilogue && !site.masked) return true;  // for its slope
            if (site.memory.values && (out || value == site.in_value || value == site.second_value)) return true;
        }
        return false;
    }
};

/// Images of a small block: as many as have room in half a mebibyte, of a value and of the one made of it.
template <class B>
constexpr int block_images(const PlanView<B>& plan) {
    std::size_t largest = 1;
    for (const Site<B>& site : plan.sites) largest = std::max(largest, plan.bytes(site.out_value));
    constexpr std::size_t room = 512 * 1024, most = 8;
    return static_cast<int>(std::clamp<std::size_t>(room / largest, 1, most));
}

/// Small blocks keep values in a near cache, but read a stage's weights once a block: worth it for as long as values
/// outweigh them. What comes after reads one value of what came before, so that the two can take turns.
template <class B>
constexpr int cache_blocked_stages(const PlanView<B>& plan) {
    constexpr std::size_t values = 16;  // eight images', written and read
    int blocked = 0;
    for (std::size_t s = 0; s < plan.sites.size(); ++s) {
        const Site<B>& site = plan.sites[s];
        // Half of the packed copies serve the other direction.
        const std::size_t weights = site.pack_size * sizeof(typename B::Activation) / 2;
        if (weights > values * plan.bytes(site.out_value)) break;
        bool alone = true;
        const auto made_here_or_later = [&](int value) { return value < 0 || value >= site.out_value; };
        for (std::size_t later = s + 1; later < plan.sites.size(); ++later)
            alone = alone && made_here_or_later(plan.sites[later].in_value) &&
                    made_here_or_later(plan.sites[later].second_value);
        if (alone) blocked = static_cast<int>(s) + 1;
    }
    return blocked;
}

template <class B, std::size_t N, std::size_t Runs>
constexpr PlanView<B> view(const Lowered<B, N, Runs>& plan) {
    PlanView<B> all{{plan.sites.data(), static_cast<std::size_t>(plan.stages)},
                    plan.values,
                    plan.boundary,
                    {plan.trained.data(), plan.trained_runs},
                    plan.last_value,
                    plan.canonical,
                    plan.masters,
                    plan.packs,
                    plan.lane_scratch,
                    plan.shared_scratch};
    all.cache_blocked_stages = cache_blocked_stages(all);
    all.block_images = block_images(all);
    return all;
}

}  // namespace SKEWGRAD_NAMESPACE::host
