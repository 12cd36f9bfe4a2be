// A network on a backend: parameters, and the passes over them.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/tensor.hpp>
#include <skewgrad/model/concepts.hpp>
#include <skewgrad/model/pixels.hpp>
#include <skewgrad/nn/initialise.hpp>
#include <skewgrad/nn/network.hpp>

namespace SKEWGRAD_NAMESPACE {

/// What a model refuses, whatever its network; all throw ValueError.
namespace checks {

inline void data(const std::string& name, Shape shape, int classes, Shape image, int network_classes) {
    if (!(shape == image))
        throw ValueError(name + " has images of " + to_string(shape) + ", the network takes " + to_string(image));
    if (classes > network_classes)
        throw ValueError(name + " has " + std::to_string(classes) + " classes, the network " +
                         std::to_string(network_classes));
}
inline void images(const std::array<std::size_t, 4>& x, Shape image) {
    const auto is = [](std::size_t given, int wanted) { return given == static_cast<std::size_t>(wanted); };
    if (!is(x[1], image.c) || !is(x[2], image.h) || !is(x[3], image.w))
        throw ValueError("a network on " + to_string(image) + " images was given images of " + std::to_string(x[1]) +
                         "x" + std::to_string(x[2]) + "x" + std::to_string(x[3]));
}
inline void labels(std::span<const Label> y, std::size_t images, int classes) {
    if (y.size() != images)
        throw ValueError(std::to_string(images) + " images came with " + std::to_string(y.size()) + " labels");
    for (std::size_t i = 0; i < y.size(); ++i)
        if (index(y[i]) >= classes)
            throw ValueError("label " + std::to_string(index(y[i])) + " at position " + std::to_string(i) +
                             ", but the network has " + std::to_string(classes) + " classes");
}
inline void parameters(std::size_t given, std::size_t size) {
    if (given != size)
        throw ValueError("a network with " + std::to_string(size) + " parameters was given " + std::to_string(given));
}

}  // namespace checks

/// Owns the parameters of network N on backend B, nothing else. Evaluation is const; two threads may evaluate one
/// model, each call having a workspace of its own. `Real` is float (double on Reference<double>). It can be moved, and
/// has no parameters afterwards; what refers to it (a Session, a study's source) is not told, so it may not be moved or
/// destroyed while these are in use: a vector of models is filled, or reserved, first.
template <ANetwork N, Backend B>
class Model {
public:
    using Network = N;
    using BackendType = B;
    using Program = typename B::template Program<typename N::tape, N::image>;
    static_assert(skewgrad::Program<Program>, "skewgrad: this backend's Program lacks something the contract asks for");
    using Real = typename B::Real;
    using Context = typename B::Context;
    using Parameters = typename Program::Parameters;
    using Images = typename Program::Images;
    using Workspace = typename Program::Workspace;
    static constexpr int classes = N::classes;
    /// Images a default workspace holds; larger inputs run in chunks of it. A backend may say how many suit it.
    static constexpr std::size_t chunk = [] {
        if constexpr (requires { B::workspace_images; })
            return B::workspace_images;
        else
            return std::size_t{64};
    }();

    /// Draws initial weights from the seed, in canonical order on the host: every backend starts from the same bits.
    explicit Model(Seed seed = {}, Context on = Context())
        : on_(std::move(on)), seed_(seed), parameters_(Program::make_parameters(on_)) {
        std::vector<Real> start(N::state_size);
        initialise<N, Real>(seed, start);
        set_parameters(start);
    }
    /// The same network on another backend: parameters go over in canonical order.
    template <Backend Other>
        requires(!std::same_as<Other, B>)
    explicit Model(const Model<N, Other>& other, Context on = Context())
        : on_(std::move(on)), seed_(other.seed()), parameters_(Program::make_parameters(on_)) {
        const auto theirs = other.parameters();
        const std::vector<Real> mine(theirs.begin(), theirs.end());
        set_parameters(mine);
    }

    Seed seed() const { return seed_; }
    Context& context() const { return on_; }

    /// All parameters, statistics included, as one vector in canonical order (`N::parameters` says where each is).
    std::vector<Real> parameters() const {
        std::vector<Real> out(N::state_size);
        Program::export_parameters(on_, parameters_, out);
        on_.wait();
        return out;
    }
    /// Throws ValueError where `values` is not N::state_size long.
    void set_parameters(std::span<const Real> values) {
        checks::parameters(values.size(), N::state_size);
        Program::import_parameters(on_, parameters_, values);
    }
    Parameters& backend_parameters() { return parameters_; }
    const Parameters& backend_parameters() const { return parameters_; }

    /// N x K logits of N x C x H x W images. Throws ValueError for images of another shape or a pixel not finite.
    xt::xtensor<Real, 2> logits(const xt::xtensor<Real, 4>& x) const { return logits(load_finite(x)); }
    xt::xtensor<Real, 2> logits(const Images& x) const {
        auto own = workspace(Mode::evaluate, count(x));
        return logits(x, own);
    }
    xt::xtensor<Real, 2> logits(const Images& x, Workspace& own) const {
        auto z = xt::xtensor<Real, 2>::from_shape({count(x), static_cast<std::size_t>(classes)});
        logits(x, own, {z.data(), z.size()});
        on_.wait();
        return z;
    }
    /// N x K logits of a list's images, streamed from their bytes.
    template <Split S>
    xt::xtensor<Real, 2> logits(const Subset<S>& data) const {
        check_shape_of(data);
        return logits_of_items(data.store(), data.items());
    }
    /// The gradient of each image's own loss at its label, N x C x H x W: dropout off, not divided by N, independent
    /// of the other images.
    template <class Loss = CrossEntropy>
    xt::xtensor<Real, 4> input_gradient(const xt::xtensor<Real, 4>& x, std::span<const Label> y, Loss loss = {}) const {
        const Images images = load_finite(x);
        auto own = workspace(Mode::attack, count(images));
        Images dx = Program::make_images(on_, static_cast<int>(count(images)));
        gradient(images, y, own, dx, {}, {}, loss);
        return unload(dx);
    }
    /// The gradient of the mean loss with respect to all parameters, in canonical order, dropout off.
    template <class Loss = CrossEntropy>
    std::vector<Real> parameter_gradient(const xt::xtensor<Real, 4>& x, std::span<const Label> y, Loss = {}) const {
        const Images images = load_finite(x);
        checks::labels(y, count(images), classes);
        auto own = workspace(Mode::train, count(images));
        std::vector<Real> out(N::state_size);
        Program::template parameter_gradient<Loss>(on_, parameters_, images, y, own, out);
        on_.wait();
        return out;
    }

    // What follows stays in the backend's form (the Resident concept).

    Images load(const xt::xtensor<Real, 4>& x) const { return load(x, 0, x.shape()[0]); }
    /// `count` of the images, from `first` on.
    Images load(const xt::xtensor<Real, 4>& x, std::size_t first, std::size_t count) const {
        constexpr Shape s = N::image;
        checks::images(x.shape(), s);
        constexpr auto pixels = static_cast<std::size_t>(s.size());
        Images images = Program::make_images(on_, static_cast<int>(count));
        Program::load(on_, {x.data() + first * pixels, count * pixels}, images);
        return images;
    }
    /// The images of a list, straight from their bytes.
    template <Split S>
    Images load(const Subset<S>& data) const {
        check_shape_of(data);
        const std::vector<Pick> picks = picks_of(data.items());
        Images images = Program::make_images(on_, static_cast<int>(data.size()));
        Program::gather(on_, Program::upload(on_, data.store()), Batch{.picks = picks}, images);
        return images;
    }
    xt::xtensor<Real, 4> unload(const Images& images) const {
        constexpr Shape s = N::image;
        auto x = xt::xtensor<Real, 4>::from_shape({count(images), static_cast<std::size_t>(s.c),
                                                   static_cast<std::size_t>(s.h), static_cast<std::size_t>(s.w)});
        unload(images, x, 0);
        return x;
    }
    /// To the images of `x` from `first` on.
    void unload(const Images& images, xt::xtensor<Real, 4>& x, std::size_t first) const {
        constexpr auto pixels = static_cast<std::size_t>(N::image.size());
        Program::unload(on_, images, {x.data() + first * pixels, count(images) * pixels});
        on_.wait();
    }
    /// Throws ValueError unless the images are of this network's shape and each has one of its labels.
    static void check(const xt::xtensor<Real, 4>& x, std::span<const Label> y) {
        constexpr Shape s = N::image;
        checks::images(x.shape(), s);
        checks::labels(y, x.shape()[0], classes);
    }
    Images copy(const Images& images) const { return Program::copy_images(on_, images); }
    /// The images at the positions `which`, in that order.
    Images select(const Images& images, std::span<const std::uint32_t> which) const {
        return Program::select_images(on_, images, which);
    }
    std::size_t count(const Images& images) const { return static_cast<std::size_t>(images.count); }

    /// For at most min(images, chunk) images at a time.
    Workspace workspace(Mode mode, std::size_t images) const {
        return Program::make_workspace(on_, mode, static_cast<int>(std::clamp<std::size_t>(images, 1, chunk)));
    }
    /// `out` is N x K, or empty.
    void logits(const Images& x, Workspace& own, std::span<Real> out) const {
        Program::logits(on_, parameters_, x, own, out);
    }
    /// The input gradient into `dx`, with logits and losses where their spans are not empty.
    template <class Loss = CrossEntropy>
    void gradient(const Images& x, std::span<const Label> y, Workspace& own, Images& dx, std::span<Real> logits,
                  std::span<double> losses, Loss = {}) const {
        checks::labels(y, count(x), classes);
        Program::template gradient<Loss>(on_, parameters_, x, y, own, dx, logits, losses);
    }
    void sign_step(Images& x, const Images& origin, const Images& gradient, SignStep step) const {
        Program::sign_step(on_, x, origin, gradient, step);
    }

    /// Throws ValueError where a list's images are not this network's.
    template <class Data>
    static void check_shape_of(const Data& data) {
        checks::data(data.name(), data.shape(), data.classes(), N::image, classes);
    }

private:
    Images load_finite(const xt::xtensor<Real, 4>& x) const { return load(checks::finite_pixels("a network", x)); }
    xt::xtensor<Real, 2> logits_of_items(const std::shared_ptr<const ImageStore>& store,
                                         std::span<const std::uint32_t> items) const {
        auto z = xt::xtensor<Real, 2>::from_shape({items.size(), static_cast<std::size_t>(classes)});
        auto own = workspace(Mode::evaluate, items.size());
        const auto bytes = Program::upload(on_, store);
        for (std::size_t first = 0; first < items.size(); first += chunk) {
            const std::vector<Pick> picks = picks_of(items.subspan(first, std::min(chunk, items.size() - first)));
            Images images = Program::make_images(on_, static_cast<int>(picks.size()));
            Program::gather(on_, bytes, Batch{.picks = picks}, images);
            logits(images, own, {z.data() + first * classes, picks.size() * classes});
        }
        on_.wait();
        return z;
    }

    mutable Context on_;  // const passes queue work on it, and change nothing that a caller can see
    Seed seed_;
    Parameters parameters_;
};

}  // namespace SKEWGRAD_NAMESPACE
