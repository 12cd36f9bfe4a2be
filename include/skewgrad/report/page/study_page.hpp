// A study's report page: its sections in reading order, with their tables.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/markup/element.hpp>
#include <skewgrad/report/page/attack_figures.hpp>
#include <skewgrad/report/page/claims_figure.hpp>
#include <skewgrad/report/page/claims_part.hpp>
#include <skewgrad/report/page/confusion_figures.hpp>
#include <skewgrad/report/page/dose_figure.hpp>
#include <skewgrad/report/page/margin_figure.hpp>
#include <skewgrad/report/page/page.hpp>
#include <skewgrad/report/page/paper_figures.hpp>
#include <skewgrad/report/page/picture_figure.hpp>
#include <skewgrad/report/page/run_part.hpp>
#include <skewgrad/report/page/shown_table.hpp>
#include <skewgrad/report/page/square_figure.hpp>
#include <skewgrad/report/page/study_view.hpp>
#include <skewgrad/report/page/transfer_figure.hpp>

namespace SKEWGRAD_NAMESPACE::report {

namespace page_parts {

inline ShownTable shown_table_1(const StudyView& view) {
    ShownTable shown{.name = "table_1",
                     .caption = "Table 1: percent right on the attacked class under the fast attack",
                     .note = "",
                     .table = table_1_with_intervals(view)};
    shown.columns = {{"class", 0}};
    for (const auto& [source, group] :
         {std::pair("different", "another balanced network's gradient"), std::pair("same", "own gradient")})
        for (const claims::Kind kind : paper_figures::kinds) {
            const std::string of = std::string(source) + "/" + claims::name_of(kind);
            shown.columns.push_back(with_interval(shown.table, of, claims::name_of(kind), group));
            if (view.classes_are_the_papers() && of != "different/balanced")
                shown.columns.push_back({"paper", column_titled(shown.table, of + " paper"), {}, {}, group});
        }
    shown.note =
        "In brackets: " + view.interval_in_words().substr(9) + "." +
        std::string(
            view.classes_are_the_papers()
                ? " The paper trained one network for each of its numbers and has no column for the balanced "
                  "network under another's gradient; ours is attacked with the gradient of a balanced network "
                  "of another seed. The averages beside each other are over the same classes."
                : " The paper's numbers are of CIFAR-10's classes, which these are not, and do not stand here.") +
        std::string(view.seeds().size() > 1 && view.seeds().size() < claims::fewest_seeds
                        ? " Over so few seeds an interval can reach beyond 0 and 100, and says next to nothing."
                        : "") +
        compared(view, paper_figures::table_1_columns(view)).over().in_words();
    return shown;
}

inline ShownTable shown_square(const StudyView& view) {
    ShownTable shown{
        .name = "square",
        .caption =
            "Matched flips in the square's four corners (percent), its two main effects and its interaction (points)",
        .note = "",
        .table = square_table(view)};
    shown.columns = {{"class", 0}};
    for (const char* corner : {"balanced", "under", "over", "scarce"})
        shown.columns.push_back(with_interval(shown.table, corner, corner, "matched flips, %"));
    for (const char* effect : {"own scarcity", "others' scarcity", "skew"})
        shown.columns.push_back(with_interval(shown.table, effect, effect, "effects, points"));
    shown.note =
        "Own scarcity: ((under − balanced) + (few − over)) / 2. Others' scarcity: ((over − balanced) + (few − under)) "
        "/ 2. Skew as such: (under − balanced) − (few − over). " +
        std::string(
            view.seeds().size() > 1
                ? "In brackets: Student's 95 % intervals over seeds."
                : "In brackets: Wilson's 95 % intervals over images of one seed; effects and averages have none.") +
        " A dash: fewer than 50 images matched by all four networks." +
        compared(view, square_columns(view)).over().in_words();
    return shown;
}

inline ShownTable shown_doses(const StudyView& view) {
    ShownTable shown{.name = "dose",
                     .caption = "One class cut to several counts: percent right on it, and matched flips",
                     .note = "",
                     .table = dose_table(view)};
    shown.columns = {{"class", 0}, {"images", 1}};
    for (const char* column : {"clean", "attacked"})
        shown.columns.push_back(with_interval(shown.table, column, column, "right, %"));
    const std::string flips = "matched flips";
    shown.columns.push_back({"matched", 2, {}, {}, flips});
    shown.columns.push_back(with_interval(shown.table, "flips", "this network, %", flips));
    shown.columns.push_back(with_interval(shown.table, "flips of balanced", "balanced, %", flips));
    shown.columns.push_back(with_interval(shown.table, "more flips", "more, points", flips));
    shown.note =
        "Own gradients. Matched: test images that this network and the balanced one of its seed both get right without "
        "attack, seeds pooled; a dash where a seed has fewer than 50. The last row of a class is the balanced "
        "network. " +
        std::string(view.seeds().size() > 1 ? "In brackets: Student's 95 % intervals over seeds."
                                            : "In brackets: Wilson's 95 % intervals over images of one seed.");
    return shown;
}

inline ShownTable shown_controls(const StudyView& view, const Comparison& comparison) {
    ShownTable shown{.name = "controls",
                     .caption = "Controls: percent right on the attacked class, average over classes",
                     .note = "",
                     .table = controls_with_intervals(comparison)};
    shown.columns = {{"network", 0}};
    for (const ControlColumn& c : control_columns())
        shown.columns.push_back(with_interval(shown.table, c.title, c.title));
    shown.note =
        "Few: every class at the count that under-sampled networks have of theirs. Sham: a balanced network under a "
        "training seed of its own; whatever is said of skewed networks must not be true of it. Logits adjusted: the "
        "log of the class shares "
        "is added to the logits after training (Menon et al. 2021), so that what skew did to the decision threshold is "
        "gone. Descent steps down the loss. " +
        std::string(view.seeds().size() > 1 ? "In brackets: Student's 95 % intervals over seeds."
                                            : "One seed: averages over classes have no interval.") +
        " A dash: not run." + comparison.over().in_words();
    return shown;
}

inline ShownTable shown_flow(const StudyView& view) {
    return {.name = "confusion_flow",
            .caption = "Confusion flow and its asymmetry",
            .note =
                "Percent of the errors on a class that name its look-alike; flow: same model minus clean, points; "
                "asymmetry: this direction's flow minus the other's. Seeds pooled. "
                "Errors: how many wrong predictions the own gradient's share is over.",
            .table = flow_table(view.evidence())};
}

/// The number of images that two networks of a seed both classify correctly, the percent of them that the attack flips
/// in each, and the excess of the first.
inline std::vector<TableCell> flip_cells(const StudyView& view, std::uint64_t seed, Label c, claims::Kind first,
                                         claims::Kind second) {
    const auto a = view.images(seed, first, c), b = view.images(seed, second, c);
    if (!a || !b) return std::vector<TableCell>(4);
    std::int64_t matched = 0, of_a = 0, of_b = 0;
    for (std::size_t i = 0; i < a->size(); ++i) {
        if (!correct((*a)[i].clean.predicted, c) || !correct((*b)[i].clean.predicted, c)) continue;
        ++matched;
        of_a += !correct((*a)[i].attacked.predicted, c);
        of_b += !correct((*b)[i].attacked.predicted, c);
    }
    if (matched < fewest_images) return {matched, {}, {}, {}};
    const double rate_a = 100 * Ratio{of_a, matched}.value(), rate_b = 100 * Ratio{of_b, matched}.value();
    return {matched, rate_a, rate_b, rate_a - rate_b};
}

/// The primary measure of vulnerability, a row for each seed and class.
inline ShownTable shown_flips(const StudyView& view) {
    Table table({{.title = "class", .align = Align::left},
                 {.title = "seed"},
                 {.title = "under/balanced matched"},
                 {.title = "under/balanced under", .decimals = 1},
                 {.title = "under/balanced balanced", .decimals = 1},
                 {.title = "under less balanced", .decimals = 1},
                 {.title = "balanced/over matched"},
                 {.title = "balanced/over balanced", .decimals = 1},
                 {.title = "balanced/over over", .decimals = 1},
                 {.title = "balanced less over", .decimals = 1}});
    for (const std::uint64_t seed : view.seeds())
        for (std::size_t c = 0; c < view.classes(); ++c) {
            std::vector<TableCell> row{view.class_names()[c], seed};
            for (const auto& [first, second] : {std::pair(claims::Kind::under, claims::Kind::balanced),
                                                std::pair(claims::Kind::balanced, claims::Kind::over)})
                for (TableCell& cell : flip_cells(view, seed, label_of(c), first, second))
                    row.push_back(std::move(cell));
            table.add(std::move(row));
        }
    ShownTable shown{
        .name = "matched_flips",
        .caption = "Matched flip rates, own gradients: the measure that the claims go by",
        .note =
            "Matched: images that both networks get right without attack. Then the percent of them that the attack "
            "turns in either network, and the difference in points; a dash where fewer than 50 are matched.",
        .table = std::move(table)};
    shown.columns = {{"class", 0}, {"seed", 1}};
    const std::string under = "under against balanced", over = "balanced against over";
    const char* titles[] = {"matched", "under", "balanced", "difference", "matched", "balanced", "over", "difference"};
    for (std::size_t c = 0; c < 8; ++c) shown.columns.push_back({titles[c], c + 2, {}, {}, c < 4 ? under : over});
    return shown;
}

inline void paper_part(const StudyView& view, Page& page) {
    page.section("table-1", "Table 1");
    page.put(shown_table_1(view)).put(table_1_figure(view));
    if (!view.classes_are_the_papers())
        page.words(
            "Whether the paper's numbers lie where another seed of ours would cannot be asked: they are of CIFAR-10's "
            "classes, which these are not.");
    else if (view.seeds().size() > 1)
        page.put(shown_prediction(view));
    else
        page.words(
            "How far the paper's numbers lie from what another seed of ours would give cannot be told from one seed: "
            "--seeds N.");
    page.section("figures", "The paper's figures, on our data");
    page.put(figure_1_maps(view)).put(figure_2_plot(view));
    if (has_pictures(view))
        page.put(figure_3_pictures(view));
    else
        page.words(
            "Figure 3, images and what the attack makes of them: not shown, since the first network was not at hand "
            "when this was written (it is with --run).");
    page.put(figure_4_plot(view)).put(figure_5_plot(view)).put(figure_6_maps(view));
}

inline void own_part(const StudyView& view, Page& page) {
    page.section("flips", "Matched flips");
    page.put(shown_flips(view));
    page.section("curves", "Epsilon curves");
    page.put(epsilon_curves(view));
    page.section("square", "Scarcity and skew");
    if (view.any(claims::Kind::scarce) && square::measured(view))
        page.put(square_figure(view)).put(shown_square(view));
    else if (view.any(claims::Kind::scarce))
        page.words(
            "Run, but in no class do all four networks of a seed get 50 of the same images right without attack, which "
            "matched flips need: nothing can be said.");
    else
        page.words("Not run: it needs networks with few images of every class.");
    page.section("dose", "How few images");
    if (has_doses(view))
        page.put(dose_figure(view)).put(shown_doses(view));
    else
        page.words("Not run: --dose cuts a class to further counts.");
    page.section("flow", "Confusion flow");
    const auto& partners = view.evidence().partners;
    if (std::any_of(partners.begin(), partners.end(), [](const auto& p) { return p.has_value(); }))
        page.put(flow_figure(view)).put(shown_flow(view));
    else
        page.words("Not run: none of these classes has a known look-alike.");
    page.put(element("h3", "Confusion against similarity"));
    if (!view.evidence().similarity.empty())
        page.put(similarity_figure(view));
    else
        page.words("Not run: how alike two classes are is known of the embedded images only (run without --data).");
    page.section("transfer", "Transfer between kinds");
    if (has_transfer(view))
        page.put(transfer_maps(view));
    else
        page.words("Not run: --transfer carries each kind's gradient to every kind.");
    page.section("controls", "Controls");
    const Comparison controls = controls_part::compared(view);
    page.put(controls_figure(view, controls)).put(shown_controls(view, controls));
}

inline void verdict_part(const StudyView& view, Page& page) {
    page.section("claims", "Claims and verdicts");
    page.put(shown_verdicts(view))
        .put(claims_figure(view))
        .put(shown_seeds(view))
        .put(shown_class_means(view))
        .put(shown_beside(view));
    page.section("self-checks", "Self-checks");
    page.put(self_check_banner(view.judgement())).put(shown_self_checks(view));
}

}  // namespace page_parts

/// All sections of a study's report.
inline Page study_page(const StudyView& view, const MadeBy& by) {
    Page page;
    page_parts::paper_part(view, page);
    page_parts::own_part(view, page);
    page_parts::verdict_part(view, page);
    page.section("not-run", "What was not run");
    page.put(what_was_not_run(view));
    page.section("how", "How it was run");
    page.put(how_it_was_run(view, by)).put(shown_trainings(view));
    page.section("files", "Files beside this page");
    page.put(files_beside());
    return page;
}

}  // namespace SKEWGRAD_NAMESPACE::report
