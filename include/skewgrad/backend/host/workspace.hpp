// What a pass over a block of images needs: one arena whose parts are shared by values that never live together.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <skewgrad/backend/host/buffer.hpp>
#include <skewgrad/backend/host/lower.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// A lowered network without its length in the type, so that the schedule is compiled once a backend.
template <class B>
struct PlanView {
    std::span<const Site<B>> sites;
    std::span<const Layout> values;
    std::span<const bool> edges;
    int last_value = 0;
    std::size_t canonical = 0, masters = 0, packs = 0, lane_scratch = 0, shared_scratch = 0;
    int near_stages = 0;  ///< leading stages that passes over images run in small blocks
    int near_images = 0;  ///< of such a block for one thread

    /// Bytes of a value of one image.
    constexpr std::size_t bytes(int value) const {
        const auto v = static_cast<std::size_t>(value);
        return values[v].size * (edges[v] ? sizeof(typename B::Edge) : sizeof(typename B::Value));
    }
    /// What small blocks leave for the stages behind them; -1 where there are none.
    constexpr int near_value() const {
        return near_stages > 0 ? sites[static_cast<std::size_t>(near_stages) - 1].out_value : -1;
    }
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
constexpr int near_images(const PlanView<B>& plan) {
    std::size_t largest = 1;
    for (const Site<B>& site : plan.sites) largest = std::max(largest, plan.bytes(site.out_value));
    constexpr std::size_t room = 512 * 1024, most = 8;
    return static_cast<int>(std::clamp<std::size_t>(room / largest, 1, most));
}

/// Small blocks keep values in a near cache, but read a stage's weights once a block: worth it for as long as values
/// outweigh them. What comes after reads one value of what came before, so that the two can take turns.
template <class B>
constexpr int near_stages(const PlanView<B>& plan) {
    constexpr std::size_t values = 16;  // eight images', written and read
    int near = 0;
    for (std::size_t s = 0; s < plan.sites.size(); ++s) {
        const Site<B>& site = plan.sites[s];
        // Half of the packed copies serve the other direction.
        const std::size_t weights = site.pack_size * sizeof(typename B::Value) / 2;
        if (weights > values * plan.bytes(site.out_value)) break;
        bool alone = true;
        const auto made_here_or_later = [&](int value) { return value < 0 || value >= site.out_value; };
        for (std::size_t later = s + 1; later < plan.sites.size(); ++later)
            alone = alone && made_here_or_later(plan.sites[later].in_value) &&
                    made_here_or_later(plan.sites[later].second_value);
        if (alone) near = static_cast<int>(s) + 1;
    }
    return near;
}

template <class B, std::size_t N>
constexpr PlanView<B> view(const Lowered<B, N>& plan) {
    PlanView<B> all{{plan.sites.data(), static_cast<std::size_t>(plan.stages)},
                    plan.values,
                    plan.edges,
                    plan.last_value,
                    plan.canonical,
                    plan.masters,
                    plan.packs,
                    plan.lane_scratch,
                    plan.shared_scratch};
    all.near_stages = near_stages(all);
    all.near_images = near_images(all);
    return all;
}

/// Where values and their gradients lie in the arena, in bytes an image. Time runs over the stages forward and
/// then backward; two tenants share memory when their times do not meet (first fit in order of birth).
struct Tenancy {
    int from = 0, to = -1;  ///< first and last moment, both included; to < from: never
    std::size_t size = 0, offset = 0;
};

/// Deals out offsets; returns the arena's size.
inline std::size_t settle(std::vector<Tenancy>& tenants) {
    std::vector<Tenancy*> order;
    for (Tenancy& t : tenants)
        if (t.to >= t.from && t.size > 0) order.push_back(&t);
    // Ties by place in the list; std::stable_sort would do, were it not for a warning of clang's about libstdc++ 12.
    std::sort(order.begin(), order.end(),
              [](const Tenancy* a, const Tenancy* b) { return a->from != b->from ? a->from < b->from : a < b; });
    std::size_t total = 0;
    std::vector<const Tenancy*> living;
    for (Tenancy* t : order) {
        std::erase_if(living, [&](const Tenancy* other) { return other->to < t->from; });
        std::sort(living.begin(), living.end(), [](auto* a, auto* b) { return a->offset < b->offset; });
        std::size_t at = 0;
        for (const Tenancy* other : living) {
            if (other->offset >= at + t->size) break;
            at = std::max(at, other->offset + other->size);
        }
        t->offset = at;
        living.push_back(t);
        total = std::max(total, at + t->size);
    }
    return total;
}

/// Moments of the plan's values [0, values), gradients [values, 2 values), one spare for joined gradients, and the
/// stages' records. Value 0, the image, and its gradient are the caller's and take nothing.
template <class B>
std::vector<Tenancy> tenancies(const PlanView<B>& plan, Mode mode) {
    const auto values = plan.values.size();
    const int stages = static_cast<int>(plan.sites.size()), end = 2 * stages;
    std::vector<Tenancy> all(2 * values + 1 + plan.sites.size());
    const auto lines = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };  // each on lines of its own
    const auto room = [&](int value) { return lines(plan.bytes(value)); };
    const bool back = mode != Mode::evaluate;
    for (int s = 0; s < stages; ++s) {
        const Site<B>& site = plan.sites[static_cast<std::size_t>(s)];
        const int again = end - 1 - s;  // when the stage runs backward
        const auto out = static_cast<std::size_t>(site.out_value);
        all[out] = {s, plan.kept(site.out_value, mode) ? again : s, room(site.out_value), 0};
        if (back) all[values + out] = {again, again, room(site.out_value), 0};
        if (back) all[2 * values + 1 + static_cast<std::size_t>(s)] = {s, again, lines(site.memory.record), 0};
        for (const int v : std::array{site.in_value, site.second_value}) {
            if (v < 0) continue;
            const auto read = static_cast<std::size_t>(v);
            if (back && (site.adds_to_in || site.adds_to_second)) {
                Tenancy& spare = all[2 * values];
                spare = {stages, end, std::max(spare.size, room(v)), 0};
            }
            if (v == 0) continue;
            all[read].to = std::max(all[read].to, s);
            if (back) all[values + read].from = std::min(all[values + read].from, again);
        }
    }
    // What lasts from block to block lives while other blocks run, forward and, in an attack, backward.
    for (int s = 0; s < plan.near_stages; ++s) {
        const int v = plan.sites[static_cast<std::size_t>(s)].out_value;
        const auto lasting = [&](std::size_t tenant) {
            all[tenant].from = 0;
            if (mode == Mode::attack) all[tenant].to = end;
        };
        const bool kept = plan.kept(v, mode);
        if (kept) lasting(static_cast<std::size_t>(v));
        if (back) lasting(2 * values + 1 + static_cast<std::size_t>(s));
        if (v != plan.near_value()) continue;
        all[static_cast<std::size_t>(v)].from = 0;
        if (mode == Mode::attack) all[values + static_cast<std::size_t>(v)].to = end;
    }
    const auto last = static_cast<std::size_t>(plan.last_value);
    all[last].to = std::max(all[last].to, stages);  // the loss reads it and writes its gradient
    if (back) all[values + last].from = std::min(all[values + last].from, stages - 1);
    return all;
}

/// Scratch memory of one user of a program: evaluate, attack or train at most `images()` images at a time.
template <class B>
class Workspace {
public:
    using Edge = typename B::Edge;
    using Value = typename B::Value;
    using Sum = typename B::Sum;

    // Not inlined: every network would have a copy.
    [[gnu::noinline]] Workspace(const PlanView<B>& plan, Mode mode, int images, int lanes)
        : mode_(mode),
          images_(images),
          tenants_(tenancies(plan, mode)),
          values_(plan.values.size()),
          lasts_(values_),
          arena_(settle(tenants_) * static_cast<std::size_t>(images)),
          scratch_(plan.lane_scratch * static_cast<std::size_t>(lanes)),
          shared_scratch_(plan.shared_scratch),
          batch_(mode == Mode::train ? plan.values[0].size * static_cast<std::size_t>(images) : 0),
          losses_(static_cast<std::size_t>(images)) {
        for (std::size_t v = 0; v < values_; ++v) {
            const int value = static_cast<int>(v);
            lasts_[v] = value == 0 || value == plan.near_value() || plan.kept(value, mode);
        }
    }

    /// What it is for: evaluation, which keeps nothing; attacks, which keep what gradients at the images need;
    /// training, and all gradients of parameters, which keep every value.
    Mode mode() const { return mode_; }
    int images() const { return images_; }
    void* value(int v) { return at(static_cast<std::size_t>(v)); }
    void* gradient(int v) { return at(values_ + static_cast<std::size_t>(v)); }
    void* spare() { return at(2 * values_); }
    std::byte* record(int stage) { return at(2 * values_ + 1 + static_cast<std::size_t>(stage)); }
    /// Whether every image has a place for a value of its own, small blocks or not.
    bool lasts(int v) const { return lasts_[static_cast<std::size_t>(v)]; }
    Value* scratch() { return scratch_.data(); }
    Sum* shared_scratch() { return shared_scratch_.data(); }
    Edge* batch() { return batch_.data(); }  ///< a training batch's images
    std::span<double> losses() { return losses_; }

    static std::size_t bytes(const PlanView<B>& plan, Mode mode, int images, int lanes) {
        auto tenants = tenancies(plan, mode);
        const std::size_t an_image = settle(tenants) + (mode == Mode::train ? plan.bytes(0) : 0);
        return an_image * static_cast<std::size_t>(images) +
               plan.lane_scratch * static_cast<std::size_t>(lanes) * sizeof(Value) + plan.shared_scratch * sizeof(Sum);
    }

private:
    std::byte* at(std::size_t tenant) {
        return arena_.data() + tenants_[tenant].offset * static_cast<std::size_t>(images_);
    }
    Mode mode_;
    int images_;
    std::vector<Tenancy> tenants_;
    std::size_t values_;
    std::vector<bool> lasts_;
    Buffer<std::byte> arena_;
    Buffer<Value> scratch_;
    Buffer<Sum> shared_scratch_;
    Buffer<Edge> batch_;
    std::vector<double> losses_;
};

}  // namespace SKEWGRAD_NAMESPACE::host
