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
#include <skewgrad/images/from_bytes.hpp>
#include <skewgrad/model/network_view.hpp>
#include <skewgrad/model/pixels.hpp>
#include <skewgrad/model/row_loss.hpp>
#include <skewgrad/model/space_images.hpp>
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

namespace model {

/// No optimiser: for gradients alone.
struct GradientsOnly {
    static constexpr const char* name = "none";
    static constexpr int slots = 0;
    static constexpr float slot_start = 0;
};

/// A visit that writes the gradients of a loss at the logits. `formula` and `labels` lie in the space.
template <Space S, Loss L>
auto gradients_of(const FormulaOf<L>* formula, const Label* labels, double scale, double* losses = nullptr) {
    using Real = typename S::Real;
    return [=](const typename S::Queue& on, const LogitBlock<Real>& block) {
        S::each(on, block.count,
                RowLoss<FormulaOf<L>, Real>{
                    .formula = formula, .block = block, .labels = labels, .scale = scale, .losses = losses});
    };
}

/// Values in a space, from the host's.
template <Space S, class T>
auto sent(const typename S::Queue& on, std::span<const T> values) {
    auto there = S::template make<T>(on, values.size());
    S::template put<T>(on, values, there);
    return there;
}

}  // namespace model

/// Owns the parameters of network N on backend B, nothing else. Evaluation is const; two threads may evaluate one
/// model, each call having a workspace of its own. `Real` is float (double on Reference<double>). It can be moved, and
/// has no parameters afterwards; what refers to it (a Session, a view) is not notified, so it may not be moved or
/// destroyed while these are in use: a vector of models is filled, or reserved, first.
template <ANetwork N, Backend B>
class Model {
public:
    using Network = N;
    using BackendType = B;
    using Operations = typename B::Operations;
    static_assert(Operations::template runs<N>);
    using SpaceType = typename Operations::SpaceType;
    using Real = typename B::Real;
    using Context = typename B::Context;
    using Parameters = typename Operations::Parameters;
    static constexpr int classes = N::classes;
    /// Images of a workspace for evaluation; larger inputs run in blocks of it.
    static constexpr std::size_t images_at_a_time = static_cast<std::size_t>(images_of_workspace<B>);

    /// The network as its backend runs it.
    static const typename Operations::Plan& plan() { return Operations::template plan<N>(); }

    /// DrawKeys initial weights from the seed, in canonical order on the host: every backend starts from the same bits.
    explicit Model(Seed seed = {}, Context on = Context())
        : on_(std::move(on)), seed_(seed), parameters_(Operations::make_parameters(on_, plan())) {
        std::vector<Real> start(N::state_size);
        initialise<N, Real>(seed, start);
        set_parameters(start);
    }
    /// The same network on another backend: parameters go over in canonical order.
    template <Backend Other>
        requires(!std::same_as<Other, B>)
    explicit Model(const Model<N, Other>& other, Context on = Context())
        : on_(std::move(on)), seed_(other.seed()), parameters_(Operations::make_parameters(on_, plan())) {
        const auto theirs = other.parameters();
        const std::vector<Real> mine(theirs.begin(), theirs.end());
        set_parameters(mine);
    }

    Seed seed() const { return seed_; }
    Context& context() const { return on_; }

    /// All parameters, statistics included, as one vector in canonical order (`N::parameters` says where each is).
    std::vector<Real> parameters() const {
        std::vector<Real> out(N::state_size);
        Operations::export_parameters(on_, plan(), parameters_, out);
        on_.wait();
        return out;
    }
    /// Throws ValueError where `values` is not N::state_size long.
    void set_parameters(std::span<const Real> values) {
        checks::parameters(values.size(), N::state_size);
        Operations::import_parameters(on_, plan(), parameters_, values);
    }
    Parameters& backend_parameters() { return parameters_; }
    const Parameters& backend_parameters() const { return parameters_; }

    /// Bytes of parameters and of a workspace for so many images.
    Bytes bytes(Mode mode, int images) const { return Operations::bytes(on_, plan(), mode, images); }
    /// The model as attacks see it; it must outlive the view. `images`: how many a pass is asked for, as a rule.
    NetworkView<B> view(std::size_t images,
                        std::shared_ptr<Workspaces<B>> own = std::make_shared<Workspaces<B>>()) const {
        return {on_, plan(), parameters_, images, std::move(own)};
    }

    /// N x K logits of N x C x H x W images. Throws ValueError for images of another shape or a pixel not finite.
    xt::xtensor<Real, 2> logits(const xt::xtensor<Real, 4>& x) const {
        const auto pixels_of_x = load(x);
        auto own = view(x.shape()[0]);
        return images::logits(own, pixels_of_x.data(), x.shape()[0]);
    }
    /// N x K logits of a list's images, streamed from their bytes.
    template <Split S>
    xt::xtensor<Real, 2> logits(const Subset<S>& data) const {
        check_shape_of(data);
        return logits_of_items(data.store(), data.items());
    }
    /// The gradient of sum_k dz_k z_k at each image, N x C x H x W: dropout off. `dz` is N x K.
    xt::xtensor<Real, 4> pull_back(const xt::xtensor<Real, 4>& x, const xt::xtensor<Real, 2>& dz) const {
        if (dz.shape()[0] != x.shape()[0] || dz.shape()[1] != static_cast<std::size_t>(classes))
            throw ValueError("pull_back: " + std::to_string(x.shape()[0]) + " images came with " +
                             std::to_string(dz.shape()[0]) + " rows of " + std::to_string(dz.shape()[1]) +
                             " gradients at " + std::to_string(classes) + " logits");
        const auto there = model::sent<SpaceType>(queue(), std::span<const Real>(dz.data(), dz.size()));
        return gradient_at_images(x, [at = there.data()](const Queue& on, const LogitBlock<Real>& block) {
            SpaceType::each(on, block.count, RowsFrom{block, at});
        });
    }
    /// The gradient of each image's own loss at its label, N x C x H x W: dropout off, not divided by N, independent
    /// of the other images. A loss with a class table needs class counts, which a model has not.
    template <Loss L = CrossEntropy>
    xt::xtensor<Real, 4> input_gradient(const xt::xtensor<Real, 4>& x, std::span<const Label> y, L loss = {}) const {
        checks::labels(y, x.shape()[0], classes);
        const FormulaOf<L> formula = loss.at(Moment{});
        const auto formulas = model::sent<SpaceType>(queue(), std::span(&formula, 1));
        const auto labels = model::sent<SpaceType>(queue(), y);
        return gradient_at_images(x, model::gradients_of<SpaceType, L>(formulas.data(), labels.data(), 1.0));
    }
    /// The gradient of the mean loss with respect to all parameters, in canonical order, dropout off.
    template <Loss L = CrossEntropy>
    std::vector<Real> parameter_gradient(const xt::xtensor<Real, 4>& x, std::span<const Label> y, L loss = {}) const {
        const auto pixels_of_x = load(x);
        const std::size_t count = x.shape()[0];
        checks::labels(y, count, classes);
        const FormulaOf<L> formula = loss.at(Moment{});
        const auto formulas = model::sent<SpaceType>(queue(), std::span(&formula, 1));
        const auto labels = model::sent<SpaceType>(queue(), y);
        auto training = Operations::make_training(on_, plan(), model::GradientsOnly{});
        const int block = Operations::images_at_a_time(plan(), Pass{}, std::max(1, static_cast<int>(count)));
        auto own = Operations::make_workspace(on_, plan(), Mode::train, block);
        for (int first = 0; first < static_cast<int>(count); first += block)
            Operations::differentiate(on_, plan(), parameters_, pixels().image(pixels_of_x.data(), first),
                                      std::min(block, static_cast<int>(count) - first), own, Pass{},
                                      model::gradients_of<SpaceType, L>(formulas.data(), labels.data() + first,
                                                                        1.0 / static_cast<double>(count)),
                                      nullptr, training);
        std::vector<Real> out(N::state_size);
        Operations::export_gradients(on_, plan(), training, out);
        on_.wait();
        return out;
    }

    /// Throws ValueError unless the images are of this network's shape and each has one of its labels.
    static void check(const xt::xtensor<Real, 4>& x, std::span<const Label> y) {
        checks::images(x.shape(), N::image);
        checks::labels(y, x.shape()[0], classes);
    }
    /// Throws ValueError where a list's images are not this network's.
    template <class Data>
    static void check_shape_of(const Data& data) {
        checks::data(data.name(), data.shape(), data.classes(), N::image, classes);
    }

private:
    using Queue = typename SpaceType::Queue;
    template <class T>
    using Array = typename SpaceType::template Array<T>;

    /// Rows of a tensor in the space as a block's dz.
    struct RowsFrom {
        LogitBlock<Real> block;
        const Real* from;
        SKEWGRAD_FN void operator()(int n) const {
            for (int k = 0; k < block.dz.stride; ++k)
                block.dz[n][k] = k < block.dz.classes ? from[(block.first + n) * block.dz.classes + k] : Real(0);
        }
    };

    Queue queue() const { return Operations::queue(on_); }
    static PixelOrder pixels() { return Operations::pixels(plan()); }
    /// Images in the space, their pixels checked.
    Array<Real> load(const xt::xtensor<Real, 4>& x) const {
        checks::images(x.shape(), N::image);
        checks::finite_pixels("a network", x);
        auto there = SpaceType::template make<Real>(queue(), x.size());
        images::load<SpaceType, Real>(queue(), pixels(), {x.data(), x.size()}, there.data());
        return there;
    }
    xt::xtensor<Real, 4> gradient_at_images(const xt::xtensor<Real, 4>& x, Visit<SpaceType> visit) const {
        const auto pixels_of_x = load(x);
        auto dx = SpaceType::template make<Real>(queue(), x.size());
        const std::size_t count = x.shape()[0];
        view(count).differentiate(pixels_of_x.data(), static_cast<int>(count), {}, visit, dx.data());
        auto gradient = xt::xtensor<Real, 4>::from_shape(x.shape());
        images::unload<SpaceType, Real>(queue(), pixels(), dx.data(), {gradient.data(), gradient.size()});
        return gradient;
    }
    xt::xtensor<Real, 2> logits_of_items(const std::shared_ptr<const ImageStore>& store,
                                         std::span<const std::uint32_t> items) const {
        auto z = xt::xtensor<Real, 2>::from_shape({items.size(), static_cast<std::size_t>(classes)});
        const std::size_t most = std::min(images_at_a_time, items.size());
        const StoredImages stored = SpaceType::share(queue(), store);
        auto own = view(items.size());
        auto x = SpaceType::template make<Real>(queue(), images::elements(pixels(), most));
        auto picks = SpaceType::template make<Pick>(queue(), most);
        auto rows = SpaceType::template make<Real>(queue(), z.size());
        for (std::size_t first = 0; first < items.size(); first += most) {
            const std::vector<Pick> these = picks_of(items.subspan(first, std::min(most, items.size() - first)));
            const int count = static_cast<int>(these.size());
            SpaceType::template put<Pick>(queue(), these, picks);
            SpaceType::each_position(queue(), count, pixels(),
                                     images::FromBytes<Real>{pixels(), stored.bytes, picks.data(), nullptr, x.data()});
            own.forward(x.data(), count, {}, images::keep_rows<SpaceType>(rows.data() + first * classes));
        }
        SpaceType::template get<Real>(queue(), rows, {z.data(), z.size()});
        return z;
    }

    mutable Context on_;  // const passes queue work on it, and change nothing that a caller can see
    Seed seed_;
    Parameters parameters_;
};

/// Whether M is a network on a backend, which checks its pixels and labels itself.
template <class M>
inline constexpr bool is_network = false;
template <ANetwork N, Backend B>
inline constexpr bool is_network<Model<N, B>> = true;

}  // namespace SKEWGRAD_NAMESPACE
