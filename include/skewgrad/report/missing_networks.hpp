// Networks whose training failed and networks that learned nothing, listed with the reason.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include <skewgrad/report/markup/element.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/study/at_chance.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// Titles of the networks that are no better than chance, without the logit-adjusted ones.
inline std::vector<std::string> networks_at_chance(const StudyResults& results) {
    std::vector<std::string> titles;
    for (std::size_t t = 0; t < results.trainings.size(); ++t)
        if (!results.plan.trainings[t].adjusts && !results.trainings[t].clean.empty() && at_chance(results, t))
            titles.push_back(title_of(results.plan.trainings[t], results.class_names));
    return titles;
}

/// A row for each network that failed or learned nothing.
inline Table missing_networks_table(const StudyResults& results) {
    Table table({{.title = "network", .align = Align::left},
                 {.title = "what happened", .align = Align::left},
                 {.title = "cells missing"}});
    for (const FailedTraining& failed : results.failed)
        table.add({failed.title, "failed: " + failed.reason, failed.cells});
    for (const std::string& title : networks_at_chance(results)) table.add({title, "no better than a guess", 0});
    return table;
}

/// A prominent box that lists these networks; nothing if there are none.
inline Markup missing_networks_banner(const StudyResults& results) {
    Markup which;
    for (const FailedTraining& failed : results.failed)
        which += element(
            "li", failed.title + ": " + failed.reason + " (" + std::to_string(failed.cells) + " cells are missing)");
    const std::vector<std::string> at_chance = networks_at_chance(results);
    for (const std::string& title : at_chance) which += element("li", title + ": no better than a guess");
    const std::size_t count = results.failed.size() + at_chance.size();
    if (count == 0) return {};
    return element("div", {{"class", "alarm"}, {"role", "alert"}},
                   element("strong", "⚠ " + std::to_string(count) +
                                         (count == 1 ? " network failed or learned nothing."
                                                     : " networks failed or learned nothing.")) +
                       " Tables and figures are of the others." + element("ul", which));
}

}  // namespace SKEWGRAD_NAMESPACE::report
