// What attacks do beside Table 1: accuracy against epsilon, controls, transfer between kinds, and the completed square.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/figures/figure.hpp>
#include <skewgrad/report/figures/ticks.hpp>
#include <skewgrad/report/page/by_class.hpp>
#include <skewgrad/report/page/paper_figures.hpp>
#include <skewgrad/report/page/study_view.hpp>

namespace SKEWGRAD_NAMESPACE::report {

inline constexpr const char* average_words = "average over the classes";

/// In steps of 1/255: to 16 in every study of the paper's, as far as it goes in another.
inline Axis epsilon_axis(double largest) {
    constexpr const char* title = "epsilon, in 1/255 of the pixel range";
    if (largest > 16.01 || largest < 8) return round_axis(title, 0, largest);
    return {.title = title, .low = 0, .high = 16.5, .ticks = {{0, "0"}, {4, "4"}, {8, "8"}, {12, "12"}, {16, "16"}}};
}

/// Accuracy along the fast attack's direction, averaged over classes in each seed.
inline Figure epsilon_curves(const StudyView& view) {
    using claims::Kind;
    const StudyResults& r = view.results();
    const auto names = claims::naming::network_names(r);
    std::map<std::tuple<Source, Kind, float>, std::map<Label, BySeed>> all;
    float largest = 0;
    for (std::size_t i = 0; i < r.cells.size(); ++i) {
        const PlannedCell& cell = r.plan.cells[i];
        const auto& victim = names[cell.victim];
        if (!victim || victim->dose != 0 || (cell.from != Source::same_model && cell.from != Source::different_model))
            continue;
        const auto seed = std::find(view.seeds().begin(), view.seeds().end(), victim->block);
        if (seed == view.seeds().end()) continue;
        for (const SweepPoint& p : r.cells[i].sweep) {
            BySeed& of = all[{cell.from, victim->kind, p.epsilon}][cell.attacked_class];
            of.values.resize(view.seeds().size());
            of.values[static_cast<std::size_t>(seed - view.seeds().begin())] = percent(p.accuracy);
            largest = std::max(largest, p.epsilon);
        }
    }
    std::vector<Plot> plots;
    for (const Source from : {Source::same_model, Source::different_model}) {
        Plot plot{.title = from == Source::same_model ? "own gradient" : "another balanced network's gradient",
                  .x = epsilon_axis(255.0 * static_cast<double>(largest)),
                  .y = percent_axis("accuracy on the class, %"),
                  .series = {},
                  .height = 320};
        if (!r.attacks.empty()) plot.upright = 255 * r.attacks.front().at("values").at("epsilon").get<double>();
        for (const Kind kind : {Kind::balanced, Kind::under, Kind::over, Kind::few}) {
            Series s{claims::name_of(kind), style_of(kind), {}};
            s.style.line = kind == Kind::balanced ? Line::solid : kind == Kind::few ? Line::dotted : Line::dashed;
            for (const auto& [at, classes] : all) {
                const auto& [source, of, epsilon] = at;
                if (source != from || of != kind) continue;
                std::vector<BySeed> list;
                for (const auto& [label, values] : classes) list.push_back(values);
                const Estimated e = estimated(average_over_classes(list));
                if (e.value) s.points.push_back({255.0 * static_cast<double>(epsilon), *e.value, e.low, e.high});
            }
            if (!s.points.empty()) plot.series.push_back(std::move(s));
        }
        plots.push_back(std::move(plot));
    }
    return {.name = "epsilon_curves",
            .title = "Accuracy against the size of the step",
            .caption = "One step along the sign of the gradient at the clean image, of 0 to 16/255 a pixel; " +
                       std::string(average_words) + ", " + view.images_in_words() +
                       ". The dashed upright line is the study's own epsilon. " +
                       (view.seeds().size() > 1
                            ? "Bars: Student's 95 % intervals over " + std::to_string(view.seeds().size()) + " seeds."
                            : "One seed: no interval over seeds is known, and none is drawn.") +
                       " Far from the data a network may answer anything, so a curve need not end at 0.",
            .alt =
                "Accuracy falls as epsilon grows, for each kind of network, under the own gradient and under another "
                "network's.",
            .panels = std::move(plots),
            .across = 2};
}

/// Who is attacked with what, from the mildest control to the strongest attack.
struct ControlColumn {
    const char* title;
    claims::Method method;
    claims::Gradient gradient;
    bool clean = false;
};
inline const std::vector<ControlColumn>& control_columns() {
    using claims::Gradient, claims::Method;
    static const std::vector<ControlColumn> all{{"no attack", Method::fast, Gradient::own, true},
                                                {"descent", Method::descent, Gradient::own},
                                                {"random sign", Method::random, Gradient::own},
                                                {"permuted sign", Method::permuted, Gradient::own},
                                                {"fast, another's gradient", Method::fast, Gradient::other_seed},
                                                {"fast, same seed's gradient", Method::fast, Gradient::same_seed},
                                                {"fast", Method::fast, Gradient::own},
                                                {"iterative, 20 steps", Method::iterative, Gradient::own}};
    return all;
}

namespace controls_part {
inline constexpr claims::Kind kinds[] = {claims::Kind::balanced,
                                         claims::Kind::under,
                                         claims::Kind::over,
                                         claims::Kind::few,
                                         claims::Kind::sham,
                                         claims::Kind::under_adjusted,
                                         claims::Kind::over_adjusted,
                                         claims::Kind::balanced_as_under,
                                         claims::Kind::balanced_as_over};
inline Estimated of(const StudyView& view, claims::Kind kind, const ControlColumn& column) {
    std::vector<BySeed> classes;
    for (std::size_t c = 0; c < view.classes(); ++c)
        classes.push_back(column.clean ? view.clean(kind, label_of(c))
                                       : view.attacked(kind, label_of(c), column.gradient, column.method));
    return estimated(average_over_classes(classes));
}
}  // namespace controls_part

/// Percent right on the attacked class, averaged over classes: a row a kind of network, a column an attack or control.
inline Table controls_with_intervals(const StudyView& view) {
    std::vector<TableColumn> titles{{.title = "network", .align = Align::left}};
    for (const ControlColumn& column : control_columns())
        for (const char* part : {"", " low", " high"})
            titles.push_back({.title = std::string(column.title) + part, .decimals = 1});
    Table table(titles);
    for (const claims::Kind kind : controls_part::kinds) {
        std::vector<TableCell> row{claims::name_of(kind)};
        for (const ControlColumn& column : control_columns()) {
            const Estimated e = controls_part::of(view, kind, column);
            for (const auto& value : {e.value, e.low, e.high}) row.emplace_back(value);
        }
        table.add(std::move(row));
    }
    return table;
}
inline Figure controls_figure(const StudyView& view) {
    std::vector<std::string> names;
    for (const ControlColumn& column : control_columns()) names.emplace_back(column.title);
    Plot plot{.title = "",
              .x = category_axis("attack or control", names),
              .y = percent_axis("accuracy on the class, %"),
              .series = {},
              .height = 360};
    for (const claims::Kind kind : controls_part::kinds) {
        Series s{claims::name_of(kind), style_of(kind), {}};
        for (std::size_t k = 0; k < names.size(); ++k) {
            const Estimated e = controls_part::of(view, kind, control_columns()[k]);
            if (e.value) s.points.push_back({static_cast<double>(k), *e.value, e.low, e.high});
        }
        if (!s.points.empty()) plot.series.push_back(std::move(s));
    }
    return {.name = "controls",
            .title = "Attacks beside their controls",
            .caption = "What each leaves of the accuracy on the attacked class, " + std::string(average_words) +
                       ", all with steps of one size; " + view.images_in_words() +
                       ". Random sign: white noise. Permuted sign: another image's gradient, so noise with an attack's "
                       "spectrum. What an attack does beyond them is the gradient's doing. " +
                       (view.seeds().size() > 1
                            ? "Bars: Student's 95 % intervals over " + std::to_string(view.seeds().size()) + " seeds."
                            : "One seed: no intervals."),
            .alt =
                "Accuracy of each kind of network under each attack and control; the numbers are those of the table of "
                "controls.",
            .panels = std::vector<Plot>{std::move(plot)}};
}

namespace square {

inline constexpr claims::Kind corners[] = {claims::Kind::balanced, claims::Kind::under, claims::Kind::over,
                                           claims::Kind::few};

/// Percent of the images of `c` that all four networks of a seed get right without attack, which the attack flips in
/// each of them: B, U, O, S.
inline std::vector<BySeed> flips(const StudyView& view, Label c) {
    std::vector<BySeed> all(4);
    for (const std::uint64_t seed : view.seeds()) {
        std::vector<const std::span<const ImageRecord>*> four;
        for (const claims::Kind kind : corners) four.push_back(view.images(seed, kind, c));
        std::vector<Ratio> flipped(4);
        if (std::none_of(four.begin(), four.end(), [](const auto* images) { return images == nullptr; }))
            for (std::size_t i = 0; i < four[0]->size(); ++i) {
                if (!std::all_of(four.begin(), four.end(),
                                 [&](const auto* images) { return correct((*images)[i].clean.said, c); }))
                    continue;
                for (std::size_t k = 0; k < 4; ++k)
                    ++flipped[k].of, flipped[k].hits += !correct((*four[k])[i].attacked.said, c);
            }
        for (std::size_t k = 0; k < 4; ++k) {
            const bool enough = flipped[k].of >= fewest_images;
            all[k].values.push_back(enough ? percent(flipped[k]) : std::nullopt);
            if (enough && view.seeds().size() == 1) all[k].share = flipped[k];
        }
    }
    return all;
}
/// Whether any class has enough images that all four get right.
inline bool measured(const StudyView& view) {
    for (std::size_t c = 0; c < view.classes(); ++c)
        if (estimated(flips(view, label_of(c)).front()).value) return true;
    return false;
}
inline BySeed combined(const std::vector<BySeed>& four, double b, double u, double o, double s) {
    BySeed all;
    for (std::size_t i = 0; i < four[0].values.size(); ++i) {
        const auto at = [&](std::size_t k) { return four[k].values[i]; };
        all.values.push_back(at(0) ? std::optional(b * *at(0) + u * *at(1) + o * *at(2) + s * *at(3)) : std::nullopt);
    }
    return all;
}

}  // namespace square

/// Matched flips of the four corners, and the square's two main effects and interaction: own scarcity
/// ((U - B) + (S - O)) / 2, others' scarcity ((O - B) + (S - U)) / 2, skew as such (U - B) - (S - O). Percent and
/// points.
inline Table square_table(const StudyView& view) {
    struct Part {
        const char* title;
        double b, u, o, s;
    };
    constexpr Part parts[] = {{"balanced", 1, 0, 0, 0},
                              {"under", 0, 1, 0, 0},
                              {"over", 0, 0, 1, 0},
                              {"few", 0, 0, 0, 1},
                              {"own scarcity", -.5, .5, -.5, .5},
                              {"others' scarcity", -.5, -.5, .5, .5},
                              {"skew", -1, 1, 1, -1}};
    std::vector<ClassColumn> columns;
    for (const Part& part : parts)
        columns.push_back({part.title,
                           {},
                           [&view, part](Label c) {
                               const auto four = square::flips(view, c);
                               BySeed all = square::combined(four, part.b, part.u, part.o, part.s);
                               const double* weights[] = {&part.b, &part.u, &part.o, &part.s};
                               for (std::size_t k = 0; k < 4; ++k)
                                   if (*weights[k] == 1 && part.b + part.u + part.o + part.s == 1)
                                       all.share = four[k].share;
                               return all;
                           },
                           {}});
    return class_table(view, columns);
}
inline Figure square_figure(const StudyView& view) {
    std::vector<ClassColumn> columns;
    const char* titles[] = {"balanced: many, others many", "under: few, others many", "over: many, others few",
                            "few: few, others few"};
    for (std::size_t k = 0; k < 4; ++k)
        columns.push_back(
            {titles[k], style_of(square::corners[k]), [&view, k](Label c) { return square::flips(view, c)[k]; }, {}});
    return {
        .name = "square",
        .title = "Scarcity and skew: the completed two by two",
        .caption =
            "How many training images the attacked class has, and how many the others have. Flips under the own "
            "gradient, of the images that all four networks of a seed get right without attack (a class with fewer "
            "than 50 of them is left out). "
            "If only a class's own count mattered, under would equal few and balanced would equal over; " +
            std::string(
                view.seeds().size() > 1
                    ? "bars are Student's 95 % intervals over " + std::to_string(view.seeds().size()) + " seeds."
                    : "bars are Wilson's 95 % intervals over the matched images of one seed; the average has none."),
        .alt = "Matched flip rates of each class in networks with many or few images of it and of the others.",
        .panels = std::vector<Plot>{class_plot(view, columns, "", percent_axis("matched flips, %"))}};
}

namespace transfer_part {

/// Everything that a victim's kind met from a source's kind: sums over cells.
struct Met {
    double robust = 0, agreement = 0, cosine = 0;
    int cells = 0, measured = 0;
};
inline constexpr claims::Kind victims[] = {claims::Kind::balanced, claims::Kind::under, claims::Kind::over,
                                           claims::Kind::few};

/// A column of the matrix: the source's kind, and whether it is skewed on the attacked class.
inline std::string source_name(const std::optional<claims::NetworkName>& source, const PlannedCell& cell) {
    if (cell.source == cell.victim) return "itself";
    std::string name = claims::name_of(source->kind);
    if (source->skewed) name += *source->skewed == cell.attacked_class ? ", same class" : ", another class";
    return name;
}

}  // namespace transfer_part

/// Whether the study carried attacks over between kinds (--transfer).
inline bool has_transfer(const StudyView& view) {
    const auto& r = view.results();
    for (std::size_t i = 0; i < r.cells.size(); ++i)
        if (r.plan.cells[i].from == Source::transfer && !r.cells[i].images.empty()) return true;
    return false;
}

/// Robust accuracy, agreement of signs and cosine of the gradients, victims by sources.
inline Figure transfer_maps(const StudyView& view) {
    using namespace transfer_part;
    const StudyResults& r = view.results();
    const auto names = claims::naming::network_names(r);
    const auto attacks = claims::naming::attack_names(r.attacks);
    std::map<std::pair<claims::Kind, std::string>, Met> met;
    for (std::size_t i = 0; i < r.cells.size(); ++i) {
        const PlannedCell& cell = r.plan.cells[i];
        const auto &victim = names[cell.victim], &source = names[cell.source];
        const auto& attack = attacks[cell.attack];
        if (!victim || !source || victim->dose != 0 || source->dose != 0 || !attack ||
            attack->method != claims::Method::fast || r.cells[i].images.empty() ||
            (cell.from != Source::transfer && cell.from != Source::same_model && cell.from != Source::different_model))
            continue;
        Met& m = met[{victim->kind, source_name(source, cell)}];
        double agree = 0, cosine = 0;
        int measured = 0;
        for (const ImageRecord& image : r.cells[i].images)
            if (std::isfinite(image.cosine) && std::isfinite(image.sign_agreement))
                agree += image.sign_agreement, cosine += image.cosine, ++measured;
        m.robust += summary(r, i).robust.value();
        ++m.cells;
        if (measured > 0) m.agreement += agree / measured, m.cosine += cosine / measured, ++m.measured;
    }
    const std::vector<std::string> sources{
        "itself", "balanced", "under, same class", "under, another class", "over, same class", "over, another class",
        "few"};
    const auto map = [&](const char* title, const std::function<std::optional<double>(const Met&)>& value) {
        HeatMap m{.title = title,
                  .row_title = "attacked network",
                  .column_title = "whose gradient",
                  .rows = {},
                  .columns = sources,
                  .values = {}};
        for (const claims::Kind victim : victims) {
            m.rows.emplace_back(claims::name_of(victim));
            for (const std::string& source : sources) {
                const auto found = met.find({victim, source});
                m.values.push_back(found == met.end() ? std::nullopt : value(found->second));
            }
        }
        return m;
    };
    std::vector<HeatMap> maps{
        map("robust accuracy, %", [](const Met& m) { return std::optional(100 * m.robust / m.cells); }),
        map("signs that agree, %",
            [](const Met& m) { return m.measured ? std::optional(100 * m.agreement / m.measured) : std::nullopt; }),
        map("cosine of gradients × 100",
            [](const Met& m) { return m.measured ? std::optional(100 * m.cosine / m.measured) : std::nullopt; })};
    return {
        .name = "transfer",
        .title = "Transfer between kinds of networks",
        .caption = "The fast attack with each kind's gradient on each kind's networks, " + std::string(average_words) +
                   " and seeds; sources are of the next seed where there are several. Robust accuracy: right both "
                   "without and with the attack. "
                   "Half of the signs agree by chance. \"Itself\" has no agreement to measure; a dash: not run. " +
                   view.images_in_words() + "; no intervals.",
        .alt =
            "Three matrices, attacked kinds by sources of the gradient: robust accuracy, agreement of signs, cosine.",
        .panels = std::move(maps),
        .across = 2};
}

/// Means of the claims that are counted in points, with the intervals that decide them.
inline Figure claims_figure(const StudyView& view) {
    std::vector<std::string> names;
    Series mean{"mean over seeds", {palette::blue, Marker::circle}, {}};
    for (const claims::Verdict& v : view.judgement().verdicts) {
        if (v.unit != claims::Unit::share || !v.estimate.measured()) continue;
        const MeanEstimate& e = v.estimate.over_seeds;
        const bool several = v.estimate.by_seed.size() > 1;
        mean.points.push_back({static_cast<double>(names.size()), 100 * e.mean,
                               several ? std::optional(100 * e.interval.low) : std::nullopt,
                               several ? std::optional(100 * e.interval.high) : std::nullopt});
        names.push_back(v.id);
    }
    Plot plot{.title = "", .x = category_axis("claim", names), .y = {}, .series = {mean}, .zero = 0, .height = 330};
    // A few seeds' intervals can be wider than all that shares can differ by: what is seen ends there.
    for (const Point& p : mean.points)
        plot.y.low = std::min({plot.y.low, p.y, std::max(p.low.value_or(p.y), -100.0)}),
        plot.y.high = std::max({plot.y.high, p.y, std::min(p.high.value_or(p.y), 100.0)});
    plot.y = round_axis("points (hundredths of a share)", plot.y.low, plot.y.high);
    return {
        .name = "claims",
        .title = "The claims' estimates",
        .caption =
            "Each claim's statistic, averaged over classes and " +
            std::string(view.seeds().size() > 1
                            ? std::to_string(view.seeds().size()) +
                                  " seeds, with Student's 95 % interval (cut at the figure's edge where it is wider)"
                            : "one seed, which has no interval and decides nothing") +
            "; " + view.images_in_words() +
            ". Above 0 a claim points the way it says. Claims in other units than points are in the table only.",
        .alt = "Mean and interval of each claim, against zero.",
        .panels = std::vector<Plot>{std::move(plot)}};
}

}  // namespace SKEWGRAD_NAMESPACE::report
