// Which of a plan's first stages a host runs in small blocks of images, and how large these are.
#pragma once
#include <algorithm>
#include <cstddef>

#include <skewgrad/backend/plan/plan_view.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Images of a small block: as many as have room in half a mebibyte, of a value and of the one made of it.
template <class B>
constexpr int block_images(const plan::PlanView<B>& plan) {
    std::size_t largest = 1;
    for (const plan::Site<B>& site : plan.sites) largest = std::max(largest, plan.bytes(site.out_value));
    constexpr std::size_t room = 512 * 1024, most = 8;
    return static_cast<int>(std::clamp<std::size_t>(room / largest, 1, most));
}

/// Small blocks keep values in a near cache, but read a stage's weights once a block: worth it for as long as values
/// outweigh them. What comes after reads one value of what came before, so that the two can take turns.
template <class B>
constexpr int cache_blocked_stages(const plan::PlanView<B>& plan) {
    constexpr std::size_t values = 16;  // eight images', written and read
    int blocked = 0;
    for (std::size_t s = 0; s < plan.sites.size(); ++s) {
        const plan::Site<B>& site = plan.sites[s];
        // Half of the packed copies serve the other direction.
        const std::size_t weights = site.needs.packs * sizeof(typename B::Activation) / 2;
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

/// The plan with both.
template <class B>
constexpr plan::PlanView<B> with_small_blocks(plan::PlanView<B> plan) {
    plan.cache_blocked_stages = cache_blocked_stages(plan);
    plan.block_images = block_images(plan);
    return plan;
}

}  // namespace SKEWGRAD_NAMESPACE::host
