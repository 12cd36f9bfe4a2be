// What a training step does to a batch's images before it learns from them: nothing, or a perturbation.
#pragma once
#include <concepts>
#include <span>
#include <type_traits>
#include <vector>

#include <skewgrad/core/values.hpp>
#include <skewgrad/model/task.hpp>
#include <skewgrad/nn/losses.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A perturbation is a value. `views` 1: the images become what it makes of them; 2: the perturbed images are put
/// behind the batch's own, and the loss is one of pairs. `at(moment)`, trivially copyable, is read through a pointer by
/// the work that `run` gives; `table(counts)` holds one number a class, or nothing. In `run` task.x == x.
template <class P, class S>
concept PerturbationIn =
    Value<P> && Space<S> &&
    requires(const P& p, ModelView<S>& model, typename P::template Scratch<S>& own, typename S::Real* x,
             const Task<S>& task, const float* table, Moment m, std::span<const int> counts, int images) {
        { P::name } -> std::convertible_to<const char*>;
        { P::views } -> std::convertible_to<int>;
        { p.table(counts) } -> std::same_as<std::vector<float>>;
        requires std::is_trivially_copyable_v<decltype(p.at(m))>;
        { typename P::template Scratch<S>(p, model, images) };
        p.check();  // throws ValueError for values that cannot be
        p.run(model, task, x, table, static_cast<const decltype(p.at(m))*>(nullptr), own);
    };

/// Trains on the images as they are.
struct Unperturbed {
    static constexpr const char* name = "unperturbed";
    static constexpr int views = 1;
    static constexpr auto fields = names();

    struct Now {};
    void check() const {}
    std::vector<float> table(std::span<const int>) const { return {}; }
    Now at(Moment) const { return {}; }
    template <Space S>
    struct Scratch {
        Scratch(const Unperturbed&, ModelView<S>&, int) {}
    };
    template <Space S>
    void run(ModelView<S>&, const Task<S>&, typename S::Real*, const float*, const Now*, Scratch<S>&) const {}
    friend bool operator==(const Unperturbed&, const Unperturbed&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
