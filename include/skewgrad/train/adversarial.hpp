// Adversarial training: a step learns from an attack's images, instead of the batch's own or beside them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/images/copies.hpp>
#include <skewgrad/train/perturbation.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Whether an attack's images take the place of the batch's own (PGD-AT, Madry et al. 2018; FGSM-RS, Wong et al. 2020),
/// or stand beside them, for losses of pairs (TRADES, Zhang et al. 2019).
enum class Views : std::uint8_t { instead, beside };

namespace perturbation {

/// The factor of epsilon of each image.
template <class R>
struct Fill {
    const float* factor;
    R* scale;
    SKEWGRAD_FN void operator()(int n) const { scale[n] = static_cast<R>(*factor); }
};

}  // namespace perturbation

/// Trains on an attack's images; the attack is any of those that studies use. In the attack dropout is off, and batch
/// normalisation uses `statistics`: published repositories differ. For `warm_up` epochs epsilon and step are multiplied
/// by (epoch + 1) / warm_up.
template <class A, Views where = Views::instead>
struct Adversarial {
    static constexpr const char* name = where == Views::instead ? "adversarial" : "adversarial_beside";
    static constexpr int views = where == Views::instead ? 1 : 2;
    static constexpr auto fields = names("attack", "statistics", "warm_up");
    A attack{};
    BatchStatistics statistics = BatchStatistics::running;
    std::uint32_t warm_up = 0;

    struct Now {
        float factor;
    };
    void check() const { attack.check(); }
    std::vector<float> table(std::span<const int>) const { return {}; }
    Now at(Moment m) const {
        return {m.epoch < warm_up ? static_cast<float>(m.epoch + 1) / static_cast<float>(warm_up) : 1.0f};
    }

    template <Space S>
    struct Scratch {
        typename A::template Scratch<S> own;
        typename S::template Array<typename S::Real> scale, out;
        Scratch(const Adversarial& p, ModelView<S>& model, int images)
            : own(p.attack, model, images),
              scale(S::template make<typename S::Real>(model.queue(), static_cast<std::size_t>(images))),
              out(S::template make<typename S::Real>(
                  model.queue(),
                  views == 1 ? static_cast<std::size_t>(images) * static_cast<std::size_t>(model.pixels().size())
                             : 0)) {}
    };
    template <Space S>
    void run(ModelView<S>& model, const Task<S>& task, typename S::Real* x, const float*, const Now* now,
             Scratch<S>& own) const {
        using Real = typename S::Real;
        const auto on = model.queue();
        const PixelOrder order = model.pixels();
        S::each(on, task.count, perturbation::Fill<Real>{&now->factor, own.scale.data()});
        Task<S> mine = task;
        mine.scale = own.scale.data();
        mine.pass = {.statistics = statistics};
        mine.out = views == 1 ? own.out.data() : order.image(x, task.count);
        attack.run(model, mine, own.own);
        if (views == 1) S::each_pixel(on, task.count, order, images::Copy<Real>{order, own.out.data(), x});
    }
    friend bool operator==(const Adversarial&, const Adversarial&) = default;
};
template <class A>
Adversarial(A) -> Adversarial<A>;

}  // namespace SKEWGRAD_NAMESPACE
