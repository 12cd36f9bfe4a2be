// The cells of one source and class: one gradient, each attack's images once, every victim's answers.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/study/along_direction.hpp>
#include <skewgrad/study/cells.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// visit(0, first), visit(1, second), ... (std::apply asks more of the compiler than the visit itself does.)
template <class... T, class Visit>
void for_each_indexed(const std::tuple<T...>& tuple, Visit visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (visit(I, std::get<I>(tuple)), ...);
    }(std::index_sequence_for<T...>{});
}

/// What is measured beside the attacks' own steps.
struct AlongDirection {
    bool smallest_epsilons = true;
    std::vector<float> sweep;  ///< epsilons; empty: none
};

/// The victim's answers without attack into the records of a cell.
inline void keep_clean(StudyResults& results, std::size_t cell) {
    const PlannedCell& planned = results.plan.cells[cell];
    const std::vector<Outcome>& clean = results.trainings[planned.victim].clean;
    std::size_t n = 0;
    for (std::size_t i = 0; i < results.test_labels.size(); ++i)
        if (results.test_labels[i] == planned.attacked_class) results.cells[cell].images[n++].clean = clean[i];
}

/// The rows `which` of a tensor.
template <class Real>
xt::xtensor<Real, 4> rows_of(const xt::xtensor<Real, 4>& all, const std::vector<std::size_t>& which) {
    auto shape = all.shape();
    const std::size_t pixels = all.size() / std::max<std::size_t>(1, shape[0]);
    shape[0] = which.size();
    auto some = xt::xtensor<Real, 4>::from_shape(shape);
    for (std::size_t i = 0; i < which.size(); ++i)
        std::copy_n(all.data() + which[i] * pixels, pixels, some.data() + i * pixels);
    return some;
}

/// Sweep, smallest epsilons and agreement of gradients for one cell of an attack that has a direction.
template <class A, class S, class M>
void measure_along(const A& attack, S& source, const M& victim, bool own, const AlongDirection& wanted, Label y,
                   CellResult& cell) {
    cell.sweep = sweep(wanted.sweep, y, [&](float e) {
        return victim.logits(attack.step(source.handle, source.origin, source.gradient, e));
    });
    if (wanted.smallest_epsilons)
        smallest_epsilons(cell.images, y, [&](float e, const std::vector<std::size_t>& which) {
            const auto origin = source.handle.load(rows_of(source.x, which));
            const auto gradient = source.handle.load(rows_of(source.dx, which));
            return victim.logits(attack.step(source.handle, origin, gradient, e));
        });
    if (own) return;
    typename S::Handle victims(victim, source.labels.size());
    auto gradient = victims.copy(source.origin);
    victims.gradient(source.origin, source.labels, gradient);
    agreement(cell.images, source.dx, victims.unload(gradient));
}

/// Fills the cells of `groups`, which have one source and class. `model(t)` is the network of a training;
/// `of_class` the test images of that class. `told()` after each cell.
template <class ModelOf, class... A>
void evaluate_cells(StudyResults& results, std::span<const CellGroup> groups, const ModelOf& model,
                    const std::tuple<A...>& attacks, const TestData& of_class, const AlongDirection& wanted,
                    const std::function<void()>& told) {
    using M = std::remove_cvref_t<decltype(model(std::size_t{}))>;
    const std::size_t source = groups.front().source;
    const Label y = groups.front().attacked_class;
    SourceImages<M> images(model(source), of_class);
    for_each_indexed(attacks, [&](std::size_t a, const auto& attack) {
        std::optional<typename SourceImages<M>::Images> adversarial;
        for (const CellGroup& group : groups)
            for (const std::size_t i : group.cells) {
                if (results.plan.cells[i].attack != a) continue;
                if (!adversarial) adversarial = perturb(attack, images);
                const M& victim = model(group.victim);
                CellResult& cell = results.cells[i];
                cell.images.resize(images.labels.size());
                images.describe(cell.images);
                keep_clean(results, i);
                const std::vector<Outcome> attacked = outcomes_of(victim.logits(*adversarial), images.labels);
                for (std::size_t n = 0; n < attacked.size(); ++n) cell.images[n].attacked = attacked[n];
                if constexpr (has_direction<std::remove_cvref_t<decltype(attack)>>)
                    measure_along(attack, images, victim, group.victim == source, wanted, y, cell);
                if (told) told();
            }
    });
}

}  // namespace SKEWGRAD_NAMESPACE::study
