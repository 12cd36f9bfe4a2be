// Where a stage stands in a plan, and what it needs there: layouts, parameters, scratch, memory of the forward pass.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <skewgrad/backend/plan/layout.hpp>

namespace SKEWGRAD_NAMESPACE::plan {

template <class B>
struct Ops;

/// What a value's elements are stored in: B::Boundary at the network's two ends (the image, the logits and the
/// gradients at both; `lower` says which else), B::Activation between. Backends of one element type name it twice.
template <class B, bool boundary>
using Element = std::conditional_t<boundary, typename B::Boundary, typename B::Activation>;

/// An element-wise layer fused behind the stage before it, in place. Rows of `channels` values, `stride` apart.
struct Epilogue {
    void (*value)(void* y, int rows, int channels, std::ptrdiff_t stride);
    void (*slope)(const void* y, void* d_out, int rows, int channels, std::ptrdiff_t stride);  // d_out *= slope
};

/// What backward_data reads of the forward pass: the stage's values (in, second and out), and a record of the stage's
/// own that its forward function leaves.
struct Memory {
    bool values = true;
    std::size_t record = 0;  ///< bytes an image; images without gaps
};

/// What is true of a stage wherever it stands. Each stage states it: `static constexpr Traits traits`.
struct Traits {
    bool can_finish = false;  ///< it applies a fused element-wise layer to what it wrote
    bool rounds = false;      ///< it reads Boundary and writes Activation: the image's own element type ends here
    bool repacks = false;     ///< it keeps packed copies of its parameters, which its `repack` makes
};

/// What a stage needs at its site. Each stage states it: `static constexpr Needs needs(const Site<B>&)`. What it does
/// not name has the default. All sizes count elements but the record's.
struct Needs {
    std::size_t masters = 0;         ///< Sums that hold its parameters
    bool canonical = false;          ///< they stand in canonical order; if not, all are trained
    std::size_t packs = 0;           ///< Activations of packed copies
    std::size_t lane_scratch = 0;    ///< Activations of scratch for each lane
    std::size_t shared_scratch = 0;  ///< Sums of scratch for all lanes together
    Memory memory{};
    bool masks_input = false;  ///< backward_data can apply the slope of the rectifier that wrote its input
    bool whole_batch = false;  ///< with batch statistics it must see all images of a batch at once
};

/// Where a stage stands in the plan. Computed at compile time. `needs` sees all of it but `ops`, `masked` and the
/// offsets.
template <class B>
struct Site {
    Layout in, second, out;
    int in_value = 0, second_value = -1, out_value = 0;
    bool in_boundary = false, out_boundary = false;   ///< stored in B::Boundary
    std::uint16_t node = 0;                           ///< of its first node, for random streams
    bool adds_to_in = false, adds_to_second = false;  ///< its input gradients join others that are there already
    std::size_t canonical_offset = 0, canonical_size = 0;
    std::size_t master_offset = 0, pack_offset = 0;
    Needs needs{};
    const Ops<B>* ops = nullptr;
    const Epilogue* epilogue = nullptr;
    bool rectifies = false;  ///< the epilogue is Relu, which kernels can apply to sums before they are stored
    bool masks_in = false;   ///< backward_data also applies the slope of the rectifier that wrote this stage's input,
    bool masked = false;     ///< whose own stage then finds it in its output's gradient
};

}  // namespace SKEWGRAD_NAMESPACE::plan
