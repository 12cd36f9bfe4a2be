// Cuts of one class to several counts: what is left of it without and with the attack, from few images to all.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/robustness.hpp>
#include <skewgrad/report/figures/figure.hpp>
#include <skewgrad/report/figures/ticks.hpp>
#include <skewgrad/report/page/study_view.hpp>
#include <skewgrad/report/table.hpp>

namespace SKEWGRAD_NAMESPACE::report {

namespace dose {

/// The networks of a class by how many of its images they were trained on: cut ones, ascending, and the balanced one.
/// Blocks are those of the first seed that has such a network.
using ByCount = std::map<int, claims::NetworkName>;
inline ByCount networks(const StudyView& view, Label c) {
    ByCount all;
    for (const auto& [name, record] : view.evidence().networks()) {
        const bool cut = name.kind == claims::Kind::under && name.skewed == c;
        if (cut || name.kind == claims::Kind::balanced) all.emplace(record.counts.at(index(c)), name);
    }
    return all;
}
/// Classes that were cut to more counts than the study's own.
inline std::vector<Label> classes(const StudyView& view) {
    std::vector<Label> all;
    for (std::size_t c = 0; c < view.classes(); ++c)
        if (networks(view, label_of(c)).size() > 2) all.push_back(label_of(c));
    return all;
}

/// What the fast attack from the network's own gradient does to it, in every seed.
struct Measured {
    BySeed clean, attacked;     ///< percent of the class that is right
    BySeed flips, of_balanced;  ///< percent of the images that it and the balanced network get right without attack
    BySeed more;                ///< flips less of_balanced
    std::int64_t matched = 0;   ///< such images, seeds pooled
};
inline Measured measured(const StudyView& view, Label c, claims::NetworkName network) {
    Measured all;
    const auto right = [&](const ImageRecord& image, bool attacked) {
        return correct(attacked ? image.attacked.said : image.clean.said, c);
    };
    const auto images = [&](std::uint64_t seed) {
        network.block = seed;
        return view.evidence().find(claims::CellName{.victim = network, .attacked = c});
    };
    const auto share = [&](bool attacked) {
        return view.shares([&](std::uint64_t seed) {
            Ratio r;
            if (const auto* found = images(seed)) {
                r.of = std::ssize(*found);
                for (const ImageRecord& i : *found) r.hits += right(i, attacked);
            }
            return r;
        });
    };
    all.clean = share(false);
    all.attacked = share(true);
    std::vector<Ratio> here, there;
    for (const std::uint64_t seed : view.seeds()) {
        Ratio mine, theirs;
        const auto *a = images(seed), *b = view.images(seed, claims::Kind::balanced, c);
        for (std::size_t i = 0; a != nullptr && b != nullptr && i < a->size(); ++i)
            if (right((*a)[i], false) && right((*b)[i], false)) {
                ++mine.of, ++theirs.of;
                mine.hits += !right((*a)[i], true);
                theirs.hits += !right((*b)[i], true);
            }
        all.matched += mine.of;
        const bool enough = mine.of >= fewest_images;
        here.push_back(enough ? mine : Ratio{});
        there.push_back(enough ? theirs : Ratio{});
    }
    const auto of = [&](const std::vector<Ratio>& ratios) {
        BySeed by_seed;
        for (const Ratio& r : ratios) by_seed.values.push_back(percent(r));
        if (ratios.size() == 1 && ratios[0].defined()) by_seed.share = ratios[0];
        return by_seed;
    };
    all.flips = of(here);
    all.of_balanced = of(there);
    for (std::size_t s = 0; s < here.size(); ++s)
        all.more.values.push_back(all.flips.values[s] ? std::optional(*all.flips.values[s] - *all.of_balanced.values[s])
                                                      : std::nullopt);
    return all;
}

}  // namespace dose

/// Whether a class was cut to several counts (--dose).
inline bool has_doses(const StudyView& view) { return !dose::classes(view).empty(); }

/// A row a class and count.
inline Table dose_table(const StudyView& view) {
    std::vector<TableColumn> titles{
        {.title = "class", .align = Align::left}, {.title = "images"}, {.title = "matched"}};
    for (const char* column : {"clean", "attacked", "flips", "flips of balanced", "more flips"})
        for (const char* part : {"", " low", " high"})
            titles.push_back({.title = std::string(column) + part, .decimals = 1});
    Table table(titles);
    for (const Label c : dose::classes(view))
        for (const auto& [count, network] : dose::networks(view, c)) {
            const dose::Measured m = dose::measured(view, c, network);
            std::vector<TableCell> row{view.class_names()[static_cast<std::size_t>(index(c))], count, m.matched};
            for (const BySeed* of : {&m.clean, &m.attacked, &m.flips, &m.of_balanced, &m.more}) {
                const Estimated e = estimated(*of);
                for (const auto& value : {e.value, e.low, e.high}) row.emplace_back(value);
            }
            table.add(std::move(row));
        }
    return table;
}

/// Accuracy and flips against the count, on a scale of doublings.
inline Figure dose_figure(const StudyView& view) {
    const auto axis = [&] {
        Axis x{.title = "training images of the class (logarithmic)", .low = 1e9, .high = -1e9, .ticks = {}};
        std::map<int, double> counts;
        for (const Label c : dose::classes(view))
            for (const auto& [count, network] : dose::networks(view, c)) counts[count] = std::log2(count);
        for (const auto& [count, at] : counts) {
            x.ticks.push_back({at, std::to_string(count)});
            x.low = std::min(x.low, at - 0.4);
            x.high = std::max(x.high, at + 0.4);
        }
        return x;
    };
    Plot accuracy{.title = "right answers", .x = axis(), .y = percent_axis("accuracy on the class, %"), .series = {}},
        flips{.title = "flips of images right in both", .x = axis(), .y = {}, .series = {}, .zero = 0};
    constexpr const char* colours[] = {palette::vermillion, palette::blue, palette::green, palette::purple};
    constexpr Marker shapes[] = {Marker::triangle, Marker::circle, Marker::square, Marker::diamond};
    std::size_t turn = 0;
    for (const Label c : dose::classes(view)) {
        const std::string& name = view.class_names()[static_cast<std::size_t>(index(c))];
        const Style style{colours[turn % 4], shapes[turn % 4], true, Line::dashed};
        Series clean{name + ", no attack", style, {}}, attacked{name + ", own gradient", style, {}},
            more{name + ", more flips", style, {}};
        clean.style.filled = false;
        clean.style.line = Line::solid;
        ++turn;
        for (const auto& [count, network] : dose::networks(view, c)) {
            const dose::Measured m = dose::measured(view, c, network);
            const auto add = [at = std::log2(count)](Series& to, const BySeed& of) {
                if (const Estimated e = estimated(of); e.value) to.points.push_back({at, *e.value, e.low, e.high});
            };
            add(clean, m.clean);
            add(attacked, m.attacked);
            if (network.kind != claims::Kind::balanced) add(more, m.more);
        }
        accuracy.series.push_back(std::move(clean));
        accuracy.series.push_back(std::move(attacked));
        flips.series.push_back(std::move(more));
    }
    flips.y = axis_around("more than in the balanced network, points", flips.series, -5, 5);
    return {
        .name = "dose",
        .title = "How few images: one class cut to several counts",
        .caption =
            "Networks trained on few images of one class and all of the others, and the balanced network at the right "
            "end. Left: the class's test images without attack and under the own gradient. Right: of the images that "
            "the network and the balanced one both get right without attack, how many more (points) the attack "
            "flips in it; a count at which they share fewer than 50 such images in a seed is left out. " +
            std::string(view.seeds().size() > 1
                            ? "Bars: Student's 95 % intervals over " + std::to_string(view.seeds().size()) + " seeds"
                            : "Bars: Wilson's 95 % intervals over images of one seed; differences have no interval") +
            ", " + view.images_in_words() + ".",
        .alt =
            "Accuracy on the cut class without and with the attack, and flips beyond the balanced network's, "
            "against the number of its training images; the numbers are those of the table of doses.",
        .panels = std::vector<Plot>{std::move(accuracy), std::move(flips)},
        .across = 2};
}

}  // namespace SKEWGRAD_NAMESPACE::report
