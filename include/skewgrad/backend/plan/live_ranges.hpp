// Live ranges of values, gradients and records: those that are never needed at the same time share memory.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <skewgrad/backend/plan/plan_view.hpp>

namespace SKEWGRAD_NAMESPACE::plan {

/// Where values and their gradients lie in an arena, in bytes an image. Time runs over the stages forward and
/// then backward; two ranges share memory when their times do not meet (first fit in order of birth).
struct LiveRange {
    int from = 0, to = -1;  ///< first and last moment, both included; to < from: never
    std::size_t size = 0, offset = 0;
    bool passes = false;  ///< with a small block: it lives in the arena of the thread that runs the block
};

/// Assigns offsets to the ranges that pass, or to those that do not; returns the size of their arena.
inline std::size_t assign_offsets(std::vector<LiveRange>& ranges, bool passing = false) {
    std::vector<LiveRange*> order;
    for (LiveRange& t : ranges)
        if (t.passes == passing && t.to >= t.from && t.size > 0) order.push_back(&t);
    // Ties by place in the list; std::stable_sort would do, were it not for a warning of clang's about libstdc++ 12.
    std::sort(order.begin(), order.end(),
              [](const LiveRange* a, const LiveRange* b) { return a->from != b->from ? a->from < b->from : a < b; });
    std::size_t total = 0;
    std::vector<const LiveRange*> living;
    for (LiveRange* t : order) {
        std::erase_if(living, [&](const LiveRange* other) { return other->to < t->from; });
        std::sort(living.begin(), living.end(), [](auto* a, auto* b) { return a->offset < b->offset; });
        std::size_t at = 0;
        for (const LiveRange* other : living) {
            if (other->offset >= at + t->size) break;
            at = std::max(at, other->offset + other->size);
        }
        t->offset = at;
        living.push_back(t);
        total = std::max(total, at + t->size);
    }
    return total;
}

/// Numbers of a plan's ranges: values, gradients, spare gradients (of the first stages, of the others), records of
/// stages.
struct RangeNumbers {
    std::size_t values, stages;

    template <class B>
    constexpr explicit RangeNumbers(const PlanView<B>& plan) : values(plan.values.size()), stages(plan.sites.size()) {}
    constexpr std::size_t value(int v) const { return static_cast<std::size_t>(v); }
    constexpr std::size_t gradient(int v) const { return values + static_cast<std::size_t>(v); }
    constexpr std::size_t spare(bool blocked) const { return 2 * values + blocked; }
    constexpr std::size_t record(int stage) const { return 2 * values + 2 + static_cast<std::size_t>(stage); }
    constexpr std::size_t count() const { return 2 * values + 2 + stages; }
};

/// The ranges' moments. Activation 0, the image, and its gradient are the caller's and take nothing.
template <class B>
std::vector<LiveRange> live_ranges(const PlanView<B>& plan, Mode mode) {
    const RangeNumbers number(plan);
    const int stages = static_cast<int>(plan.sites.size()), end = 2 * stages;
    std::vector<LiveRange> all(number.count());
    const auto lines = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };  // each on lines of its own
    const auto room = [&](int value) { return lines(plan.bytes(value)); };
    const bool back = mode != Mode::evaluate;
    for (int s = 0; s < stages; ++s) {
        const Site<B>& site = plan.sites[static_cast<std::size_t>(s)];
        const int again = end - 1 - s;  // when the stage runs backward
        const int out = site.out_value;
        const bool inner = out != plan.cache_blocked_output(), kept = plan.kept(out, mode);
        const bool blocked = s < plan.cache_blocked_stages && inner,
                   cache_blocked_back = s < plan.cache_blocked_back(mode);
        all[number.value(out)] = {s, kept ? again : s, room(out), 0, blocked && !kept};
        if (back) {
            all[number.gradient(out)] = {again, again, room(out), 0, cache_blocked_back && inner};
            all[number.record(s)] = {s, again, lines(site.needs.memory.record)};
        }
        for (const int v : std::array{site.in_value, site.second_value}) {
            if (v < 0) continue;
            if (back && (site.adds_to_in || site.adds_to_second)) {
                LiveRange& spare = all[number.spare(cache_blocked_back)];
                spare = {stages, end, std::max(spare.size, room(v)), 0, cache_blocked_back};
            }
            if (v == 0) continue;
            LiveRange &value = all[number.value(v)], &gradient = all[number.gradient(v)];
            value.to = std::max(value.to, s);
            if (back) gradient.from = std::min(gradient.from, again);
        }
    }
    LiveRange &last = all[number.value(plan.last_value)], &gradient = all[number.gradient(plan.last_value)];
    last.to = std::max(last.to, stages);  // the loss reads it and writes its gradient
    if (back) gradient.from = std::min(gradient.from, stages - 1);
    return all;
}

}  // namespace SKEWGRAD_NAMESPACE::plan
