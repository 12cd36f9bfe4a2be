// Confusion flow between look-alike classes: the look-alike's proportion of errors without and with the attack.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/confusion_flow.hpp>
#include <skewgrad/report/study_cells.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/study/claims/compared.hpp>
#include <skewgrad/study/claims/evidence.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// The seeds that are pooled for the confusion flow: those that have every kind of network and both gradients, by the
/// rule of `claims::compare`.
inline claims::Compared flow_seeds(const claims::Evidence& evidence) {
    using namespace claims;
    std::vector<ComparedColumn> columns;
    for (const Kind kind : {Kind::balanced, Kind::under, Kind::over})
        for (const Gradient gradient : {Gradient::own, Gradient::other_seed}) {
            ComparedColumn column{.name = std::string(name_of(kind)) + ", " + name_of(gradient), .least_images = 0};
            for (std::size_t k = 0; k < evidence.class_names().size(); ++k)
                for (const std::uint64_t seed : evidence.blocks) {
                    const auto c = static_cast<Label>(k);
                    const CellName name{.victim = {.block = seed,
                                                   .kind = kind,
                                                   .skewed = skews(kind) ? std::optional(c) : std::nullopt},
                                        .attacked = c,
                                        .gradient = gradient};
                    if (const auto* cell = evidence.find(name))
                        column.values[c][seed] = {0.0, static_cast<std::int64_t>(cell->images())};
                    else
                        column.lacks[c][seed] = evidence.describe(name);
                }
            columns.push_back(std::move(column));
        }
    return compare(evidence.class_names(), evidence.blocks, columns);
}

/// Errors between pairs of look-alikes: percent of the errors without the attack, with another network's gradient and
/// with the network's own, their difference (flow), and the excess of one direction's flow over the other's. Seeds are
/// pooled.
inline Table flow_table(const claims::Evidence& evidence) {
    using namespace claims;
    Table table({{.title = "network", .align = Align::left},
                 {.title = "class", .align = Align::left},
                 {.title = "taken for", .align = Align::left},
                 {.title = "errors"},
                 {.title = "clean", .decimals = 1},
                 {.title = "different model", .decimals = 1},
                 {.title = "same model", .decimals = 1},
                 {.title = "flow", .decimals = 1},
                 {.title = "asymmetry", .decimals = 1}});
    const std::vector<std::uint64_t> seeds = flow_seeds(evidence).seeds;
    const auto confusion = [&](Kind kind, Label c, Gradient gradient, bool attacked) {
        Confusion all(evidence.classes());
        for (const auto& [name, cell] : evidence.cells()) {
            if (name.victim.kind != kind || name.victim.dose != 0 || name.attacked != c || name.gradient != gradient ||
                name.method != Method::fast || std::find(seeds.begin(), seeds.end(), name.victim.block) == seeds.end())
                continue;
            const CellImages images(cell.get());
            for (const ImageRecord& i : images) all.add(c, attacked ? i.attacked.predicted : i.clean.predicted);
        }
        return all;
    };
    for (const Kind kind : {Kind::balanced, Kind::under, Kind::over})
        for (std::size_t k = 0; k < evidence.partners.size(); ++k) {
            if (!evidence.partners[k]) continue;
            const auto c = static_cast<Label>(k), other = *evidence.partners[k];
            const Confusion before = confusion(kind, c, Gradient::own, false),
                            after = confusion(kind, c, Gradient::own, true);
            if (before.total() == 0) continue;
            const auto predicted = static_cast<Prediction>(index(other)), back = static_cast<Prediction>(index(c));
            const ErrorFlow flow = error_flow(before, after, c, predicted);
            const ErrorFlow returning = error_flow(confusion(kind, other, Gradient::own, false),
                                                   confusion(kind, other, Gradient::own, true), other, back);
            const auto points = [](std::optional<double> value) {
                return value ? std::optional(100 * *value) : std::nullopt;
            };
            table.add({name_of(kind), evidence.class_name(c), evidence.class_name(other), flow.after.of,
                       percent(flow.before),
                       percent(confusion(kind, c, Gradient::other_seed, true).share_of_errors(c, predicted)),
                       percent(flow.after), points(flow.value()), points(PairFlow{flow, returning}.asymmetry())});
        }
    return table;
}

}  // namespace SKEWGRAD_NAMESPACE::report
