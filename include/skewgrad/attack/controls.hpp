// Controls: perturbations of an attack's size whose direction owes nothing to the image's own gradient.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <skewgrad/attack/attack.hpp>
#include <skewgrad/attack/derangement.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/dataset.hpp>

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

}  // namespace attack

/// x' = clip(x + epsilon u), u uniform in {-1, +1}: white noise of the attack's size. The model is not asked anything.
template <Direction D>
struct Attack<RandomSign, D> {
    static constexpr const char* name = "random_sign";
    static constexpr auto fields = names("epsilon", "clip", "seed", "sample");
    float epsilon = 0.01f;
    bool clip = true;
    Seed seed{};
    std::uint32_t sample = 0;  ///< which of several draws, below 2^24

    /// Throws ValueError for an epsilon outside [0, 1] or a sample beyond those that a stream tells apart.
    void check() const {
        attack::check_epsilon(name, epsilon);
        if (sample >= 1u << 24)
            throw ValueError("random_sign: sample is " + std::to_string(sample) + ", it must be below 2^24");
    }
    /// `items` names the images (default 0 .. N-1), so that their noise does not depend on how they are batched.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y, std::span<const std::uint32_t> items = {}) const {
        check();
        attack::check_count(name, x.shape()[0], y.size(), "labels");
        attack::check_images(name, x, clip);
        attack::Handle<M> handle(source, 1);
        return handle.unload(run(handle, handle.load(x), x.shape(), items));
    }
    template <class Real, class Images>
    Images run(const attack::HandleInterface<Real, Images>& handle, const std::type_identity_t<Images>& origin,
               const std::array<std::size_t, 4>& shape, std::span<const std::uint32_t> items = {}) const {
        check();
        if (!items.empty()) attack::check_count(name, shape[0], items.size(), "items");
        auto moved = handle.copy(origin);
        const auto signs = handle.load(attack::random_signs<Real>(shape, seed, sample, items));
        handle.sign_step(moved, origin, signs, SignStep{.alpha = D::sign * epsilon, .clip = clip});
        return moved;
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

/// x' = clip(x + s epsilon sign(g of another image of the same class)): a seeded derangement of the signs, which have
/// the attack's spectrum where white noise has not. The other image is no copy of the image: the control would be the
/// attack. A class whose images are too much alike for that is refused.
template <Direction D>
struct Attack<PermutedSign, D> {
    static constexpr const char* name = "permuted_sign";
    static constexpr auto fields = names("epsilon", "clip", "sign_of_zero", "seed");
    float epsilon = 0.01f;
    bool clip = true;
    float sign_of_zero = 0;
    Seed seed{};

    /// Throws ValueError for an epsilon outside [0, 1] or a sign of zero outside [-1, 1].
    void check() const {
        attack::check_epsilon(name, epsilon);
        attack::check_sign_of_zero(name, sign_of_zero);
    }
    /// The same, and for a class of these images that has one only, or too many copies of one.
    template <Split S>
    void check(const Subset<S>& images) const {
        check();
        const std::vector<Label> y = images.labels();
        attack::derangement(y, seed, images.items(), attack::copies(y, [&](std::uint32_t i, std::uint32_t j) {
                                const auto a = images.bytes(i), b = images.bytes(j);
                                return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
                            }));
    }
    /// `items` names the images (default 0 .. N-1), so that who lends to whom does not depend on their order.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y, std::span<const std::uint32_t> items = {}) const {
        const std::vector<std::uint32_t> from = lenders(x, y, items);
        attack::Handle<M> handle(source, x.shape()[0]);
        const auto origin = handle.load(x);
        auto gradient = handle.copy(origin);
        handle.gradient(origin, y, gradient);
        return handle.unload(run(handle, origin, gradient, from));
    }
    /// The position of the image that lends each image its gradient. Throws ValueError as `check` and for bad pixels.
    template <class Real>
    std::vector<std::uint32_t> lenders(const xt::xtensor<Real, 4>& x, std::span<const Label> y,
                                       std::span<const std::uint32_t> items = {}) const {
        check();
        attack::check_count(name, x.shape()[0], y.size(), "labels");
        if (!items.empty()) attack::check_count(name, x.shape()[0], items.size(), "items");
        attack::check_images(name, x, clip);
        const std::size_t pixels = y.empty() ? 0 : x.size() / y.size();
        return attack::derangement(y, seed, items, attack::copies(y, [&](std::uint32_t i, std::uint32_t j) {
                                       const Real *a = x.data() + i * pixels, *b = x.data() + j * pixels;
                                       return std::lexicographical_compare(a, a + pixels, b, b + pixels);
                                   }));
    }
    /// From gradients that are at hand, in the model's own form, and each image's lender.
    template <class Real, class Images>
    Images run(const attack::HandleInterface<Real, Images>& handle, const std::type_identity_t<Images>& origin,
               const std::type_identity_t<Images>& gradient, std::span<const std::uint32_t> lenders) const {
        auto moved = handle.copy(origin);
        handle.sign_step(moved, origin, handle.select(gradient, lenders),
                         SignStep{.alpha = D::sign * epsilon, .clip = clip, .at_zero = sign_of_zero});
        return moved;
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
