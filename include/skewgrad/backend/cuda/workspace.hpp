// What a pass over images needs on a device: one arena whose parts are shared by values that never live together.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include <skewgrad/backend/cuda/memory.hpp>
#include <skewgrad/backend/plan/live_ranges.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Memory of one pass at a time: evaluation, attack or training of at most `images()` images.
template <class B>
class Workspace {
public:
    using Activation = typename B::Activation;
    using Sum = typename B::Sum;
    using R = typename B::Device;

    Workspace(const typename B::Context& on, const plan::PlanView<B>& plan, Mode mode, int images)
        : mode_(mode),
          images_(images),
          ranges_(live_ranges(plan, mode)),
          number_(plan),
          arena_(on.template memory<std::byte>(plan::assign_offsets(ranges_) * count())),
          scratch_(on.template memory<Activation>(plan.lane_scratch * count())),
          shared_scratch_(on.template memory<Sum>(plan.shared_scratch)) {}

    Mode mode() const { return mode_; }
    int images() const { return images_; }
    void* value(int v) { return at(number_.value(v)); }
    void* gradient(int v) { return at(number_.gradient(v)); }
    std::byte* record(int stage) { return at(number_.record(stage)); }
    void* spare() { return at(number_.spare(false)); }
    Activation* scratch() { return scratch_.data(); }  ///< `lane_scratch` elements an image
    Sum* shared_scratch() { return shared_scratch_.data(); }

    static std::size_t bytes(const plan::PlanView<B>& plan, Mode mode, int images) {
        auto ranges = live_ranges(plan, mode);
        return (plan::assign_offsets(ranges) + plan.lane_scratch * sizeof(Activation)) *
                   static_cast<std::size_t>(images) +
               plan.shared_scratch * sizeof(Sum);
    }

private:
    /// In training everything lives until the end: gradients of weights read it while other work goes on.
    static std::vector<plan::LiveRange> live_ranges(const plan::PlanView<B>& plan, Mode mode) {
        auto all = plan::live_ranges(plan, mode);
        if (mode == Mode::train)
            for (plan::LiveRange& t : all)
                if (t.to >= t.from) t.to = 2 * static_cast<int>(plan.sites.size());
        return all;
    }
    std::size_t count() const { return static_cast<std::size_t>(images_); }
    std::byte* at(std::size_t range) { return arena_.data() + ranges_[range].offset * count(); }

    Mode mode_;
    int images_;
    std::vector<plan::LiveRange> ranges_;
    plan::RangeNumbers number_;
    Memory<std::byte, R> arena_;
    Memory<Activation, R> scratch_;
    Memory<Sum, R> shared_scratch_;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
