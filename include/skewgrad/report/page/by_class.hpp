// What the paper shows class by class: one list of columns makes the table and the figure, so that they cannot differ.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/figures/figure.hpp>
#include <skewgrad/report/figures/ticks.hpp>
#include <skewgrad/report/page/study_view.hpp>
#include <skewgrad/report/table.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// A quantity of every class, and the paper's number for it where it printed one.
struct ClassColumn {
    std::string title;
    Style style;
    std::function<BySeed(Label)> measure;
    std::function<double(const paper::ClassAccuracy&)> published{};
};

namespace by_class {

/// The classes' estimates, then their average's.
inline std::vector<Estimated> estimates(const StudyView& view, const ClassColumn& column) {
    std::vector<BySeed> classes;
    std::vector<Estimated> all;
    for (std::size_t c = 0; c < view.classes(); ++c) {
        classes.push_back(column.measure(label_of(c)));
        all.push_back(estimated(classes.back()));
    }
    all.push_back(estimated(average_over_classes(classes)));
    return all;
}
/// The paper's numbers by label, then their average over the classes that were studied here.
inline std::vector<std::optional<double>> published(const StudyView& view, const ClassColumn& column) {
    std::vector<std::optional<double>> all(view.classes() + 1);
    double sum = 0;
    int count = 0;
    for (std::size_t c = 0; c < paper::class_accuracy.size() && c < view.classes(); ++c) {
        all[c] = column.published(paper::class_accuracy[c]);
        if (!view.studied(label_of(c))) continue;
        sum += *all[c];
        ++count;
    }
    if (count > 0) all.back() = sum / count;
    return all;
}
inline std::vector<std::string> row_names(const StudyView& view) {
    std::vector<std::string> names = view.class_names();
    names.emplace_back("average");
    return names;
}

}  // namespace by_class

/// A row a class and one for their average; for each column the estimate, its interval's ends, and the paper's number
/// where there is one. Titles are unique: "same/under", "same/under low", "same/under high", "same/under paper".
inline Table class_table(const StudyView& view, const std::vector<ClassColumn>& columns) {
    std::vector<TableColumn> titles{{.title = "class", .align = Align::left}};
    const std::vector<std::string> names = by_class::row_names(view);
    std::vector<std::vector<TableCell>> rows(names.begin() == names.end() ? 0 : names.size());
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r].emplace_back(names[r]);
    for (const ClassColumn& column : columns) {
        for (const char* part : {"", " low", " high"}) titles.push_back({.title = column.title + part, .decimals = 1});
        const std::vector<Estimated> ours = by_class::estimates(view, column);
        for (std::size_t r = 0; r < rows.size(); ++r)
            for (const auto& value : {ours[r].value, ours[r].low, ours[r].high}) rows[r].emplace_back(value);
        if (!column.published) continue;
        titles.push_back({.title = column.title + " paper", .decimals = 1});
        const auto theirs = by_class::published(view, column);
        for (std::size_t r = 0; r < rows.size(); ++r) rows[r].emplace_back(theirs[r]);
    }
    Table table(titles);
    for (auto& row : rows) table.add(std::move(row));
    return table;
}

/// The same as a plot: a column a class and one for the average, the paper's numbers as empty marks, where its classes
/// are these.
inline Plot class_plot(const StudyView& view, const std::vector<ClassColumn>& columns, std::string title, Axis y) {
    Plot plot{.title = std::move(title),
              .x = category_axis("class of the test images", by_class::row_names(view)),
              .y = std::move(y),
              .series = {}};
    for (const ClassColumn& column : columns) {
        Series ours{column.title, column.style, {}};
        const std::vector<Estimated> estimates = by_class::estimates(view, column);
        for (std::size_t r = 0; r < estimates.size(); ++r)
            if (estimates[r].value)
                ours.points.push_back(
                    {static_cast<double>(r), *estimates[r].value, estimates[r].low, estimates[r].high});
        plot.series.push_back(std::move(ours));
        if (!column.published || !view.classes_are_the_papers()) continue;
        Series theirs{column.title + ", paper", column.style, {}};
        theirs.style.filled = false;
        const auto numbers = by_class::published(view, column);
        for (std::size_t r = 0; r < numbers.size(); ++r)
            if (numbers[r]) theirs.points.push_back({static_cast<double>(r), *numbers[r]});
        plot.series.push_back(std::move(theirs));
    }
    return plot;
}

}  // namespace SKEWGRAD_NAMESPACE::report
