// A stage: one kernel's worth of the tape on a host backend, as data: where it stands and the functions that run it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/backend/host/layout.hpp>

namespace SKEWGRAD_NAMESPACE::host {

template <class B>
struct Ops;

/// An element-wise layer fused behind the stage before it, in place. Rows of `channels` values, `stride` apart.
template <class Value>
struct Epilogue {
    void (*value)(Value* y, int rows, int channels, std::ptrdiff_t stride);
    void (*slope)(const Value* y, Value* dy, int rows, int channels, std::ptrdiff_t stride);  // dy *= slope
    bool rectifies = false;  ///< it is max(y, 0): kernels may apply it before they store
};

/// Where a stage stands in the plan. Computed at compile time; sizes count elements, not bytes.
template <class B>
struct Site {
    Layout in, out;
    int in_value = 0, second_value = -1, out_value = 0;
    std::uint16_t node = 0;                           ///< of its first node, for random streams
    bool adds_to_in = false, adds_to_second = false;  ///< its input gradients join others that are there already
    std::size_t canonical_offset = 0, canonical_size = 0;
    std::size_t master_offset = 0, master_size = 0, trained_size = 0;
    std::size_t pack_offset = 0, pack_size = 0;
    std::size_t lane_scratch = 0, shared_scratch = 0;
    const Ops<B>* ops = nullptr;
    const Epilogue<typename B::Value>* epilogue = nullptr;
};

/// One run of a stage over `images` images. Pointers are to the first image; each value's images are contiguous.
template <class B>
struct Call {
    using Value = typename B::Value;
    using Sum = typename B::Sum;
    typename B::Context& on;
    const Site<B>& site;
    int images = 0;
    Mode mode = Mode::evaluate;
    const Value* in = nullptr;
    const Value* second = nullptr;
    Value* out = nullptr;
    const Value* d_out = nullptr;  ///< gradient at the output, the epilogue's slope already in it
    Value* d_in = nullptr;
    Value* d_second = nullptr;
    const Sum* masters = nullptr;  ///< the stage's own parameters, and its packed copies
    const Value* packs = nullptr;
    Sum* gradients = nullptr;
    Value* scratch = nullptr;      ///< `site.lane_scratch` elements for each lane
    Value* shared = nullptr;       ///< `site.shared_scratch` elements for all of them
    const Batch* batch = nullptr;  ///< whose images these are, in training

    const Value* in_image(int n) const { return in + static_cast<std::size_t>(n) * site.in.size; }
    Value* out_image(int n) const { return out + static_cast<std::size_t>(n) * site.out.size; }
    const Value* d_out_image(int n) const { return d_out + static_cast<std::size_t>(n) * site.out.size; }
    Value* d_in_image(int n) const { return d_in + static_cast<std::size_t>(n) * site.in.size; }
    Value* lane(int i) const { return scratch + static_cast<std::size_t>(i) * site.lane_scratch; }
    /// Applies the fused element-wise layer, if there is one, to image n of the output.
    void finish(int n) const {
        if (site.epilogue && site.out.c != 1)
            site.epilogue->value(out_image(n), 1, static_cast<int>(site.out.size), 0);
        else
            finish_rows(n, 0, site.out.shape.h);
    }
    /// The same for some rows of it; channels must stand innermost.
    void finish_rows(int n, int first, int rows) const {
        if (!site.epilogue) return;
        Value* at = out_image(n) + first * site.out.h;
        const int pixels = rows * site.out.shape.w, channels = site.out.shape.c;
        if (site.out.w == channels)  // no padding between pixels
            site.epilogue->value(at, 1, pixels * channels, 0);
        else
            site.epilogue->value(at, pixels, channels, site.out.w);
    }
};

/// How a stage is run. Null where there is nothing to do: no parameters, no packed copies.
template <class B>
struct Ops {
    using Real = typename B::Real;
    using Sum = typename B::Sum;
    void (*import_parameters)(const Site<B>&, const Real* canonical, Sum* masters) = nullptr;
    void (*export_parameters)(const Site<B>&, const Sum* masters, Real* canonical) = nullptr;
    void (*repack)(typename B::Context&, const Site<B>&, const Sum* masters, typename B::Value* packs) = nullptr;
    void (*forward)(const Call<B>&) = nullptr;
    void (*backward_data)(const Call<B>&) = nullptr;
    void (*backward_weights)(const Call<B>&) = nullptr;  // adds to the stage's gradients
};

/// How backend B runs one layer. The primary template covers element-wise and gather layers; backends, and users who
/// want more speed for a layer of theirs, specialise it ("native").
template <class B, class Layer>
struct Stage;

template <class B, class Layer>
inline constexpr Ops<B> ops_of = [] {
    using S = Stage<B, Layer>;
    Ops<B> ops;
    ops.forward = &S::forward;
    ops.backward_data = &S::backward_data;
    if constexpr (requires { &S::backward_weights; }) {
        ops.import_parameters = &S::import_parameters;
        ops.export_parameters = &S::export_parameters;
        ops.backward_weights = &S::backward_weights;
    }
    if constexpr (requires { &S::repack; }) ops.repack = &S::repack;
    return ops;
}();

}  // namespace SKEWGRAD_NAMESPACE::host
