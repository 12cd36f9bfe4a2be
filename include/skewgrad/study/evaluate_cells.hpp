// Every cell of a plan, on trained models: cells that share source and images share one gradient.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

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

/// The victim's answers without and with the attack into the records of a cell.
inline void keep_outcomes(StudyResults& results, std::size_t cell, const std::vector<Outcome>& attacked) {
    const PlannedCell& planned = results.plan.cells[cell];
    const std::vector<Outcome>& clean = results.trainings[planned.victim].clean;
    std::vector<ImageRecord>& records = results.cells[cell].images;
    std::size_t n = 0;
    for (std::size_t i = 0; i < results.test_labels.size(); ++i) {
        if (results.test_labels[i] != planned.attacked_class) continue;
        records[n].clean = clean[i];
        records[n].attacked = attacked[n];
        ++n;
    }
}

/// Fills `results.cells`; `models` are the plan's trainings. `told(done, of)` after each cell, where it is not empty.
template <class M, class... A>
void evaluate_cells(StudyResults& results, const std::vector<M>& models, const std::tuple<A...>& attacks,
                    const std::vector<Label>& classes, const TestData& test, bool with_smallest_epsilons,
                    const std::function<void(std::size_t, std::size_t)>& told) {
    const std::vector<PlannedCell>& cells = results.plan.cells;
    results.cells.resize(cells.size());
    std::size_t done = 0;
    const auto evaluate_class = [&](std::size_t source, Label c, const std::vector<std::size_t>& mine) {
        SourceImages<M> images(models[source], test.of_class(c));
        for (std::size_t a = 0; a < sizeof...(A); ++a) {
            std::optional<typename SourceImages<M>::Images> adversarial;
            for (const std::size_t i : mine) {
                if (cells[i].attack != a) continue;
                if (!adversarial)
                    for_each_indexed(attacks, [&](std::size_t k, const auto& attack) {
                        if (k == a) adversarial = perturb(attack, images);
                    });
                const M& victim = models[cells[i].victim];
                std::vector<ImageRecord>& records = results.cells[i].images;
                records.resize(images.labels.size());
                images.describe(records);
                keep_outcomes(results, i, outcomes_of(victim.logits(*adversarial), images.labels));
                if (with_smallest_epsilons)
                    for_each_indexed(attacks, [&](std::size_t k, const auto& attack) {
                        if constexpr (has_direction<std::remove_cvref_t<decltype(attack)>>)
                            if (k == a) smallest_epsilons(attack, images, victim, records);
                    });
                if (told) told(++done, cells.size());
            }
        }
    };
    for (std::size_t source = 0; source < models.size(); ++source)
        for (const Label c : classes) {
            std::vector<std::size_t> mine;
            for (std::size_t i = 0; i < cells.size(); ++i)
                if (cells[i].source == source && cells[i].attacked_class == c) mine.push_back(i);
            if (!mine.empty()) evaluate_class(source, c, mine);
        }
}

}  // namespace SKEWGRAD_NAMESPACE::study
