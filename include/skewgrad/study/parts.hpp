// The parts of a study: what can be done by itself, what it needs first, and what it costs.
#pragma once
#include <charconv>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/core/text.hpp>
#include <skewgrad/study/run_layout.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The stages of a study, in their order: networks are trained, logits adjusted, cells evaluated, some images kept for
/// display, and all of it is reported.
enum class Stage { train, adjust, attack, pictures, report };

inline const char* to_string(Stage stage) {
    constexpr const char* names[] = {"train", "adjust", "attack", "pictures", "report"};
    return names[static_cast<std::size_t>(stage)];
}

/// A piece of a study that one process does by itself: one training, one adjustment of logits, the cells of one source
/// and class, the pictures, the report. Doing it twice gives the same files.
struct Part {
    Stage stage = Stage::train;
    std::string name;                   ///< "train/under-3-900-seed1-1a2b3c4d"; unique, and the same in every process
    std::size_t index = 0;              ///< among the parts of its stage
    std::vector<std::size_t> needs{};   ///< numbers of the parts that must be done before
    double cost = 0;                    ///< approximately, in images passed forward through one network
    std::size_t training = 0;           ///< the plan's number of the network that it makes, attacks with, or shows
    std::vector<std::size_t> groups{};  ///< numbers of the groups of cells that it evaluates, see Plan::groups
};

namespace study {

/// The costs of a plan's trainings and groups of cells, in images passed forward.
struct PartCosts {
    std::vector<double> trainings, groups;
};

/// Calls visit(first, count) for the groups of each source and class, which are adjacent.
template <class Visit>
void for_each_source(std::span<const CellGroup> groups, Visit visit) {
    for (std::size_t first = 0, g = 1; first < groups.size(); ++g) {
        if (g < groups.size() && groups[g].source == groups[first].source &&
            groups[g].attacked_class == groups[first].attacked_class)
            continue;
        visit(first, g - first);
        first = g;
    }
}

/// Makes the parts of a plan, whose files have the names of `identities`. A part needs the trainings of all its
/// networks. Numbers of parts are positions in the result: the trainings come first, then the adjustments.
inline std::vector<Part> parts_of(const Plan& plan, const std::vector<CellGroup>& groups, const Identities& identities,
                                  const PartCosts& costs) {
    std::vector<Part> all;
    std::vector<std::size_t> part_of(plan.trainings.size());  // the part that makes a network
    const auto add = [&all](Stage stage, const std::string& name) -> Part& {
        const std::size_t before = !all.empty() && all.back().stage == stage ? all.back().index + 1 : 0;
        return all.emplace_back(
            Part{.stage = stage, .name = std::string(to_string(stage)) + "/" + name, .index = before});
    };
    for (const bool adjusted : {false, true})
        for (std::size_t t = 0; t < plan.trainings.size(); ++t) {
            if (plan.trainings[t].adjusts.has_value() != adjusted) continue;
            Part& part = add(adjusted ? Stage::adjust : Stage::train, identities.trainings[t].name);
            part.training = t;
            part.cost = costs.trainings[t];
            if (adjusted) part.needs = {part_of[*plan.trainings[t].adjusts]};
            part_of[t] = all.size() - 1;
        }
    for_each_source(groups, [&](std::size_t first, std::size_t count) {
        Part& part = add(Stage::attack, identities.sources[first].name);
        part.training = groups[first].source;
        std::set<std::size_t> needs;
        for (std::size_t g = first; g < first + count; ++g) {
            part.groups.push_back(g);
            part.cost += costs.groups[g];
            for (const std::size_t t : {groups[g].source, groups[g].victim}) {
                needs.insert(part_of[t]);
                if (const auto& adjusts = plan.trainings[t].adjusts) needs.insert(part_of[*adjusts]);
            }
        }
        part.needs.assign(needs.begin(), needs.end());
    });
    const std::size_t work = all.size();
    if (!plan.trainings.empty()) {
        Part& pictures = add(Stage::pictures, identities.pictures.name);
        pictures.needs = {part_of[0]};
    }
    Part& report = add(Stage::report, "all");
    for (std::size_t p = 0; p < work; ++p) report.needs.push_back(p);
    if (!plan.trainings.empty()) report.needs.push_back(work);
    return all;
}

/// The parts that a text names: a part's name; a stage, "attack"; some of a stage by their index, "attack:7" or
/// "attack:0-99" (both included). Throws ValueError if there are none such.
inline std::vector<std::size_t> parts_named(std::span<const Part> parts, const std::string& text) {
    std::vector<std::size_t> named;
    const std::size_t colon = text.find(':');
    const std::string stage = text.substr(0, colon);
    std::size_t first = 0, last = parts.size();
    if (colon != std::string::npos) {
        const char *at = text.data() + colon + 1, *end = text.data() + text.size();
        auto read = std::from_chars(at, end, first);
        last = first;
        if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-')
            read = std::from_chars(read.ptr + 1, end, last);
        if (read.ec != std::errc() || read.ptr != end || last < first)
            throw ValueError("part " + in_quotes(text) + ": after the colon must be an index, 7, or two, 0-99");
    }
    bool is_stage = false;
    for (std::size_t p = 0; p < parts.size(); ++p) {
        is_stage = is_stage || stage == to_string(parts[p].stage);
        const bool within = parts[p].index >= first && parts[p].index <= last;
        if (parts[p].name == text || (stage == to_string(parts[p].stage) && within)) named.push_back(p);
    }
    if (named.empty())
        throw ValueError("part " + in_quotes(text) + (is_stage ? ": the stage has no such index" : ": there is none") +
                         "; --parts lists all");
    return named;
}

/// A part as JSON: one line of the list that schedulers read.
inline nlohmann::json part_json(std::span<const Part> parts, std::size_t p) {
    nlohmann::json needs = nlohmann::json::array();
    for (const std::size_t needed : parts[p].needs) needs.push_back(parts[needed].name);
    return {{"name", parts[p].name},
            {"stage", to_string(parts[p].stage)},
            {"index", parts[p].index},
            {"needs", needs},
            {"cost", parts[p].cost}};
}

}  // namespace study

}  // namespace SKEWGRAD_NAMESPACE
