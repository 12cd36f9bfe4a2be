// Spaces: memory of a host or a device, and the four loops that run functors over it.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <skewgrad/backend/pixels.hpp>
#include <skewgrad/core/function_ref.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/data/dataset.hpp>

namespace SKEWGRAD_NAMESPACE {

/// How `fold` joins terms: their sum, or the largest of terms that are not negative.
enum class Fold : std::uint8_t { sum, largest };

/// A data set's bytes and labels in a space. On a host this is the store's own memory, on a device a copy.
struct StoredImages {
    std::shared_ptr<const void> owner;
    const std::uint8_t* bytes = nullptr;  ///< N x C x H x W
    const Label* labels = nullptr;
};

namespace space_probe {  // functors of the kinds that the loops take

struct OfItem {
    SKEWGRAD_FN void operator()(int) const {}
};
struct OfElements {
    SKEWGRAD_FN OfItem operator()(int) const { return {}; }
};
struct AtPosition {
    SKEWGRAD_FN void operator()(int, int, int, int) const {}
};
struct OfPositions {
    SKEWGRAD_FN AtPosition operator()(int) const { return {}; }
};
struct Term {
    SKEWGRAD_FN double operator()(int) const { return 0; }
};
struct OfTerms {
    SKEWGRAD_FN Term operator()(int) const { return {}; }
};

}  // namespace space_probe

/// Memory and loops. Every operation on images and logits above a backend is a functor for one of four loops. It is
/// therefore written once for all spaces, and attacks are compiled once a space.
///
/// A functor is trivially copyable, marked SKEWGRAD_FN and copied when it is given. It holds raw pointers into the
/// space; what they point to lives until the work is done or, inside a recording, as long as it may be replayed.
/// Calls for different n (and e) run in any order and concurrently: no call writes what another reads or writes.
///   each           f(n)               n in [0, count)
///   each_pixel     f(n)(e)            e in [0, order.size()). f(n) computes what all elements of image n share; it may
///                                     cache something from one element to the next
///   each_position  f(n)(e, c, h, w)   the same, with the element's coordinates
///   fold           out[n] = sum or largest over e of f(n)(e), in an order that depends on order.size() alone
///
/// A Queue is a cheap handle. Work given to one queue is done in order. `make` (zeros), `put`, `get` and `share` may
/// allocate, copy or wait: inside a recording they are errors. `record(on, kept, key, work)` does what `work` gives to
/// the queue. It calls `work`, or replays what an earlier call with this key gave; it may call it twice for one key. So
/// `work` gives work and has no other effect, and whatever differs from step to step lies in memory that `put` filled
/// before and that functors read through pointers. A space whose loops run at once (`eager`) simply calls `work`.
template <class S>
concept Space = requires(const typename S::Queue& on, typename S::template Array<float>& a,
                         const typename S::template Array<float>& fixed, std::span<const float> in,
                         std::span<float> out, double* sums, int n, PixelOrder order, typename S::Recording& kept,
                         std::uint64_t key, FunctionRef<void()> work) {
    requires std::floating_point<typename S::Real>;  // of images and logits
    requires std::copyable<typename S::Queue>;
    { S::eager } -> std::convertible_to<bool>;
    {
        S::template make<float>(on, std::size_t{})
    } -> std::same_as<typename S::template Array<float>>;  // owner, movable
    { a.data() } -> std::same_as<float*>;
    { a.size() } -> std::convertible_to<std::size_t>;
    S::put(on, in, a);       // to the array's first elements; the caller may change `in` at once
    S::get(on, fixed, out);  // the array's first elements; waits for the queue
    { S::share(on, std::shared_ptr<const ImageStore>{}) } -> std::same_as<StoredImages>;
    S::each(on, n, space_probe::OfItem{});
    S::each_pixel(on, n, order, space_probe::OfElements{});
    S::each_position(on, n, order, space_probe::OfPositions{});
    S::fold(on, n, order, Fold::sum, space_probe::OfTerms{}, sums);
    S::record(on, kept, key, work);
};

}  // namespace SKEWGRAD_NAMESPACE
