// Sums over the updates of a training session, on the host.
#pragma once
#include <cstdint>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

struct TrainingSums {
    std::uint64_t updates = 0;  ///< made so far: the t of learning-rate schedules
    std::uint64_t images = 0;   ///< trained on
    std::uint64_t correct = 0;  ///< of them, classified correctly in the training pass (dropout on)
    double loss_sum = 0;        ///< over images, in their order
};

}  // namespace SKEWGRAD_NAMESPACE
