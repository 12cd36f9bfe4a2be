// The seeds and classes of a comparison, by one rule for every average over classes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/study/claims/measures.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// One of the compared quantities: its value for every class and seed, or the name of what the study lacks.
struct ComparedColumn {
    std::string name;                           ///< for readers; empty: there is only one column
    std::int64_t least_images = fewest_images;  ///< with fewer images, a value counts as undefined
    std::map<Label, std::map<std::uint64_t, CaseValue>> values{};
    std::map<Label, std::map<std::uint64_t, std::string>> lacks{};

    bool defined(const CaseValue& v) const { return v.value && v.images >= least_images; }
    bool has(Label c, std::uint64_t seed) const {
        const auto of_class = values.find(c);
        return of_class != values.end() && of_class->second.contains(seed);
    }
};

/// The scope of a comparison: every column has a defined value for each of these classes in each of these seeds.
struct Compared {
    std::vector<std::uint64_t> seeds;
    std::vector<Label> classes;
    std::vector<std::string> left_names;  ///< names of the excluded seeds and classes
    std::vector<std::string> left_out;    ///< the same with the reasons
    std::vector<std::string> not_run;     ///< requested columns and classes that no seed has

    bool over(Label c) const { return std::find(classes.begin(), classes.end(), c) != classes.end(); }
    /// The label of a row of averages: "average", "average without cat, seed 3".
    std::string average() const {
        std::string text = "average";
        for (const std::string& who : left_names) text += (text.size() == 7 ? " without " : ", ") + who;
        return text;
    }
    /// " Averages are without cat (same/under, seed 2: 41 images)."; empty: nothing is excluded.
    std::string in_words() const {
        std::string text;
        for (const std::string& who : left_out) text += (text.empty() ? " Averages are without " : "; ") + who;
        return text.empty() ? text : text + ".";
    }
};

namespace comparing {

/// Data that a seed lacks and another seed has, in any column; empty: the seed is complete.
inline std::string lack_of(std::span<const ComparedColumn* const> columns, std::uint64_t seed) {
    for (const ComparedColumn* column : columns)
        for (const auto& [c, by_seed] : column->values) {
            if (by_seed.contains(seed)) continue;
            const auto lacks = column->lacks.find(c);
            const bool named = lacks != column->lacks.end() && lacks->second.contains(seed);
            if (named) return lacks->second.at(seed);
            return column->name.empty() ? "a value" : column->name;
        }
    return {};
}

/// Why a class must be excluded from the comparison: "same/under, seed 2: 41 images", without the column's name if
/// there is only one; empty: it is defined everywhere.
inline std::string why_undefined(std::span<const ComparedColumn* const> columns, std::span<const std::uint64_t> seeds,
                                 Label c) {
    for (const ComparedColumn* column : columns) {
        const std::string in = column->name.empty() ? "" : column->name + ", ";
        for (const std::uint64_t seed : seeds) {
            if (!column->has(c, seed)) return in + "not run";
            const CaseValue& v = column->values.at(c).at(seed);
            if (!column->defined(v))
                return in + "seed " + std::to_string(seed) + ": " + std::to_string(v.images) +
                       (v.images < fewest_images ? " images" : " images, undefined");
        }
    }
    return {};
}

}  // namespace comparing

/// The common rule. A column without any results is not part of the comparison. A seed is excluded if it lacks data
/// that another seed has (a study in progress), unless every seed lacks something. Then a class that is undefined or
/// not run in one column or in one seed is excluded from all columns and all seeds. `class_names`: by label.
inline Compared compare(const std::vector<std::string>& class_names, std::span<const std::uint64_t> seeds,
                        std::span<const ComparedColumn> columns) {
    Compared all;
    std::vector<const ComparedColumn*> run;
    std::set<Label> classes, not_run_of;
    for (const ComparedColumn& column : columns) {
        if (!column.values.empty()) run.push_back(&column);
        for (const auto& [c, by_seed] : column.values) classes.insert(c);
        for (const auto& [c, by_seed] : column.lacks)
            if (!column.values.contains(c) && not_run_of.insert(c).second &&
                std::find(all.not_run.begin(), all.not_run.end(), by_seed.begin()->second) == all.not_run.end())
                all.not_run.push_back(by_seed.begin()->second);
    }
    for (const std::uint64_t seed : seeds) {
        const std::string lack = comparing::lack_of(run, seed);
        if (lack.empty()) {
            if (!run.empty()) all.seeds.push_back(seed);
            continue;
        }
        all.left_names.push_back("seed " + std::to_string(seed));
        all.left_out.push_back(all.left_names.back() + " (not run: " + lack + ")");
    }
    if (all.seeds.empty() && !run.empty()) {
        all.seeds.assign(seeds.begin(), seeds.end());
        all.left_names.clear();
        all.left_out.clear();
    }
    for (const Label c : classes) {
        const std::string& name = class_names.at(static_cast<std::size_t>(index(c)));
        const std::string why = comparing::why_undefined(run, all.seeds, c);
        if (why.empty()) {
            all.classes.push_back(c);
            continue;
        }
        all.left_names.push_back(name);
        all.left_out.push_back(name + " (" + why + ")");
    }
    return all;
}

}  // namespace SKEWGRAD_NAMESPACE::claims
