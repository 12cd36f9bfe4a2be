// Gradients and optimiser state of a training session on a device.
#pragma once
#include <cstddef>

#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/training.hpp>
#include <skewgrad/backend/cuda/memory.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Gradients (zero between steps) and optimiser state in the masters' layout. Slot s of all parameters is one run.
template <class O, class R>
struct Training {
    Training(const Context<R>& on, const O& with, std::size_t masters)
        : optimiser(with),
          gradients(on.template zeros<float>(masters)),
          slots(on.template memory<float>(masters * O::slots)) {
        if (O::slots > 0) each(on.device(), slots.size(), Fill{static_cast<float>(O::slot_start), slots.data()});
    }
    O optimiser;
    Memory<float, R> gradients, slots;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
