// The cells of one source and class: one gradient, each attack's images once, every victim's answers.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/study/along_direction.hpp>
#include <skewgrad/study/cells.hpp>
#include <skewgrad/study/results.hpp>
#include <skewgrad/study/study_progress.hpp>

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

/// Sweep, smallest epsilons and agreement of gradients for one cell of an attack that has a direction.
template <class A, class Real, class Images>
void measure_along(const A& attack, SourceImages<Real, Images>& source, attack::AnyHandle<Real, Images>& victim,
                   bool own, const AlongDirection& wanted, Label y, CellResult& cell) {
    cell.sweep = sweep(wanted.sweep, y, [&](float e) {
        return victim.logits(attack.step(source.handle, source.origin, source.gradient, e));
    });
    if (wanted.smallest_epsilons) {
        auto origin = source.handle.copy(source.origin), gradient = source.handle.copy(source.gradient);
        smallest_epsilons(
            cell.images, y, [&](float e) { return victim.logits(attack.step(source.handle, origin, gradient, e)); },
            [&](const std::vector<std::uint32_t>& which) {
                origin = source.handle.select(origin, which);
                gradient = source.handle.select(gradient, which);
            });
    }
    if (own) return;
    auto gradient = victim.copy(source.origin);
    victim.gradient(source.origin, source.labels, gradient);
    agreement(cell.images, source.dx, victim.unload(gradient));
}

/// The cells among `groups` that have one attack.
inline std::vector<std::size_t> cells_of_attack(const Plan& plan, std::span<const CellGroup> groups,
                                                std::size_t attack) {
    std::vector<std::size_t> mine;
    for (const CellGroup& group : groups)
        for (const std::size_t i : group.cells)
            if (plan.cells[i].attack == attack) mine.push_back(i);
    return mine;
}

/// How cells reach a study's networks: handles by the plan's numbers, none for those that are not held.
template <class Real, class Images>
using HandlesOfNetworks = std::vector<std::unique_ptr<attack::AnyHandle<Real, Images>>>;

/// Every victim's answers to one attack's images into the records of `cells`.
template <class Real, class Images>
void keep_answers(StudyResults& results, const std::vector<std::size_t>& cells,
                  const HandlesOfNetworks<Real, Images>& networks, const SourceImages<Real, Images>& source,
                  const Images& adversarial, const std::function<void()>& told) {
    for (const std::size_t i : cells) {
        std::vector<ImageRecord>& records = results.cells[i].images;
        records.resize(source.labels.size());
        source.describe(records);
        keep_clean(results, i);
        auto& victim = *networks[results.plan.cells[i].victim];
        const std::vector<Outcome> attacked = outcomes_of(victim.logits(adversarial), source.labels);
        for (std::size_t n = 0; n < attacked.size(); ++n) records[n].attacked = attacked[n];
        if (told) told();
    }
}

/// Fills the cells of `groups`, which have one source and class, whose networks are there; `of_class` are the test
/// images of that class. `told()` after each cell.
template <class Real, class Images, class... A>
void evaluate_cells(StudyResults& results, std::span<const CellGroup> groups,
                    const HandlesOfNetworks<Real, Images>& networks, const std::tuple<A...>& attacks,
                    const TestData& of_class, const AlongDirection& wanted, const std::function<void()>& told) {
    const std::size_t source = groups.front().source;
    const Label y = groups.front().attacked_class;
    SourceImages<Real, Images> images(*networks[source], of_class);
    for_each_indexed(attacks, [&](std::size_t a, const auto& attack) {
        const std::vector<std::size_t> mine = cells_of_attack(results.plan, groups, a);
        if (mine.empty()) return;
        keep_answers(results, mine, networks, images, perturb(attack, images), told);
        if constexpr (has_direction<std::remove_cvref_t<decltype(attack)>>)
            for (const std::size_t i : mine) {
                const std::size_t victim = results.plan.cells[i].victim;
                measure_along(attack, images, *networks[victim], victim == source, wanted, y, results.cells[i]);
            }
    });
}

/// What that costs for each image, in forward passes, roughly.
template <class... A>
double passes(const Plan& plan, std::span<const CellGroup> groups, const std::tuple<A...>& attacks,
              const AlongDirection& along) {
    double sum = StudyClock::passes_a_gradient;
    constexpr double flip_passes = 30;  // of the grid's 66, most images flip early
    for_each_indexed(attacks, [&](std::size_t a, const auto& attack) {
        const auto cells = static_cast<double>(cells_of_attack(plan, groups, a).size());
        sum += cells;
        if constexpr (has_direction<std::remove_cvref_t<decltype(attack)>>)
            sum += cells * (static_cast<double>(along.sweep.size()) + (along.smallest_epsilons ? flip_passes : 0));
        if (cells > 0) sum += StudyClock::passes_a_gradient * further_gradients(attack);
    });
    return sum;
}

}  // namespace SKEWGRAD_NAMESPACE::study
