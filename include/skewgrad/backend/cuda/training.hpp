// A training session's part of a device: gradients, optimiser state, sums over steps, and the recorded step.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/training.hpp>
#include <skewgrad/backend/cuda/memory.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Gradients (zero between steps) and optimiser state in the masters' layout. Slot s of all parameters is one run.
template <class O, class R>
struct Training {
    /// What a recorded step names: it can be given again where all of it is the same.
    struct Names {
        const void* masters;
        const void* inputs;
        const void* store;
        int images;
        friend bool operator==(const Names&, const Names&) = default;
    };

    Training(const Context<R>& on, const O& with, std::size_t masters)
        : optimiser(with),
          gradients(on.template zeros<float>(masters)),
          slots(on.template memory<float>(masters * O::slots)),
          state(on.template memory<StepStateOnDevice>(1)) {
        if (O::slots > 0) each(on.device(), slots.size(), Fill{static_cast<float>(O::slot_start), slots.data()});
        const StepStateOnDevice fresh;
        state.upload({&fresh, 1});
    }

    /// Runs a step; from the second one on `names` on, as one recorded piece.
    template <class Work>
    void run(const Context<R>& on, const Names& names, const Work& work) {
        auto kept = std::find_if(recorded_.begin(), recorded_.end(), [&](const Step& s) { return s.names == names; });
        if (kept == recorded_.end()) {
            work();  // whatever is set up at first use is set up now
            kept = oldest_++ % 2 == 0 ? recorded_.begin() : recorded_.begin() + 1;
            *kept = Step{names, false, {}};
        } else if (!kept->made) {
            on.device().capture(kept->graph, work);
            kept->made = true;
        } else {
            on.device().replay(kept->graph, work);
        }
    }
    /// Adds what the steps since the last reading have left to `to`, and waits for them.
    void read(StepState& to) {
        StepStateOnDevice seen;
        state.download({&seen, 1});
        to.images += seen.images;
        to.correct += seen.correct;
        to.loss_sum += seen.loss_sum;
        if (seen.failed()) {
            to.first_non_finite = std::min(to.first_non_finite, seen.first_non_finite);
            to.updates = seen.first_non_finite;
        }
        const StepStateOnDevice fresh;
        state.upload({&fresh, 1});
    }

    O optimiser;
    Memory<float, R> gradients, slots;
    Memory<StepStateOnDevice, R> state;

private:
    struct Step {
        Names names{};
        bool made = false;
        typename R::Graph graph{};
    };
    std::array<Step, 2> recorded_;  // whole batches, and an epoch's last
    unsigned oldest_ = 0;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
