// What a pass over a block of images needs: arenas whose parts are shared by values that never live together.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include <skewgrad/backend/host/buffer.hpp>
#include <skewgrad/backend/host/tenancy.hpp>

namespace SKEWGRAD_NAMESPACE::host {

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
          lanes_(lanes),
          near_images_(plan.near_images),
          number_(plan),
          tenants_(tenancies(plan, mode)),
          near_size_(settle(tenants_, true)),
          arena_(settle(tenants_) * static_cast<std::size_t>(images)),
          near_(near_size_ * static_cast<std::size_t>(near_images_ * lanes)),
          scratch_(plan.lane_scratch * static_cast<std::size_t>(lanes)),
          shared_scratch_(plan.shared_scratch),
          batch_(mode == Mode::train ? plan.values[0].size * static_cast<std::size_t>(images) : 0),
          losses_(static_cast<std::size_t>(images)),
          labels_(mode == Mode::train ? static_cast<std::size_t>(images) : 0) {}

    /// What it is for: evaluation, which keeps nothing; attacks, which keep what gradients at the images need;
    /// training, and all gradients of parameters, which keep every value.
    Mode mode() const { return mode_; }
    int images() const { return images_; }
    const Tenants& number() const { return number_; }
    void* value(int v) { return at(number_.value(v)); }
    void* gradient(int v) { return at(number_.gradient(v)); }
    /// Where a tenant begins, and whether it passes with a small block. Then it has room for one, or where no lane is
    /// named, for as many images as there are lanes.
    bool passes(std::size_t tenant) const { return tenants_[tenant].passes; }
    std::byte* at(std::size_t tenant, int lane = -1) {
        const Tenancy& t = tenants_[tenant];
        if (!t.passes) return arena_.data() + t.offset * static_cast<std::size_t>(images_);
        const auto room = static_cast<std::size_t>(lane < 0 ? near_images_ * lanes_ : near_images_);
        return near_.data() + (lane < 0 ? 0 : static_cast<std::size_t>(lane) * near_size_ * room) + t.offset * room;
    }
    Value* scratch() { return scratch_.data(); }
    Sum* shared_scratch() { return shared_scratch_.data(); }
    Edge* batch() { return batch_.data(); }  ///< a training batch's images
    std::span<double> losses() { return losses_; }
    std::span<Label> labels() { return labels_; }  ///< those of a training batch's images

    static std::size_t bytes(const PlanView<B>& plan, Mode mode, int images, int lanes) {
        auto tenants = tenancies(plan, mode);
        const std::size_t an_image = settle(tenants) + (mode == Mode::train ? plan.bytes(0) : 0);
        const std::size_t a_lane =
            settle(tenants, true) * static_cast<std::size_t>(plan.near_images) + plan.lane_scratch * sizeof(Value);
        return an_image * static_cast<std::size_t>(images) + a_lane * static_cast<std::size_t>(lanes) +
               plan.shared_scratch * sizeof(Sum);
    }

private:
    Mode mode_;
    int images_, lanes_, near_images_;
    Tenants number_;
    std::vector<Tenancy> tenants_;
    std::size_t near_size_;
    Buffer<std::byte> arena_, near_;
    Buffer<Value> scratch_;
    Buffer<Sum> shared_scratch_;
    Buffer<Edge> batch_;
    std::vector<double> losses_;
    std::vector<Label> labels_;
};

}  // namespace SKEWGRAD_NAMESPACE::host
