// An attack on a tensor of images: part after part in the model's space.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/attack/attack.hpp>
#include <skewgrad/model/space_images.hpp>

namespace SKEWGRAD_NAMESPACE::attack {

/// A task's memory for at most so many images: the images, the results, labels, picks.
template <Space S>
class TaskMemory {
public:
    using Real = typename S::Real;

    TaskMemory(const typename S::Queue& on, const PixelOrder& order, std::size_t images, Seed seed)
        : on_(on), order_(order) {
        x_ = S::template make<Real>(on, images::elements(order, images));
        out_ = S::template make<Real>(on, images::elements(order, images));
        labels_ = S::template make<Label>(on, images);
        picks_ = S::template make<Pick>(on, images);
        draws_ = S::template make<DrawKeys>(on, 1);
        const DrawKeys one{seed, 0};
        S::template put<DrawKeys>(on, {&one, 1}, draws_);
    }
    /// The task of `canonical` images with these labels. `items` names them for draws; empty: `first`, `first` + 1, ...
    template <class From>
    Task<S> load(std::span<const From> canonical, std::span<const Label> y, std::span<const std::uint32_t> items,
                 std::size_t first) {
        images::load<S, From>(on_, order_, canonical, x_.data());
        S::template put<Label>(on_, y, labels_);
        std::vector<Pick> picks(y.size());
        for (std::size_t n = 0; n < y.size(); ++n)
            picks[n].item = items.empty() ? static_cast<std::uint32_t>(first + n) : items[n];
        S::template put<Pick>(on_, picks, picks_);
        return {.x = x_.data(),
                .out = out_.data(),
                .count = static_cast<int>(y.size()),
                .labels = labels_.data(),
                .picks = picks_.data(),
                .draws = draws_.data()};
    }

private:
    typename S::Queue on_;
    PixelOrder order_;
    typename S::template Array<Real> x_, out_;
    typename S::template Array<Label> labels_;
    typename S::template Array<Pick> picks_;
    typename S::template Array<DrawKeys> draws_;
};

/// The seed that an attack's draws are keyed on, where it draws.
template <class A>
Seed seed_of(const A& attack) {
    if constexpr (requires { attack.seed; })
        return attack.seed;
    else
        return {};
}

/// The shape of a tensor's images.
template <class Real>
Shape shape_of(const xt::xtensor<Real, 4>& x) {
    return {static_cast<int>(x.shape()[1]), static_cast<int>(x.shape()[2]), static_cast<int>(x.shape()[3])};
}

/// Calls body(task, first) for one part of the images after the other, as many as suit the model: what is made of a
/// part is still in a near cache when it is read again, and few pages of memory are touched. `most`: images of the
/// first part, which is the largest, by `part_size`.
template <Space S>
int part_size(ModelView<S>& model, std::size_t images) {
    return std::max(1, static_cast<int>(std::min(images, static_cast<std::size_t>(model.images_at_a_time()))));
}
template <Space S, class Body>
void in_parts(ModelView<S>& model, const xt::xtensor<typename S::Real, 4>& x, std::span<const Label> y,
              std::span<const std::uint32_t> items, Seed seed, Body body) {
    using Real = typename S::Real;
    const std::size_t images = x.shape()[0], most = static_cast<std::size_t>(part_size(model, images));
    const auto pixels = static_cast<std::size_t>(model.pixels().size());
    TaskMemory<S> memory(model.queue(), model.pixels(), most, seed);
    for (std::size_t first = 0; first < images; first += most) {
        const std::size_t count = std::min(most, images - first);
        body(memory.load(std::span<const Real>(x.data() + first * pixels, count * pixels), y.subspan(first, count),
                         items.empty() ? items : items.subspan(first, count), first),
             first);
    }
}

/// A space's images to those of a tensor from `first` on; waits.
template <Space S>
void unload_part(ModelView<S>& model, const typename S::Real* from, int count, xt::xtensor<typename S::Real, 4>& to,
                 std::size_t first) {
    const auto pixels = static_cast<std::size_t>(model.pixels().size());
    images::unload<S, typename S::Real>(model.queue(), model.pixels(), from,
                                        {to.data() + first * pixels, static_cast<std::size_t>(count) * pixels});
}

/// What every attack refuses, before any work.
template <class A, class M, class Real>
void check_call(const A& attack, const xt::xtensor<Real, 4>& x, std::span<const Label> y,
                std::span<const std::uint32_t> items) {
    attack.check();
    check_count(A::name, x.shape()[0], y.size(), "labels");
    if (!items.empty()) check_count(A::name, x.shape()[0], items.size(), "items");
    check_images(A::name, x, attack.clip);
    View<M>::check(x, y);
}

/// Adversarial images of N x C x H x W images by an attack's `run`. `items` names the images (default 0 .. N - 1), so
/// that draws do not depend on how images are batched.
template <class A, Differentiable M>
xt::xtensor<differentiable::RealOf<M>, 4> adversarial_images(
    const A& attack, const M& source, const std::type_identity_t<xt::xtensor<differentiable::RealOf<M>, 4>>& x,
    std::span<const Label> y, std::span<const std::uint32_t> items = {}) {
    using S = SpaceOf<M>;
    check_call<A, M>(attack, x, y, items);
    auto moved = xt::xtensor<typename S::Real, 4>::from_shape(x.shape());
    if (x.shape()[0] == 0) return moved;
    View<M> model(source, shape_of(x), x.shape()[0]);
    typename A::template Scratch<S> own(attack, model, part_size<S>(model, x.shape()[0]));
    in_parts<S>(model, x, y, items, seed_of(attack), [&](const Task<S>& task, std::size_t first) {
        attack.run(model, task, own);
        unload_part<S>(model, task.out, task.count, moved, first);
        if constexpr (requires { own.check(model.queue(), task.count, first); })
            own.check(model.queue(), task.count, first);
    });
    return moved;
}

}  // namespace SKEWGRAD_NAMESPACE::attack
