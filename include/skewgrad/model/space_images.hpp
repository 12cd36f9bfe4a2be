// Tensors of images and logits to and from a space.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/images/copies.hpp>
#include <skewgrad/model/view.hpp>

namespace SKEWGRAD_NAMESPACE::images {

/// Elements of `count` images.
inline std::size_t elements(const PixelOrder& order, std::size_t count) {
    return count * static_cast<std::size_t>(order.size());
}

/// Images in C x H x W to the space's order: `to` has room for them.
template <Space S, class From>
void load(const typename S::Queue& on, const PixelOrder& order, std::span<const From> canonical, typename S::Real* to) {
    const int count = static_cast<int>(canonical.size() / static_cast<std::size_t>(order.size()));
    if (count == 0) return;
    if constexpr (S::eager) {
        S::each_position(on, count, order, FromCanonical<From, typename S::Real>{order, canonical.data(), to});
    } else {
        auto there = S::template make<From>(on, canonical.size());
        S::template put<From>(on, canonical, there);
        S::each_position(on, count, order, FromCanonical<From, typename S::Real>{order, there.data(), to});
    }
}
/// The same back again; waits.
template <Space S, class To>
void unload(const typename S::Queue& on, const PixelOrder& order, const typename S::Real* from,
            std::span<To> canonical) {
    const int count = static_cast<int>(canonical.size() / static_cast<std::size_t>(order.size()));
    if (count == 0) return;
    if constexpr (S::eager) {
        S::each_position(on, count, order, ToCanonical<typename S::Real, To>{order, from, canonical.data()});
    } else {
        auto there = S::template make<To>(on, canonical.size());
        S::each_position(on, count, order, ToCanonical<typename S::Real, To>{order, from, there.data()});
        S::template get<To>(on, there, canonical);
    }
}

/// Rows of a block to rows of the whole pass, without gaps.
template <class R, class To>
struct CopyRows {
    LogitBlock<R> block;
    To* to;
    SKEWGRAD_FN void operator()(int n) const {
        const int classes = block.z.classes;
        for (int k = 0; k < classes; ++k)
            to[static_cast<std::size_t>(block.first + n) * static_cast<std::size_t>(classes) +
               static_cast<std::size_t>(k)] = static_cast<To>(block.z[n][k]);
    }
};
/// A visit that keeps the logits of a pass in `to`, N x K in the space.
template <Space S, class To>
auto keep_rows(To* to) {
    return [to](const typename S::Queue& on, const LogitBlock<typename S::Real>& block) {
        S::each(on, block.count, CopyRows<typename S::Real, To>{block, to});
    };
}

/// `count` images' logits as a tensor, N x K; waits.
template <Space S>
xt::xtensor<typename S::Real, 2> logits(ModelView<S>& model, const typename S::Real* x, std::size_t count,
                                        std::size_t classes) {
    using Real = typename S::Real;
    auto z = xt::xtensor<Real, 2>::from_shape({count, classes});
    if (count == 0) return z;
    const auto on = model.queue();
    if constexpr (S::eager) {
        model.forward(x, static_cast<int>(count), {}, keep_rows<S>(z.data()));
    } else {
        auto there = S::template make<Real>(on, z.size());
        model.forward(x, static_cast<int>(count), {}, keep_rows<S>(there.data()));
        S::template get<Real>(on, there, {z.data(), z.size()});
    }
    return z;
}
template <Space S>
xt::xtensor<typename S::Real, 2> logits(ModelView<S>& model, const typename S::Real* x, std::size_t count) {
    return logits(model, x, count, static_cast<std::size_t>(model.classes()));
}

}  // namespace SKEWGRAD_NAMESPACE::images
