// Quantities compared in a table or figure over the same classes and seeds, with the excluded ones named.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/page/by_seed.hpp>
#include <skewgrad/report/page/study_view.hpp>
#include <skewgrad/study/claims/compared.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// One of the quantities: its name for readers, and its values by class.
struct Quantity {
    std::string name;
    std::map<Label, BySeed> classes;
};

/// The classes and seeds that all quantities have (`claims::compare`), and the quantities' estimates over them.
class Comparison {
public:
    Comparison(const StudyView& view, std::vector<Quantity> quantities) : quantities_(std::move(quantities)) {
        std::vector<claims::ComparedColumn> columns;
        for (const Quantity& q : quantities_) {
            claims::ComparedColumn column{.name = q.name, .least_images = 0};
            for (const auto& [c, by_seed] : q.classes)
                for (std::size_t s = 0; s < by_seed.values.size(); ++s) {
                    const auto& value = by_seed.values[s];
                    if (value)
                        column.values[c][view.seeds()[s]] = *value;
                    else
                        column.lacks[c][view.seeds()[s]] = q.name + ", " + view.evidence().class_name(c);
                }
            columns.push_back(std::move(column));
        }
        over_ = claims::compare(view.class_names(), view.seeds(), columns);
        for (std::size_t s = 0; s < view.seeds().size(); ++s)
            if (std::find(over_.seeds.begin(), over_.seeds.end(), view.seeds()[s]) != over_.seeds.end())
                seeds_.push_back(s);
    }

    const claims::Compared& over() const noexcept { return over_; }
    std::size_t size() const noexcept { return quantities_.size(); }

    /// A class's estimate over the comparison's seeds, even if the class is excluded from the averages.
    Estimated of(std::size_t quantity, Label c) const {
        const auto found = quantities_.at(quantity).classes.find(c);
        return found == quantities_.at(quantity).classes.end() ? Estimated{} : estimated(found->second, seeds_);
    }
    /// The unweighted average over the comparison's classes in every seed, and its estimate over the seeds.
    Estimated average(std::size_t quantity) const {
        if (over_.classes.empty() || quantities_.at(quantity).classes.empty()) return {};
        BySeed average;
        const double classes = static_cast<double>(over_.classes.size());
        for (const std::size_t s : seeds_) {
            std::optional<claims::CaseValue> sum;
            for (const Label c : over_.classes) {
                const auto& values = quantities_[quantity].classes.at(c).values;
                if (s >= values.size() || !values[s]) return {};  // this quantity was not run at all
                sum = sum ? *sum + *values[s] : *values[s];
            }
            average.values.resize(s + 1);
            average.values[s] = (1 / classes) * *sum;
        }
        return estimated(average, seeds_);
    }

private:
    std::vector<Quantity> quantities_;
    claims::Compared over_;
    std::vector<std::size_t> seeds_;  ///< positions among the report's seeds
};

}  // namespace SKEWGRAD_NAMESPACE::report
