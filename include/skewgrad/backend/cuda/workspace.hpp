// What a pass over images needs on a device: one arena whose parts are shared by values that never live together.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include <skewgrad/backend/cuda/kernels/training.hpp>
#include <skewgrad/backend/cuda/memory.hpp>
#include <skewgrad/backend/host/workspace.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Scratch memory of one user of a program, at most `images()` images at a time.
template <class B>
class Workspace {
public:
    using Activation = typename B::Activation;
    using Sum = typename B::Sum;
    using R = typename B::Device;

    Workspace(const typename B::Context& on, const host::PlanView<B>& plan, Mode mode, int images)
        : images_(images),
          ranges_(live_ranges(plan, mode)),
          number_(plan),
          arena_(on.template memory<std::byte>(host::assign_offsets(ranges_) * count())),
          scratch_(on.template memory<Activation>(plan.lane_scratch * count())),
          shared_scratch_(on.template memory<Sum>(plan.shared_scratch)),
          batch_(on.template memory<float>(mode == Mode::train ? plan.values[0].size * count() : 0)),
          inputs_(on.template memory<std::byte>(input_bytes(count()))),
          labels_(on.template memory<Label>(count())),
          losses_(on.template memory<double>(count())),
          right_(on.template memory<std::uint8_t>(count())) {}

    int images() const { return images_; }
    void* value(int v) { return at(number_.value(v)); }
    void* gradient(int v) { return at(number_.gradient(v)); }
    void* spare() { return at(number_.spare(false)); }
    Activation* scratch() { return scratch_.data(); }  ///< `lane_scratch` elements an image
    Sum* shared_scratch() { return shared_scratch_.data(); }
    float* batch() { return batch_.data(); }  ///< a training batch's images
    /// What a step is told: a BatchOnDevice, its picks, and behind them the optimiser's step.
    Memory<std::byte, R>& inputs() { return inputs_; }
    Memory<Label, R>& labels() { return labels_; }
    Memory<double, R>& losses() { return losses_; }
    std::uint8_t* right() { return right_.data(); }

    static std::size_t bytes(const host::PlanView<B>& plan, Mode mode, int images) {
        auto ranges = live_ranges(plan, mode);
        const std::size_t an_image = host::assign_offsets(ranges) + (mode == Mode::train ? plan.bytes(0) : 0) +
                                     sizeof(Label) + sizeof(double) + sizeof(std::uint8_t);
        return (an_image + plan.lane_scratch * sizeof(Activation)) * static_cast<std::size_t>(images) +
               plan.shared_scratch * sizeof(Sum) + input_bytes(static_cast<std::size_t>(images));
    }

private:
    /// In training everything lives until the end: gradients of weights read it while other work goes on.
    static std::vector<host::LiveRange> live_ranges(const host::PlanView<B>& plan, Mode mode) {
        auto all = host::live_ranges(plan, mode);
        if (mode == Mode::train)
            for (host::LiveRange& t : all)
                if (t.to >= t.from) t.to = 2 * static_cast<int>(plan.sites.size());
        return all;
    }
    static constexpr std::size_t step_bytes = 256;  // room for any optimiser's step
    static constexpr std::size_t input_bytes(std::size_t images) {
        return sizeof(BatchOnDevice) + images * sizeof(Pick) + step_bytes;
    }
    std::size_t count() const { return static_cast<std::size_t>(images_); }
    std::byte* at(std::size_t range) { return arena_.data() + ranges_[range].offset * count(); }

    int images_;
    std::vector<host::LiveRange> ranges_;
    host::RangeNumbers number_;
    Memory<std::byte, R> arena_;
    Memory<Activation, R> scratch_;
    Memory<Sum, R> shared_scratch_;
    Memory<float, R> batch_;
    Memory<std::byte, R> inputs_;
    Memory<Label, R> labels_;
    Memory<double, R> losses_;
    Memory<std::uint8_t, R> right_;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
