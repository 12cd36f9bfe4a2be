// One run of a stage over a block of images: the pointers that its functions get, and what they may do with them.
#pragma once
#include <cstddef>

#include <skewgrad/backend/pass.hpp>
#include <skewgrad/backend/plan/site.hpp>

namespace SKEWGRAD_NAMESPACE::plan {

/// How the images of a block pass: as `Pass` says, with the block's own picks.
struct BlockPass {
    MaskKeys masks{};  ///< of dropout; none: nothing is dropped
    BatchStatistics statistics = BatchStatistics::running;
    int views = 1;             ///< of each pick; view v's images stand behind those of view v - 1
    bool needs_whole = false;  ///< a stage must see all images of the pass at once
};

/// One run of a stage over `images` images. In, Second and Out are its values' elements; void where they are not known,
/// between the schedule and the stage. Pointers are to the first image. Each value's images are contiguous,
/// `site.in.size` (second, out) elements apart. Channels that fill up a pixel are zero in whatever is read, and must be
/// written as zeros.
///
/// | pointer          | forward  | backward_weights    | backward_data            |
/// |------------------|----------|---------------------|--------------------------|
/// | in, second       | read     | read                | read, if kept            |
/// | out              | written  | read                | read, if kept            |
/// | d_out            | null     | read                | read                     |
/// | d_in, d_second   | null     | null                | written; null: not asked |
/// | masters, packs   | read     | read                | read                     |
/// | gradients        | null     | added to            | as in backward_weights   |
/// | record           | written  | read, may be changed| read, may be changed     |
/// | scratch, shared  | any      | any                 | any                      |
///
/// - Kept: in training everything; in an attack the values where `needs.memory.values`, and the record. In an
///   evaluation there is no record (null), and `out` lives until its last reader has run.
/// - `out` holds what the epilogue made of it. `d_out` has the epilogue's slope in it already.
/// - backward_weights runs first, where gradients are wanted. On a device it may run beside backward_data, unless the
///   stage sees the whole batch; it then may leave something in the record. What a stage adds at the place of a
///   statistic s in `gradients` is b - s, b being the batch's; with running statistics nothing.
/// - Nothing overlaps, with one exception: `in` and `second` are one value in Residual<>, and so are the addresses.
/// - Scratch is not cleared between stages: it may hold anything. Lanes are numbered as `parallel_ranges` numbers them;
/// a device has one
///   an image.
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
    const Out* d_out = nullptr;
    In* d_in = nullptr;
    Second* d_second = nullptr;
    const Sum* masters = nullptr;  ///< the stage's own parameters, and its packed copies
    const Activation* packs = nullptr;
    Sum* gradients = nullptr;
    Activation* scratch = nullptr;  ///< `needs.lane_scratch` elements for each lane
    Sum* shared = nullptr;          ///< `needs.shared_scratch` sums for all of them
    std::byte* record = nullptr;    ///< `needs.memory.record` bytes an image
    BlockPass pass{};

    const In* in_image(int n) const { return in + static_cast<std::size_t>(n) * site.in.size; }
    Out* out_image(int n) const { return out + static_cast<std::size_t>(n) * site.out.size; }
    const Out* d_out_image(int n) const { return d_out + static_cast<std::size_t>(n) * site.out.size; }
    In* d_in_image(int n) const { return d_in + static_cast<std::size_t>(n) * site.in.size; }
    /// Image n's record as Ts; null where there is none.
    template <class T>
    T* record_image(int n) const {
        return record ? reinterpret_cast<T*>(record + static_cast<std::size_t>(n) * site.needs.memory.record) : nullptr;
    }
    Activation* lane(int i) const { return scratch + static_cast<std::size_t>(i) * site.needs.lane_scratch; }
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
                record,
                pass};
    }
};
template <class B>
using AnyCall = Call<B, void, void, void>;

}  // namespace SKEWGRAD_NAMESPACE::plan
