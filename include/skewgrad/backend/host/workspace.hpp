// What a pass over a block of images needs: arenas whose parts are shared by values that never live together.
#pragma once
#include <cstddef>
#include <vector>

#include <skewgrad/backend/host/buffer.hpp>
#include <skewgrad/backend/plan/live_ranges.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// Memory of one pass at a time: evaluation, attack or training of at most `images()` images.
template <class B>
class Workspace {
public:
    using Activation = typename B::Activation;
    using Sum = typename B::Sum;

    // Not inlined: every network would have a copy.
    [[gnu::noinline]] Workspace(const plan::PlanView<B>& plan, Mode mode, int images, int lanes)
        : mode_(mode),
          images_(images),
          lanes_(lanes),
          block_images_(plan.block_images),
          number_(plan),
          ranges_(plan::live_ranges(plan, mode)),
          block_size_(plan::assign_offsets(ranges_, true)),
          arena_(plan::assign_offsets(ranges_) * static_cast<std::size_t>(images)),
          block_arena_(block_size_ * static_cast<std::size_t>(block_images_ * lanes)),
          scratch_(plan.lane_scratch * static_cast<std::size_t>(lanes)),
          shared_scratch_(plan.shared_scratch) {}

    /// What it is for: evaluation, which keeps nothing; attacks, which keep what gradients at the images need;
    /// training, and all gradients of parameters, which keep every value.
    Mode mode() const { return mode_; }
    int images() const { return images_; }
    const plan::RangeNumbers& number() const { return number_; }
    void* value(int v) { return at(number_.value(v)); }
    void* gradient(int v) { return at(number_.gradient(v)); }
    /// Where a range begins, and whether it passes with a small block. Then it has room for one, or where no lane is
    /// named, for as many images as there are lanes.
    bool passes(std::size_t range) const { return ranges_[range].passes; }
    std::byte* at(std::size_t range, int lane = -1) {
        const plan::LiveRange& t = ranges_[range];
        if (!t.passes) return arena_.data() + t.offset * static_cast<std::size_t>(images_);
        const auto room = static_cast<std::size_t>(lane < 0 ? block_images_ * lanes_ : block_images_);
        return block_arena_.data() + (lane < 0 ? 0 : static_cast<std::size_t>(lane) * block_size_ * room) +
               t.offset * room;
    }
    Activation* scratch() { return scratch_.data(); }
    Sum* shared_scratch() { return shared_scratch_.data(); }

    static std::size_t bytes(const plan::PlanView<B>& plan, Mode mode, int images, int lanes) {
        auto ranges = plan::live_ranges(plan, mode);
        const std::size_t an_image = plan::assign_offsets(ranges);
        const std::size_t a_lane = plan::assign_offsets(ranges, true) * static_cast<std::size_t>(plan.block_images) +
                                   plan.lane_scratch * sizeof(Activation);
        return an_image * static_cast<std::size_t>(images) + a_lane * static_cast<std::size_t>(lanes) +
               plan.shared_scratch * sizeof(Sum);
    }

private:
    Mode mode_;
    int images_, lanes_, block_images_;
    plan::RangeNumbers number_;
    std::vector<plan::LiveRange> ranges_;
    std::size_t block_size_;
    Buffer<std::byte> arena_, block_arena_;
    Buffer<Activation> scratch_;
    Buffer<Sum> shared_scratch_;
};

}  // namespace SKEWGRAD_NAMESPACE::host
