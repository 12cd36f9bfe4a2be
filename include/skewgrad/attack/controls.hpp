// Controls: perturbations of an attack's size whose direction owes nothing to the image's own gradient.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/attack/attack.hpp>
#include <skewgrad/core/random.hpp>

namespace SKEWGRAD_NAMESPACE {

struct RandomSign {};
struct PermutedSign {};

namespace attack {

/// One sign a pixel, keyed on the image's identity: bit e of the stream's words, e the pixel's canonical index.
template <class Real>
xt::xtensor<Real, 4> random_signs(const std::array<std::size_t, 4>& shape, Seed seed, std::uint32_t sample,
                                  std::span<const std::uint32_t> items) {
    auto signs = xt::xtensor<Real, 4>::from_shape(shape);
    const std::size_t pixels = shape[1] * shape[2] * shape[3];
    for (std::size_t n = 0; n < shape[0]; ++n) {
        const Stream stream{.seed = seed,
                            .purpose = Purpose::noise,
                            .item = items.empty() ? static_cast<std::uint32_t>(n) : items[n],
                            .epoch = sample};
        Words words{};
        for (std::size_t e = 0; e < pixels; ++e) {
            if (e % 128 == 0) words = draw(stream, static_cast<std::uint32_t>(e / 128));
            signs.data()[n * pixels + e] = (words[e % 128 / 32] >> (e % 32) & 1u) != 0 ? Real(1) : Real(-1);
        }
    }
    return signs;
}

/// For each position another position of the same label, no position its own: each class's positions are ordered by
/// a keyed draw and every one takes its successor, so all are used once. A class with a single image keeps it (its
/// sign is then its own).
inline std::vector<std::size_t> derangement(std::span<const Label> labels, Seed seed,
                                            std::span<const std::uint32_t> items) {
    struct Place {
        Label label;
        std::uint64_t draw;
        std::size_t at;
        auto operator<=>(const Place&) const = default;
    };
    std::vector<Place> order(labels.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Stream stream{.seed = seed,
                            .purpose = Purpose::derangement,
                            .item = items.empty() ? static_cast<std::uint32_t>(i) : items[i]};
        order[i] = {labels[i], draw_long(stream), i};
    }
    std::sort(order.begin(), order.end());
    std::vector<std::size_t> from(labels.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t end = first;
        while (end < order.size() && order[end].label == order[first].label) ++end;
        for (std::size_t i = first; i < end; ++i) from[order[i].at] = order[i + 1 < end ? i + 1 : first].at;
        first = end;
    }
    return from;
}

}  // namespace attack

/// x' = clip(x + epsilon u), u uniform in {-1, +1}: white noise of the attack's size. The model is not asked anything.
template <Direction D>
struct Attack<RandomSign, D> {
    static constexpr const char* name = "random_sign";
    static constexpr auto fields = names("epsilon", "clip", "seed", "sample");
    float epsilon = 0.01f;
    bool clip = true;
    Seed seed{};
    std::uint32_t sample = 0;  ///< which of several draws

    /// `items` names the images (default 0 .. N-1), so that their noise does not depend on how they are batched.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y, std::span<const std::uint32_t> items = {}) const {
        attack::check_count(name, x.shape()[0], y.size(), "labels");
        attack::Handle<M> handle(source, 1);
        return handle.unload(run(handle, handle.load(x), x.shape(), items));
    }
    template <class Real, class Images>
    Images run(const attack::AnyHandle<Real, Images>& handle, const std::type_identity_t<Images>& origin,
               const std::array<std::size_t, 4>& shape, std::span<const std::uint32_t> items = {}) const {
        attack::check_epsilon(name, epsilon);
        if (!items.empty()) attack::check_count(name, shape[0], items.size(), "items");
        auto moved = handle.copy(origin);
        const auto signs = handle.load(attack::random_signs<Real>(shape, seed, sample, items));
        handle.sign_step(moved, origin, signs, SignStep{.alpha = D::sign * epsilon, .clip = clip});
        return moved;
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

/// x' = clip(x + s epsilon sign(g of another image of the same class)): a seeded derangement of the signs, which have
/// the attack's spectrum where white noise has not.
template <Direction D>
struct Attack<PermutedSign, D> {
    static constexpr const char* name = "permuted_sign";
    static constexpr auto fields = names("epsilon", "clip", "sign_of_zero", "seed");
    float epsilon = 0.01f;
    bool clip = true;
    float sign_of_zero = 0;
    Seed seed{};

    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y, std::span<const std::uint32_t> items = {}) const {
        attack::check_count(name, x.shape()[0], y.size(), "labels");
        if (!items.empty()) attack::check_count(name, x.shape()[0], items.size(), "items");
        attack::Handle<M> handle(source, x.shape()[0]);
        const auto origin = handle.load(x);
        auto gradient = handle.copy(origin);
        handle.gradient(origin, y, gradient);
        return handle.unload(run(handle, origin, handle.unload(gradient), y, items));
    }
    /// From canonical gradients that are at hand.
    template <class Real, class Images>
    Images run(const attack::AnyHandle<Real, Images>& handle, const std::type_identity_t<Images>& origin,
               const std::type_identity_t<xt::xtensor<Real, 4>>& gradients, std::span<const Label> y,
               std::span<const std::uint32_t> items = {}) const {
        attack::check_epsilon(name, epsilon);
        const auto from = attack::derangement(y, seed, items);
        auto others = xt::xtensor<Real, 4>::from_shape(gradients.shape());
        const std::size_t pixels = from.empty() ? 0 : gradients.size() / from.size();
        for (std::size_t n = 0; n < from.size(); ++n)
            std::copy_n(gradients.data() + from[n] * pixels, pixels, others.data() + n * pixels);
        auto moved = handle.copy(origin);
        handle.sign_step(moved, origin, handle.load(others),
                         SignStep{.alpha = D::sign * epsilon, .clip = clip, .at_zero = sign_of_zero});
        return moved;
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
