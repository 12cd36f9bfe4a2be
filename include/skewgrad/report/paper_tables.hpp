// The paper's study as tables: Table 1, Figures 1, 2 and 5 beside the published numbers, averages and controls.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/evaluate/matched_flips.hpp>
#include <skewgrad/report/paper.hpp>
#include <skewgrad/report/study_cells.hpp>
#include <skewgrad/report/table.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// The study's samplers in the order in which paper_study names them.
enum PaperSampler : std::size_t { balanced = 0, under = 1, over = 2 };

/// One column of a table by class: ours, and what the paper printed where it did.
struct PaperColumn {
    std::string title;
    std::size_t sampler;
    Source from;
    double paper::ClassAccuracy::* published = nullptr;
};

namespace paper_tables {

inline const std::array<PaperColumn, 6> table_1 = {{
    {"different/balanced", balanced, Source::different_model, nullptr},
    {"different/under", under, Source::different_model, &paper::ClassAccuracy::different_under},
    {"different/over", over, Source::different_model, &paper::ClassAccuracy::different_over},
    {"same/balanced", balanced, Source::same_model, &paper::ClassAccuracy::same_balanced},
    {"same/under", under, Source::same_model, &paper::ClassAccuracy::same_under},
    {"same/over", over, Source::same_model, &paper::ClassAccuracy::same_over},
}};
inline const std::array<PaperColumn, 3> clean = {{
    {"balanced", balanced, Source::same_model, &paper::ClassAccuracy::clean_balanced},
    {"under", under, Source::same_model, &paper::ClassAccuracy::clean_under},
    {"over", over, Source::same_model, &paper::ClassAccuracy::clean_over},
}};

using Measure = std::function<std::optional<double>(const CellSummary&)>;
using Published = std::function<std::optional<double>(const PaperColumn&, const paper::ClassAccuracy&)>;

/// Rows: the classes that were studied, then their average; a column of ours and one of the paper's each, where the
/// paper has one. Several seeds are averaged. The paper's rows go by label: on other data than CIFAR-10 they are other
/// classes.
inline Table by_class(const StudyResults& results, std::span<const PaperColumn> columns, const Measure& measure,
                      const Published& published) {
    std::vector<TableColumn> titles{{.title = "class", .align = Align::left}};
    for (const PaperColumn& column : columns) {
        titles.push_back({.title = column.title, .decimals = 1});
        if (column.published) titles.push_back({.title = "paper", .decimals = 1});
    }
    Table table(titles);
    const std::size_t classes = results.class_names.size();
    std::vector<double> sums(titles.size());
    std::vector<int> counts(titles.size());
    for (std::size_t c = 0; c < classes; ++c) {
        if (std::ranges::none_of(results.plan.cells, [&](const PlannedCell& cell) {
                return index(cell.attacked_class) == static_cast<int>(c);
            }))
            continue;
        std::vector<TableCell> row{results.class_names[c]};
        const auto put = [&](std::optional<double> value) {
            if (value) sums[row.size()] += *value, ++counts[row.size()];
            row.emplace_back(value);
        };
        for (const PaperColumn& column : columns) {
            std::vector<std::size_t> mine;
            for (const std::size_t cell : cells_of(results, 0, column.sampler, column.from))
                if (index(results.plan.cells[cell].attacked_class) == static_cast<int>(c)) mine.push_back(cell);
            put(average(results, mine, measure));
            if (!column.published) continue;
            put(c < paper::class_accuracy.size() ? published(column, paper::class_accuracy[c]) : std::nullopt);
        }
        table.add(std::move(row));
    }
    std::vector<TableCell> last{"average"};
    for (std::size_t i = 1; i < titles.size(); ++i)
        last.emplace_back(counts[i] > 0 ? std::optional<double>(sums[i] / counts[i]) : std::nullopt);
    table.add(std::move(last));
    return table;
}

inline std::optional<double> printed(const PaperColumn& column, const paper::ClassAccuracy& row) {
    return row.*column.published;
}

}  // namespace paper_tables

/// Table 1: percent accuracy on the attacked class under the first attack, with the column that the paper lacks.
inline Table table_1(const StudyResults& results) {
    return paper_tables::by_class(
        results, paper_tables::table_1, [](const CellSummary& s) { return percent(s.attacked); },
        &paper_tables::printed);
}

/// Figure 2 as a table: percent accuracy on the skewed class without attack.
inline Table figure_2(const StudyResults& results) {
    return paper_tables::by_class(
        results, paper_tables::clean, [](const CellSummary& s) { return percent(s.clean); }, &paper_tables::printed);
}

/// Figure 5 as a table: relative difference, 100 (clean - attacked) / clean, of each network under its own gradient.
inline Table figure_5(const StudyResults& results) {
    const auto published = [](const PaperColumn& column, const paper::ClassAccuracy& row) -> std::optional<double> {
        const double attacked = column.sampler == balanced ? row.same_balanced
                                : column.sampler == under  ? row.same_under
                                                           : row.same_over;
        return 100 * (row.*column.published - attacked) / (row.*column.published);
    };
    return paper_tables::by_class(
        results, paper_tables::clean, [](const CellSummary& s) { return s.relative_difference; }, published);
}

/// Figure 1 as a table: the confusion of the first balanced network without attack, shares of each true class in
/// percent.
inline Table figure_1(const StudyResults& results) {
    std::vector<TableColumn> titles{{.title = "true class", .align = Align::left}};
    for (const std::string& name : results.class_names) titles.push_back({.title = name, .decimals = 1});
    Table table(titles);
    const Confusion confusion = results.clean_confusion(0);
    for (std::size_t t = 0; t < results.class_names.size(); ++t) {
        const Label truth{static_cast<std::uint16_t>(t)};
        std::vector<TableCell> row{results.class_names[t]};
        for (std::size_t p = 0; p < results.class_names.size(); ++p)
            row.emplace_back(percent(
                Ratio{confusion.count(truth, Prediction{static_cast<std::uint16_t>(p)}), confusion.images(truth)}));
        table.add(std::move(row));
    }
    return table;
}

/// What each attack leaves of the accuracy, averaged over classes (percent), for each kind of network and source.
inline Table controls(const StudyResults& results) {
    Table table({{.title = "network", .align = Align::left},
                 {.title = "gradient", .align = Align::left},
                 {.title = "clean", .decimals = 1},
                 {.title = "fast", .decimals = 1},
                 {.title = "iterative", .decimals = 1},
                 {.title = "permuted sign", .decimals = 1},
                 {.title = "random sign", .decimals = 1},
                 {.title = "descent", .decimals = 1},
                 {.title = "median epsilon", .decimals = 4},
                 {.title = "zero gradients %", .decimals = 2}});
    constexpr std::array<const char*, 3> kinds{"balanced", "under", "over"};
    const auto fast = attacks_named(results, "fgsm");
    const auto left = [&](const std::vector<std::size_t>& attacks, std::size_t sampler, Source from) {
        std::vector<std::size_t> cells;
        for (const std::size_t a : attacks)
            for (const std::size_t cell : cells_of(results, a, sampler, from)) cells.push_back(cell);
        return average(results, cells, [](const CellSummary& s) { return percent(s.attacked); });
    };
    const auto first = [](const std::vector<std::size_t>& attacks) {
        return std::vector<std::size_t>(attacks.begin(), attacks.begin() + (attacks.empty() ? 0 : 1));
    };
    for (const Source from : {Source::same_model, Source::different_model})
        for (std::size_t k = 0; k < kinds.size(); ++k) {
            const auto cells = cells_of(results, 0, k, from);
            const std::vector<std::size_t> descent(fast.begin() + std::min<std::ptrdiff_t>(1, std::ssize(fast)),
                                                   fast.end());
            table.add({kinds[k], from == Source::same_model ? "own" : "another balanced network's",
                       average(results, cells, [](const CellSummary& s) { return percent(s.clean); }),
                       left(first(fast), k, from), left(first(attacks_named(results, "iterative")), k, from),
                       left(attacks_named(results, "permuted_sign"), k, from),
                       left(attacks_named(results, "random_sign"), k, from), left(descent, k, from),
                       average(results, cells, [](const CellSummary& s) { return s.median_epsilon.value; }),
                       average(results, cells, [](const CellSummary& s) { return percent(s.zero_gradients); })});
        }
    return table;
}

/// The primary measure of vulnerability by class: matched flip rates, own gradients, of the skewed networks and the
/// balanced one (percent), each pair on the images that both classify rightly without attack.
inline Table matched_flip_table(const StudyResults& results) {
    Table table({{.title = "class", .align = Align::left},
                 {.title = "matched"},
                 {.title = "under", .decimals = 1},
                 {.title = "balanced", .decimals = 1},
                 {.title = "difference", .decimals = 1},
                 {.title = "matched"},
                 {.title = "balanced", .decimals = 1},
                 {.title = "over", .decimals = 1},
                 {.title = "difference", .decimals = 1}});
    const auto b = cells_of(results, 0, balanced, Source::same_model);
    const auto u = cells_of(results, 0, under, Source::same_model);
    const auto o = cells_of(results, 0, over, Source::same_model);
    for (std::size_t i = 0; i < b.size() && i < u.size() && i < o.size(); ++i) {
        const Label c = results.plan.cells[b[i]].attacked_class;
        const auto labels = results.cells[b[i]].labels(c);
        const auto pair = [&](std::size_t first, std::size_t second) {
            const auto before1 = results.cells[first].before(), after1 = results.cells[first].after();
            const auto before2 = results.cells[second].before(), after2 = results.cells[second].after();
            return matched_flips(labels, {before1, after1}, {before2, after2});
        };
        const auto rate = [](const MatchedFlips& m, std::size_t network) {
            return m.defined() ? percent(m.rate(network)) : std::nullopt;
        };
        const auto minus = [](std::optional<double> x, std::optional<double> y) {
            return x && y ? std::optional<double>(*x - *y) : std::nullopt;
        };
        const MatchedFlips ub = pair(u[i], b[i]), bo = pair(b[i], o[i]);
        table.add({results.class_names[static_cast<std::size_t>(index(c))], ub.matched(), rate(ub, 0), rate(ub, 1),
                   minus(rate(ub, 0), rate(ub, 1)), bo.matched(), rate(bo, 0), rate(bo, 1),
                   minus(rate(bo, 0), rate(bo, 1))});
    }
    return table;
}

/// A table with the line that goes above it.
struct TitledTable {
    std::string title;
    Table table;
};

/// All of the above, in the paper's order.
inline std::vector<TitledTable> all_tables(const StudyResults& results) {
    return {{"Figure 1: answers of the balanced network without attack, percent of each class", figure_1(results)},
            {"Figure 2: accuracy on the skewed class without attack, percent", figure_2(results)},
            {"Table 1: accuracy on the attacked class under the fast method, percent", table_1(results)},
            {"Figure 5: relative difference, percent of the clean accuracy", figure_5(results)},
            {"Matched flip rates, own gradients, percent", matched_flip_table(results)},
            {"What each attack leaves, average over classes, percent", controls(results)}};
}

}  // namespace SKEWGRAD_NAMESPACE::report
