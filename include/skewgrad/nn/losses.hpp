// Losses as values: a formula from one image's logits to a number and its gradient, with tables made of class counts.
#pragma once
#include <cmath>
#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/values.hpp>

namespace SKEWGRAD_NAMESPACE {

/// When a step is made. `at(moment)` makes of a value what holds then, as a trivially copyable object; what may be
/// recorded never sees a Moment.
struct Moment {
    std::uint64_t updates = 0;  ///< made before
    std::uint32_t epoch = 0;
};

/// One image as a loss sees it. `other` are the logits of the image's other version, for losses of pairs: in training
/// those of view 0 while z is view 1; in an attack those without the attack, which are constant.
template <class R>
struct LossCase {
    const R* z;
    const R* other;
    int classes, label, target;
    const float* table;  ///< the loss's class table: columns of `classes` numbers
};

namespace loss_probe {

template <class F, class R>
concept Formula = std::is_trivially_copyable_v<F> && requires(const F& f, const LossCase<R>& of, double scale, R* dz) {
    { f(of, scale, dz, dz) } -> std::same_as<double>;
};

}  // namespace loss_probe

/// A loss is a value. `at(moment)` is its formula of that moment (deferred reweighting switches there):
/// formula(case, scale, dz, d_other) returns the loss of one image in nats and, where dz is not null, writes
/// scale dL/dz, and scale dL/d(other) where d_other is not null. `table(counts)`, of the training images of each class,
/// is computed once: class weights, log priors, margins; it throws ValueError, naming the class, where a count makes it
/// impossible. `pairs`: the formula reads `other`.
template <class L>
concept Loss = Value<L> && requires(const L& l, std::span<const int> counts, Moment m) {
    { L::name } -> std::convertible_to<const char*>;
    { L::pairs } -> std::convertible_to<bool>;
    { l.table(counts) } -> std::same_as<std::vector<float>>;
    { l.at(m) } -> loss_probe::Formula<float>;
    { l.at(m) } -> loss_probe::Formula<double>;
};
template <Loss L>
using FormulaOf = decltype(std::declval<const L&>().at(Moment{}));

namespace loss {

/// Softmax cross-entropy on logits: L = logsumexp(z) - z_y, dL/dz = softmax(z) - onehot(y). The true class's component
/// is minus the sum of the other probabilities: p_y - 1 would vanish in f32 from a margin of 17 on. Exponentials and
/// sums are taken in double in index order, whatever the backend stores.
struct CrossEntropyFormula {
    template <class R>
    SKEWGRAD_FN double operator()(const LossCase<R>& of, double scale, R* dz, R*) const {
        const R* z = of.z;
        double most = z[0];
        for (int k = 1; k < of.classes; ++k) most = z[k] > most ? z[k] : most;
        double sum = 0, others = 0;
        for (int k = 0; k < of.classes; ++k) sum += std::exp(z[k] - most);
        if (dz) {
            for (int k = 0; k < of.classes; ++k) {
                if (k == of.label) continue;
                const double p = std::exp(z[k] - most) / sum;
                others += p;
                dz[k] = static_cast<R>(p * scale);
            }
            dz[of.label] = static_cast<R>(-others * scale);
        }
        return std::log(sum) + (most - z[of.label]);
    }
};

/// The loss of one row of logits, on a host.
template <Loss L, class R>
double of_row(const L& loss, std::span<const R> z, Label y, Moment m = {}, const float* table = nullptr) {
    const int label = index(y);
    return loss.at(m)(LossCase<R>{z.data(), nullptr, static_cast<int>(z.size()), label, label, table}, 1.0,
                      static_cast<R*>(nullptr), static_cast<R*>(nullptr));
}

}  // namespace loss

/// Softmax cross-entropy, natural logarithm.
struct CrossEntropy {
    static constexpr const char* name = "cross_entropy";
    static constexpr bool pairs = false;
    static constexpr auto fields = names();
    std::vector<float> table(std::span<const int>) const { return {}; }
    loss::CrossEntropyFormula at(Moment) const { return {}; }
    friend bool operator==(const CrossEntropy&, const CrossEntropy&) = default;
};
static_assert(Loss<CrossEntropy>);

}  // namespace SKEWGRAD_NAMESPACE
