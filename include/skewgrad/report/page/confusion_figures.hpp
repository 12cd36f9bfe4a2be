// Confusion of attacked classes: Figure 6, the flow between look-alikes, and flow against similarity.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/confusion_flow.hpp>
#include <skewgrad/report/figures/figure.hpp>
#include <skewgrad/report/figures/ticks.hpp>
#include <skewgrad/report/page/paper_figures.hpp>
#include <skewgrad/report/page/study_view.hpp>
#include <skewgrad/report/paper_figure_6.hpp>

namespace SKEWGRAD_NAMESPACE::report {

namespace confusions {

/// The confusion matrix of the test set under a network that is skewed on `c`, these seeds pooled. Class `c` is
/// attacked with a gradient or not attacked; all other classes are not attacked.
inline Confusion of(const StudyView& view, std::span<const std::uint64_t> seeds, claims::Kind kind, Label c,
                    std::optional<claims::Gradient> attacked) {
    Confusion all(static_cast<int>(view.classes()));
    for (const std::uint64_t seed : seeds) {
        const auto* network = view.evidence().find(claims::NetworkName{.block = seed, .kind = kind, .skewed = c});
        const auto images = attacked ? view.images(seed, kind, c, *attacked) : std::nullopt;
        if (network == nullptr || (attacked && !images)) continue;
        for (std::size_t t = 0; t < network->clean.size(); ++t)
            if (!attacked || label_of(t) != c)
                for (const Outcome& o : network->clean[t]) all.add(label_of(t), o.predicted);
        if (attacked)
            for (const ImageRecord& i : *images) all.add(c, i.attacked.predicted);
    }
    return all;
}

/// The pair shown as the example: cat and dog, else the first look-alikes, else the first two classes.
inline std::vector<Label> shown_pair(const StudyView& view) {
    const std::size_t first = chosen_class(view);
    const auto& partners = view.evidence().partners;
    if (view.classes() < 2) return {};
    if (first < partners.size() && partners[first]) return {label_of(first), *partners[first]};
    return {label_of(first), label_of(first == 0 ? 1 : 0)};
}

/// The look-alike's proportion of the errors on one class's images under a kind of network, these seeds pooled.
inline Ratio share_to_partner(const StudyView& view, std::span<const std::uint64_t> seeds, claims::Kind kind, Label c,
                              Label partner, claims::Gradient gradient, bool attacked) {
    Ratio r;
    for (const std::uint64_t seed : seeds)
        if (const auto images = view.images(seed, kind, c, gradient))
            for (const ImageRecord& i : *images) {
                const Prediction predicted = attacked ? i.attacked.predicted : i.clean.predicted;
                r.of += !correct(predicted, c);
                r.hits += correct(predicted, partner);
            }
    return r;
}

}  // namespace confusions

/// Confusion matrices without attack, with another network's gradient, with the own gradient, and the paper's if the
/// classes are the paper's.
inline Figure figure_6_maps(const StudyView& view) {
    using claims::Gradient, claims::Kind;
    const std::vector<std::uint64_t> seeds = flow_seeds(view.evidence()).seeds;
    std::vector<HeatMap> maps;
    std::size_t column = 0;
    for (const Label c : confusions::shown_pair(view))
        for (const Kind kind : {Kind::under, Kind::over}) {
            const std::string who = view.evidence().class_name(c) + " " + claims::name_of(kind);
            const auto add = [&](const char* how, std::optional<Gradient> gradient) {
                maps.push_back(paper_figures::confusion_map(
                    who + ": " + how, confusions::of(view, seeds, kind, c, gradient), view.class_names()));
                maps.back().marked = static_cast<std::size_t>(index(c));
            };
            add("no attack", std::nullopt);
            add("other gradient", Gradient::other_seed);
            add("own gradient", Gradient::own);
            if (view.classes_are_the_papers()) {
                const std::size_t marked = static_cast<std::size_t>(index(c));
                maps.push_back(paper_figures::papers_map(view, who + ": the paper", paper::figure_6.at(column)));
                maps.back().marked = marked;
            }
            ++column;
        }
    return {
        .name = "figure_6",
        .title = "Figure 6: what skewed networks predict, without attack and under it",
        .caption =
            "Of a class, the network that has few of it (under) and the one that has few of all others (over). "
            "Rows: the true class, each 100 %; columns: the prediction. The framed row is the skewed class, the only "
            "one that is attacked; the paper's figure shows the attack with another network's gradient alone. "
            "What stands in that row without attack is no effect of the attack. " +
            view.images_in_words() + (view.seeds().size() > 1 ? ", seeds pooled" : "") +
            "; no intervals are drawn, shares under half a percent stay empty.",
        .alt =
            "Confusion matrices of the under-sampled and over-sampled networks of a pair of look-alike classes: "
            "without attack, under another network's gradient, under the own gradient.",
        .panels = std::move(maps),
        .across = view.classes_are_the_papers() ? 4U : 3U};
}

/// The look-alike's proportion of the errors: without attack, with another network's gradient, with the own gradient.
inline Figure flow_figure(const StudyView& view) {
    using claims::Gradient, claims::Kind;
    const auto& partners = view.evidence().partners;
    const std::vector<std::uint64_t> seeds = flow_seeds(view.evidence()).seeds;
    std::vector<std::string> names;
    std::vector<std::pair<Label, Label>> pairs;
    for (std::size_t c = 0; c < partners.size(); ++c)
        if (partners[c]) {
            pairs.emplace_back(label_of(c), *partners[c]);
            names.push_back(view.class_names()[c] + " → " + view.evidence().class_name(*partners[c]));
        }
    constexpr std::size_t room =
        6;  // for both names; with more pairs, only the attacked class is shown, and the table has the look-alike
    if (names.size() > room)
        for (std::size_t k = 0; k < pairs.size(); ++k) names[k] = view.evidence().class_name(pairs[k].first);
    std::vector<Plot> plots;
    for (const Kind kind : paper_figures::kinds) {
        Plot plot{.title = std::string(claims::name_of(kind)) + " networks",
                  .x = category_axis(names.size() > room ? "attacked class" : "attacked class → its look-alike", names),
                  .y = percent_axis("share of errors, %"),
                  .series = {},
                  .height = 235};
        const auto add = [&](const char* title, Style style, Gradient gradient, bool attacked) {
            Series s{title, style, {}};
            for (std::size_t k = 0; k < pairs.size(); ++k) {
                const Ratio r = confusions::share_to_partner(view, seeds, kind, pairs[k].first, pairs[k].second,
                                                             gradient, attacked);
                if (!r.defined()) continue;
                const Interval w = wilson_interval(r);
                s.points.push_back({static_cast<double>(k), 100 * r.value(), 100 * w.low, 100 * w.high});
            }
            plot.series.push_back(std::move(s));
        };
        add("without attack", {palette::blue, Marker::circle}, Gradient::own, false);
        add("another network's gradient", {palette::orange, Marker::square}, Gradient::other_seed, true);
        add("own gradient", {palette::vermillion, Marker::triangle}, Gradient::own, true);
        plots.push_back(std::move(plot));
    }
    return {
        .name = "confusion_flow",
        .title = "Confusion flow: where errors on a class go",
        .caption =
            "Of the wrong predictions on a class, the share that names its look-alike. An attack makes more errors of "
            "every kind; what it adds to existing confusion is the rise from the first mark to the third. "
            "Bars: Wilson's 95 % intervals over the images answered wrongly" +
            std::string(view.seeds().size() > 1 ? ", seeds pooled (they ignore how seeds differ)" : "") +
            "; their numbers stand in the table below.",
        .alt =
            "Shares of the errors on each class that go to its look-alike, for balanced, under-sampled and "
            "over-sampled networks, without and with attack.",
        .panels = std::move(plots)};
}

/// If similarity is known: the confusion that the attack adds to a pair against the pair's similarity.
inline Figure similarity_figure(const StudyView& view) {
    using claims::Gradient, claims::Kind;
    const std::vector<std::uint64_t> seeds = flow_seeds(view.evidence()).seeds;
    std::vector<Plot> plots;
    std::vector<Series> all;
    for (const Kind kind : paper_figures::kinds) {
        Series s{claims::name_of(kind), style_of(kind), {}};
        for (std::size_t c = 0; c < view.evidence().similarity.size(); ++c) {
            if (!view.evidence().partners.at(c)) continue;
            const Label partner = *view.evidence().partners[c];
            const Ratio before =
                confusions::share_to_partner(view, seeds, kind, label_of(c), partner, Gradient::own, false);
            const Ratio after =
                confusions::share_to_partner(view, seeds, kind, label_of(c), partner, Gradient::own, true);
            if (const auto flow = ErrorFlow{before, after}.value())
                s.points.push_back({view.evidence().similarity[c], 100 * *flow});
        }
        all.push_back(s);
        plots.push_back({.title = std::string(claims::name_of(kind)) + " networks",
                         .x = round_axis("similarity of the pair", 0, 1),
                         .y = {},
                         .series = {std::move(s)},
                         .zero = 0,
                         .height = 300});
    }
    for (Plot& plot : plots) plot.y = axis_around("flow to the look-alike, points", all, 0, 0);
    return {.name = "similarity",
            .title = "Attack-induced confusion against similarity",
            .caption =
                "The experiment that CIFAR-10 does not allow: pairs of classes are made with a chosen similarity (0: "
                "unlike, 1: one class under two names). Each mark is a class. Flow: the share of its errors that name "
                "its look-alike, "
                "attacked minus clean; above 0 the attack sends more there than went anyway. Own gradients, " +
                view.images_in_words() + (view.seeds().size() > 1 ? ", seeds pooled" : "") +
                "; a share over few errors scatters (their numbers are in the table above), and no interval is drawn: "
                "the slope in balanced networks and its interval are claim C4c.",
            .alt =
                "What the attack adds to the share of errors that go to the look-alike, against the similarity of the "
                "pair.",
            .panels = std::move(plots),
            .across = 3};
}

}  // namespace SKEWGRAD_NAMESPACE::report
