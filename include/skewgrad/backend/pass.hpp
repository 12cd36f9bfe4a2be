// How a pass over a network is made and what it gives: statistics, dropout keys, blocks of logits, the sums of a step.
#pragma once
#include <cstdint>
#include <limits>

#include <skewgrad/backend/space.hpp>
#include <skewgrad/core/finite.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/batches.hpp>

namespace SKEWGRAD_NAMESPACE {

/// What a workspace keeps of a forward pass: nothing (evaluation), what the gradient at the images needs (attacks), or
/// everything (training).
enum class Mode : std::uint8_t { evaluate, attack, train };

/// Mean and variance that batch normalisation uses. running: the layer's statistics, frozen; an image's results do not
/// depend on other images. batch: of the images of the pass, each view by itself; the pass is then one block.
enum class BatchStatistics : std::uint8_t { running, batch };
inline const char* to_string(BatchStatistics of) { return of == BatchStatistics::running ? "running" : "batch"; }

/// Key of a batch's random draws, beside each image's Pick. It lies in the space's memory, since it differs by epoch.
struct DrawKeys {
    Seed seed{};
    std::uint32_t epoch = 0;
};

/// How a pass is made. `views` versions of each picked image lie one after the other: image n is a version of pick
/// n % (images / views), whose dropout masks it has.
struct Pass {
    BatchStatistics statistics = BatchStatistics::running;
    int views = 1;
    const DrawKeys* draws = nullptr;  ///< of dropout; null: no dropout
    const Pick* picks = nullptr;      ///< one a picked image; needed with draws
};

/// What dropout's masks are keyed on: image n has those of picks[(first + n) % count]. Without draws nothing is
/// dropped.
struct MaskKeys {
    const DrawKeys* draws = nullptr;
    const Pick* picks = nullptr;
    int count = 0;
    int first = 0;

    SKEWGRAD_FN explicit operator bool() const { return draws != nullptr; }
    SKEWGRAD_FN Stream stream(int n, std::uint16_t node) const {
        return stream_of(draws->seed, Purpose::dropout, picks[(first + n) % count], draws->epoch, node);
    }
};

/// Some images of a pass whose logits are known: picks `first` to `first + count - 1`; row n + v * count is view v of
/// pick first + n. `dz` has no rows where no gradient is wanted. The pointers are valid until the visit returns (in a
/// recording: in what it has given). z and dz do not overlap. dz is not initialised; every row is to be filled, up to
/// its stride.
template <class R>
struct LogitBlock {
    int first = 0, count = 0;
    Rows<const R> z;
    Rows<R> dz;
};

/// Called once for each block of a pass, with the queue to use. It only gives work, and does not throw.
template <class S>
using Visit = FunctionRef<void(const typename S::Queue&, const LogitBlock<typename S::Real>&)>;

/// Sums over training steps, in the space's memory. A loss that is not finite stops them: `update` then leaves the
/// network as it is.
struct StepState {
    double loss = 0;            ///< of the step in progress, over its images in their order
    std::uint64_t correct = 0;  ///< likewise: images classified correctly in the training pass (dropout on)
    double loss_sum = 0;        ///< of the steps that were made
    std::uint64_t images = 0, correct_sum = 0;
    std::uint64_t first_non_finite = std::numeric_limits<std::uint64_t>::max();  ///< the update that was refused first

    SKEWGRAD_FN bool failed() const { return first_non_finite != ~std::uint64_t{0}; }
};

/// Adds a block's losses to the step's, in the images' order, and at the end of a batch the step's to the session's.
/// A functor for `each` over one item; a device may have a faster kernel for it.
struct CountLosses {
    const double* losses;
    const std::uint8_t* correct;
    int count;         ///< images of the block
    bool first, last;  ///< whether it is the batch's first block, its last
    int batch;         ///< images of the batch
    const std::uint64_t* update;
    StepState* state;

    SKEWGRAD_FN void operator()(int) const {
        if (first) state->loss = 0, state->correct = 0;
        for (int n = 0; n < count; ++n) state->loss += losses[n], state->correct += correct[n];
        finish();
    }
    /// What is left once the block's sums are in the state.
    SKEWGRAD_FN void finish() const {
        if (!last || state->failed()) return;
        if (!finite_bits(state->loss)) {
            state->first_non_finite = *update;
            return;
        }
        state->loss_sum += state->loss;
        state->correct_sum += state->correct;
        state->images += static_cast<std::uint64_t>(batch);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
