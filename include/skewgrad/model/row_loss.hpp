// The loss of each row of a block of logits, its gradient, and whether the prediction is correct.
#pragma once
#include <cstdint>

#include <skewgrad/backend/pass.hpp>
#include <skewgrad/nn/losses.hpp>
#include <skewgrad/nn/prediction.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A functor for `each` over a block's picks; the visit of training steps and of attacks. Labels, targets, losses and
/// `correct` are those of the whole pass: image n of a block is theirs at block.first + n. With two views the loss
/// compares z, view 1, with view 0.
template <class F, class R>
struct RowLoss {
    const F* formula;  ///< in the space's memory: it differs from step to step
    LogitBlock<R> block;
    int views = 1;
    const Label* labels = nullptr;
    const Label* targets = nullptr;  ///< null: the labels
    const float* table = nullptr;
    Rows<const R> without{};  ///< logits without the attack, of the whole pass; for losses of pairs with one view
    double scale = 1;
    double* losses = nullptr;         ///< null: not wanted
    std::uint8_t* correct = nullptr;  ///< null: not wanted

    SKEWGRAD_FN void operator()(int n) const {
        const int i = block.first + n, last = views == 2 ? n + block.count : n;
        const int label = index(labels[i]);
        const LossCase<R> of{block.z[last], views == 2 ? block.z[n] : without[i], block.z.classes,
                             label,         targets ? index(targets[i]) : label,  table};
        const double loss = (*formula)(of, scale, block.dz[last], views == 2 ? block.dz[n] : nullptr);
        if (losses) losses[i] = loss;
        if (correct) correct[i] = argmax_of(block.z[n], block.z.classes) == label;
        if (!block.dz.data) return;
        for (int view = 0; view < views; ++view)
            for (int k = block.dz.classes; k < block.dz.stride; ++k) block.dz[n + view * block.count][k] = 0;
    }
};

}  // namespace SKEWGRAD_NAMESPACE
