// What an attack is given in a space, and what an attack is: a value that gives work and decides nothing on the host.
#pragma once
#include <concepts>

#include <skewgrad/model/view.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Images to be attacked, all of it in the space's memory and the caller's. x is not changed; `out` does not overlap
/// it.
template <Space S>
struct Task {
    const typename S::Real* x = nullptr;
    typename S::Real* out = nullptr;
    int count = 0;
    const Label* labels = nullptr;
    const Label* targets = nullptr;              ///< of targeted losses; null: the labels
    const Pick* picks = nullptr;                 ///< which image each is: what draws are keyed on
    const DrawKeys* draws = nullptr;             ///< likewise; null for attacks that draw nothing
    const typename S::Real* scale = nullptr;     ///< factor of epsilon and step sizes, image by image; null: 1
    const typename S::Real* gradient = nullptr;  ///< of the cross-entropy at x and the labels, where it is known
    Pass pass{};  ///< of the model: running statistics, no dropout, unless a step says otherwise
};

/// How many passes an attack makes over each image: for plans, records and estimates of time.
struct Passes {
    int forward = 0, backward = 0;
    friend bool operator==(const Passes&, const Passes&) = default;
};

/// An attack in a space. `run` only gives work to the model's queue, and as many passes as its values fix: no result
/// decides on the host what is done next, so that an attack may be part of a recorded step. Scratch is the memory that
/// it needs for so many images, made before and owned by the caller.
template <class A, class S>
concept AttackIn = Space<S> && requires(const A& a, ModelView<S>& model, const Task<S>& task,
                                        typename A::template Scratch<S>& own, int images) {
    { A::name } -> std::convertible_to<const char*>;
    { a.passes() } -> std::same_as<Passes>;
    { typename A::template Scratch<S>(a, model, images) };
    a.run(model, task, own);
};

}  // namespace SKEWGRAD_NAMESPACE
