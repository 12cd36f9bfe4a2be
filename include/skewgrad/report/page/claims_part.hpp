// What the study says of the paper's claims and of itself: headline, verdicts, self-checks.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/claim_tables.hpp>
#include <skewgrad/report/markup/element.hpp>
#include <skewgrad/report/page/shown_table.hpp>
#include <skewgrad/report/page/study_view.hpp>
#include <skewgrad/report/paper_prediction.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// "12.3 points (95 % interval 10.1 to 14.5 over 6 seeds)".
inline std::string in_short(const claims::Verdict& v) {
    const claims::Estimate& e = v.estimate;
    if (!e.measured())
        return e.not_run.empty() ? "an amount that is unknown: too few images are matched"
                                 : "an amount that was not measured";
    const auto number = [&](double value) {
        return fixed(claim_tables::shown(v.unit, value), v.unit == claims::Unit::share ? 1 : 2);
    };
    const std::string text = number(e.over_seeds.mean) + " " + claim_tables::unit_name(v.unit);
    if (e.by_seed.size() == 1) return text + " (one seed)";
    return text + " (95 % interval " + number(e.over_seeds.interval.low) + " to " + number(e.over_seeds.interval.high) +
           " over " + std::to_string(e.by_seed.size()) + " seeds)";
}

inline const claims::Verdict* verdict_on(const Judgement& j, const std::string& id) {
    const auto found =
        std::find_if(j.verdicts.begin(), j.verdicts.end(), [&](const claims::Verdict& v) { return v.id == id; });
    return found == j.verdicts.end() ? nullptr : &*found;
}

/// A box that cannot be overlooked where a self-check failed; one quiet line where all are well.
inline Markup self_check_banner(const Judgement& j) {
    std::size_t passed = 0, not_run = 0, failed = 0;
    Markup which;
    for (const claims::SelfCheck& c : j.checks) {
        passed += c.result == claims::CheckResult::passed;
        not_run += c.result == claims::CheckResult::not_run;
        if (c.result != claims::CheckResult::failed) continue;
        ++failed;
        which += element("li", c.name + " – " + c.numbers +
                                   (c.where.empty() ? "" : "; in " + claim_tables::joined(c.where, "; ", 3)));
    }
    if (failed > 0)
        return element("div", {{"class", "alarm"}, {"role", "alert"}},
                       element("strong", "⚠ " + std::to_string(failed) +
                                             (failed == 1 ? " self-check FAILED." : " self-checks FAILED.")) +
                           " No claim is supported or contradicted while one fails, and numbers below may be wrong." +
                           element("ul", which));
    return element("p", {{"class", "calm"}},
                   Markup("Self-checks of the run: " + std::to_string(passed) + " passed, none failed" +
                          (not_run > 0 ? ", " + std::to_string(not_run) + " not run" : "") + ". ") +
                       element("a", {{"href", "#self-checks"}}, "Details"));
}

/// "84.2 → 25.8 %": averages over classes, without and with the attack.
inline std::string fall(const StudyView& view, claims::Kind kind, claims::Gradient gradient) {
    std::vector<BySeed> clean, attacked;
    for (std::size_t c = 0; c < view.classes(); ++c) {
        clean.push_back(view.clean(kind, label_of(c)));
        attacked.push_back(view.attacked(kind, label_of(c), gradient));
    }
    const Estimated before = estimated(average_over_classes(clean)), after = estimated(average_over_classes(attacked));
    const auto shown = [](const Estimated& e) { return e.value ? fixed(*e.value, 1) : std::string("–"); };
    return shown(before) + " → " + shown(after) + " %";
}

/// What a reader who reads one paragraph should know.
inline Markup headline(const StudyView& view) {
    using claims::Gradient, claims::Kind;
    Markup first =
        "Accuracy on the attacked class, averaged over the classes, without attack and under the fast one. Own "
        "gradient: balanced ";
    const auto say = [&](const char* words, Kind kind, Gradient gradient) {
        first += Markup(words) + element("b", fall(view, kind, gradient));
    };
    say("", Kind::balanced, Gradient::own);
    say(", under-sampled ", Kind::under, Gradient::own);
    say(", over-sampled ", Kind::over, Gradient::own);
    say(". Another network's gradient: balanced ", Kind::balanced, Gradient::other_seed);
    say(", under-sampled ", Kind::under, Gradient::other_seed);
    say(", over-sampled ", Kind::over, Gradient::other_seed);
    first += ". The paper, on CIFAR-10: 83.7 → 25.8, 66.0 → 14.2, 86.4 → 44.2; another's: not given, 53.8, 83.1.";
    Markup lines = element("p", first), list;
    for (const auto& [id, words] :
         {std::pair("C1",
                    "An under-sampled class is more vulnerable than in a balanced network: it flips more often, by "),
          std::pair("C2", "An over-sampled class is less vulnerable: it flips less often, by "),
          std::pair("C8",
                    "It is skew as such, and not that images of the class or of the others are scarce; what scarcity "
                    "does not explain is ")})
        if (const claims::Verdict* v = verdict_on(view.judgement(), id))
            list += element("li", element("b", std::string(claims::name_of(v->decision)) + ".") +
                                      (std::string(" ") + words) + in_short(*v) + " (" + v->id + ").");
    lines += element("p", "The claims in short, on images that the compared networks all get right without attack:") +
             element("ul", list);
    if (view.seeds().size() < claims::fewest_seeds)
        lines += element("p", std::to_string(view.seeds().size()) +
                                  (view.seeds().size() == 1 ? " seed gives" : " seeds give") +
                                  " estimates; a verdict takes " + std::to_string(claims::fewest_seeds) +
                                  " (or a t test with p below .01).");
    return element("div", {{"class", "headline"}}, lines);
}

/// One row a claim: what is said, the verdict, the estimate with the interval that decides.
inline ShownTable shown_verdicts(const StudyView& view) {
    ShownTable shown{.name = "claims",
                     .caption = "Claims and verdicts: mean over seeds with Student's 95 % interval",
                     .note = "",
                     .table = verdict_table(view.judgement().verdicts)};
    const auto column = [&](const char* title) { return column_titled(shown.table, title); };
    shown.columns = {{"claim", column("claim")},
                     {"verdict", column("verdict")},
                     {"mean", column("mean"), column("low"), column("high")},
                     {"unit", column("unit")},
                     {"seeds", column("seeds")},
                     {"Holm p", column("Holm p")},
                     {"classes for", column("for")},
                     {"against", column("against")},
                     {"images matched", column("matched")}};
    for (const claims::Verdict& v : view.judgement().verdicts)
        shown.beside.push_back(
            element("span", {{"class", "says"}},
                    v.says + (v.exploratory ? " (exploratory)" : "") +
                        (v.estimate.measured() || v.estimate.left_out.empty()
                             ? ""
                             : ". Left out: " + claim_tables::joined(v.estimate.left_out, "; ", 1))));
    shown.note =
        "A statistic above 0 points the way the claim says. Points: hundredths of a share. The CSV has p before "
        "correction, the sign-flip test, the second interval (over images and seeds) and the classes left out. "
        "How each is measured and when it counts as supported was written down before any result: docs/claims.md.";
    return shown;
}

inline ShownTable shown_self_checks(const StudyView& view) {
    return {.name = "self_checks",
            .caption = "Self-checks of the attacks and trainings",
            .note = "With one failed, no claim is supported or contradicted.",
            .table = self_check_table(view.judgement().checks)};
}

inline ShownTable shown_beside(const StudyView& view) {
    ShownTable shown{.name = "claims_beside",
                     .caption = "What stands beside each claim, and decides nothing",
                     .note = "",
                     .table = beside_table(view.judgement().verdicts)};
    const auto column = [&](const char* title) { return column_titled(shown.table, title); };
    shown.columns = {{"claim", column("claim")},
                     {"beside it", column("beside it")},
                     {"mean", column("mean"), column("low"), column("high")},
                     {"unit", column("unit")},
                     {"not run", column("not run")}};
    return shown;
}

/// Every seed's value, then every class's mean.
inline ShownTable shown_seeds(const StudyView& view) {
    return {.name = "claim_seeds",
            .caption = "Every seed's value of every claim",
            .note = "",
            .table = seed_table(view.judgement().verdicts, view.seeds())};
}
inline ShownTable shown_class_means(const StudyView& view) {
    return {.name = "claim_class_means",
            .caption = "Every class's mean of every claim over the seeds",
            .note = "A dash: the claim is not about the class, or too few images were matched.",
            .table = class_means_table(view.judgement().verdicts, view.class_names())};
}
inline ShownTable shown_prediction(const StudyView& view) {
    const PaperPrediction prediction = paper_prediction(view.evidence());
    ShownTable shown{.name = "paper_cells",
                     .caption = "The paper's Table 1 as one draw",
                     .note = prediction_text(prediction) +
                             (view.classes_are_the_papers() ? "." : ". The classes are not the paper's."),
                     .table = prediction_table(prediction)};
    const auto column = [&](const char* title) { return column_titled(shown.table, title); };
    shown.columns = {{"cell", column("cell")},
                     {"class", column("class")},
                     {"paper", column("paper")},
                     {"ours, with its prediction interval", column("mean"), column("low"), column("high")},
                     {"seeds", column("seeds")},
                     {"", column("outside")}};
    return shown;
}

}  // namespace SKEWGRAD_NAMESPACE::report
