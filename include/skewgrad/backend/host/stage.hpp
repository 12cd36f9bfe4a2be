// A stage: one kernel's worth of the tape on a host backend, as data: where it stands and the functions that run it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <skewgrad/backend/host/layout.hpp>
#include <skewgrad/backend/pass.hpp>
#include <skewgrad/nn/layer.hpp>

namespace SKEWGRAD_NAMESPACE::host {

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

/// What a stage's backward_data asks of the forward pass: the stage's values (in, second and out), and a record of its
/// own that its forward function leaves. A stage that needs less says so: `static constexpr Memory memory(const
/// Site&)`.
struct Memory {
    bool values = true;
    std::size_t record = 0;  ///< bytes an image; images without gaps
};

/// Where a stage stands in the plan. Computed at compile time; sizes count elements, not bytes.
template <class B>
struct Site {
    Layout in, second, out;
    int in_value = 0, second_value = -1, out_value = 0;
    bool in_boundary = false, out_boundary = false;   ///< stored in B::Boundary
    std::uint16_t node = 0;                           ///< of its first node, for random streams
    bool adds_to_in = false, adds_to_second = false;  ///< its input gradients join others that are there already
    std::size_t canonical_offset = 0, canonical_size = 0;
    std::size_t master_offset = 0, master_size = 0;
    std::size_t pack_offset = 0, pack_size = 0;
    std::size_t lane_scratch = 0, shared_scratch = 0;
    const Ops<B>* ops = nullptr;
    const Epilogue* epilogue = nullptr;
    bool rectifies = false;  ///< the epilogue is Relu, which kernels can apply to sums before they are stored
    bool masks_in = false;   ///< backward_data also applies the slope of the rectifier that wrote this stage's input,
    bool masked = false;     ///< whose own stage then finds it in its output's gradient
    Memory memory;
};

/// Whether backend B fuses layer L behind the stage before it, where that stage can finish its values.
template <class B, class L>
inline constexpr bool fuses = SlopeFromValue<L, typename B::Sum>;

/// One run of a stage over `images` images. Pointers are to the first image; each value's images are contiguous.
/// In, Second and Out are its values' elements; void where they are not known, between the schedule and the stage.
template <class B, class In = typename B::Activation, class Second = In, class Out = typename B::Activation>
struct Call {
    using Backend = B;
    using InElement = In;
    using OutElement = Out;
    using Activation = typename B::Activation;
    using Sum = typename B::Sum;
    typename B::Context& on;
    const Site<B>& site;
    int images = 0;
    const In* in = nullptr;
    const Second* second = nullptr;
    Out* out = nullptr;
    const Out* d_out = nullptr;  ///< gradient at the output, the epilogue's slope already in it
    In* d_in = nullptr;
    Second* d_second = nullptr;
    const Sum* masters = nullptr;  ///< the stage's own parameters, and its packed copies
    const Activation* packs = nullptr;
    Sum* gradients = nullptr;
    Activation* scratch = nullptr;  ///< `site.lane_scratch` elements for each lane
    Sum* shared = nullptr;          ///< `site.shared_scratch` sums for all of them
    MaskKeys masks{};               ///< of dropout; none: nothing is dropped
    std::byte* record = nullptr;    ///< `site.memory.record` bytes an image, where wanted

    const In* in_image(int n) const { return in + static_cast<std::size_t>(n) * site.in.size; }
    Out* out_image(int n) const { return out + static_cast<std::size_t>(n) * site.out.size; }
    const Out* d_out_image(int n) const { return d_out + static_cast<std::size_t>(n) * site.out.size; }
    In* d_in_image(int n) const { return d_in + static_cast<std::size_t>(n) * site.in.size; }
    /// Image n's record as Ts; null where there is none.
    template <class T>
    T* record_image(int n) const {
        return record ? reinterpret_cast<T*>(record + static_cast<std::size_t>(n) * site.memory.record) : nullptr;
    }
    Activation* lane(int i) const { return scratch + static_cast<std::size_t>(i) * site.lane_scratch; }
    /// Applies the fused element-wise layer, if there is one, to image n of the output.
    void finish(int n) const {
        if (site.epilogue && site.out.stride_c != 1)
            site.epilogue->value(out_image(n), 1, static_cast<int>(site.out.size), 0);
        else
            finish_rows(n, 0, site.out.shape.h);
    }
    /// The same for some rows of it; channels must stand innermost.
    void finish_rows(int n, int first, int rows) const {
        if (!site.epilogue) return;
        Out* at = out_image(n) + first * site.out.stride_h;
        const int pixels = rows * site.out.shape.w, channels = site.out.shape.c;
        if (site.out.stride_w == channels)  // no padding between pixels
            site.epilogue->value(at, 1, pixels * channels, 0);
        else
            site.epilogue->value(at, pixels, channels, site.out.stride_w);
    }
    /// The same run with the elements' types named.
    template <class I, class S, class O>
    Call<B, I, S, O> of() const {
        return {on,
                site,
                images,
                static_cast<const I*>(in),
                static_cast<const S*>(second),
                static_cast<O*>(out),
                static_cast<const O*>(d_out),
                static_cast<I*>(d_in),
                static_cast<S*>(d_second),
                masters,
                packs,
                gradients,
                scratch,
                shared,
                masks,
                record};
    }
};
template <class B>
using AnyCall = Call<B, void, void, void>;

/// How a stage is run. Null where there is nothing to do: no parameters, no packed copies.
template <class B>
struct Ops {
    using Real = typename B::Real;
    using Sum = typename B::Sum;
    void (*import_parameters)(const Site<B>&, const Real* canonical, Sum* masters) = nullptr;
    void (*export_parameters)(const Site<B>&, const Sum* masters, Real* canonical) = nullptr;
    void (*repack)(typename B::Context&, const Site<B>&, const Sum* masters, typename B::Activation* packs) = nullptr;
    void (*forward)(const AnyCall<B>&) = nullptr;
    void (*backward_data)(const AnyCall<B>&) = nullptr;
    void (*backward_weights)(const AnyCall<B>&) = nullptr;  // adds to the stage's gradients
};

/// How backend B runs one layer. The primary template covers element-wise and gather layers; backends, and users who
/// want more speed for a layer of theirs, specialise it ("native"). Its functions take the Call of the elements they
/// are for.
template <class B, class Layer>
struct Stage;

/// A stage's functions for values of certain elements, behind the one signature that the schedule knows.
template <class B, class S, class In, class Second, class Out>
struct Typed {
    static void forward(const AnyCall<B>& call) { S::forward(call.template of<In, Second, Out>()); }
    static void backward_data(const AnyCall<B>& call) { S::backward_data(call.template of<In, Second, Out>()); }
    static void backward_weights(const AnyCall<B>& call) { S::backward_weights(call.template of<In, Second, Out>()); }
};

template <class B, class Layer, class In, class Second, class Out>
inline constexpr Ops<B> ops_of = [] {
    using S = Stage<B, Layer>;
    using Run = Typed<B, S, In, Second, Out>;
    Ops<B> ops;
    ops.forward = &Run::forward;
    ops.backward_data = &Run::backward_data;
    if constexpr (requires { &S::import_parameters; }) {
        ops.import_parameters = &S::import_parameters;
        ops.export_parameters = &S::export_parameters;
        ops.backward_weights = &Run::backward_weights;
    }
    if constexpr (requires { &S::repack; }) ops.repack = &S::repack;
    return ops;
}();

}  // namespace SKEWGRAD_NAMESPACE::host
