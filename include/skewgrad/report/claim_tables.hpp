// Verdicts as tables and as plain text: the claims, every seed's value, classes, what stands beside, self-checks, flow.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/confusion_flow.hpp>
#include <skewgrad/report/paper_prediction.hpp>
#include <skewgrad/report/paper_tables.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/study/claims.hpp>

namespace SKEWGRAD_NAMESPACE::report {

namespace claim_tables {

/// Shares in points; log-odds and log ratios as they are.
inline double shown(claims::Unit unit, double value) { return unit == claims::Unit::share ? 100 * value : value; }
inline const char* unit_name(claims::Unit unit) {
    return unit == claims::Unit::share ? "points" : unit == claims::Unit::log_odds ? "log-odds" : "log ratio";
}
inline std::optional<double> finite(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }
inline std::string joined(std::span<const std::string> texts, const char* between, std::size_t most) {
    std::string all;
    for (std::size_t i = 0; i < texts.size() && i < most; ++i) all += (i == 0 ? "" : between) + texts[i];
    if (texts.size() > most) all += std::string(between) + std::to_string(texts.size() - most) + " more";
    return all;
}

/// Mean and interval, three cells; empty where nothing was measured.
inline void add_mean(std::vector<TableCell>& row, claims::Unit unit, const claims::Estimate& e) {
    const auto put = [&](double value) { row.emplace_back(e.measured() ? finite(shown(unit, value)) : std::nullopt); };
    put(e.over_seeds.mean);
    put(e.over_seeds.interval.low);
    put(e.over_seeds.interval.high);
}

}  // namespace claim_tables

/// One row a claim. `low` and `high`: the t interval over seeds, which decides; `images low`, `images high`: the
/// crossed bootstrap's, which does not. Numbers in the claim's own unit.
inline Table verdict_table(std::span<const claims::Verdict> verdicts) {
    Table table({{.title = "claim", .align = Align::left},
                 {.title = "seeds"},
                 {.title = "unit", .align = Align::left},
                 {.title = "mean"},
                 {.title = "low"},
                 {.title = "high"},
                 {.title = "images low"},
                 {.title = "images high"},
                 {.title = "p", .decimals = 4},
                 {.title = "Holm p", .decimals = 4},
                 {.title = "sign-flip p", .decimals = 4},
                 {.title = "for"},
                 {.title = "against"},
                 {.title = "matched"},
                 {.title = "verdict", .align = Align::left},
                 {.title = "left out", .align = Align::left}});
    for (const claims::Verdict& v : verdicts) {
        const claims::Estimate& e = v.estimate;
        std::vector<TableCell> row{v.id, e.by_seed.size(), claim_tables::unit_name(v.unit)};
        claim_tables::add_mean(row, v.unit, e);
        const auto of_crossed = [&](double Interval::* end) -> std::optional<double> {
            return e.crossed ? claim_tables::finite(claim_tables::shown(v.unit, e.crossed->interval.*end))
                             : std::nullopt;
        };
        const bool tested = e.by_seed.size() > 1;
        for (TableCell cell :
             {TableCell(of_crossed(&Interval::low)), TableCell(of_crossed(&Interval::high)),
              tested ? TableCell(e.over_seeds.p) : TableCell(), tested ? TableCell(v.holm_p) : TableCell(),
              TableCell(e.sign_flip_p), TableCell(e.above()), TableCell(e.below()), TableCell(e.images),
              TableCell(v.in_words()), TableCell(claim_tables::joined(e.left_out, "; ", 3))})
            row.push_back(std::move(cell));
        table.add(std::move(row));
    }
    return table;
}

/// Every seed's value of every claim: a row a claim, a column a seed.
inline Table seed_table(std::span<const claims::Verdict> verdicts, std::span<const std::uint64_t> seeds) {
    std::vector<TableColumn> columns{{.title = "claim", .align = Align::left}, {.title = "unit", .align = Align::left}};
    for (const std::uint64_t seed : seeds) columns.push_back({.title = "seed " + std::to_string(seed)});
    Table table(columns);
    for (const claims::Verdict& v : verdicts) {
        const claims::Estimate& e = v.estimate;
        std::vector<TableCell> row{v.id, claim_tables::unit_name(v.unit)};
        for (const std::uint64_t seed : seeds) {
            const auto at = std::find(e.seeds.begin(), e.seeds.end(), seed) - e.seeds.begin();
            std::optional<double> value;
            if (at < std::ssize(e.by_seed))
                value = claim_tables::shown(v.unit, e.by_seed[static_cast<std::size_t>(at)]);
            row.emplace_back(value);
        }
        table.add(std::move(row));
    }
    return table;
}

/// Every class's mean over the seeds: a row a claim, a column a class; empty where the class left the average.
inline Table class_means_table(std::span<const claims::Verdict> verdicts, const std::vector<std::string>& class_names) {
    std::vector<TableColumn> columns{{.title = "claim", .align = Align::left}, {.title = "unit", .align = Align::left}};
    for (const std::string& name : class_names) columns.push_back({.title = name});
    Table table(columns);
    for (const claims::Verdict& v : verdicts) {
        std::vector<TableCell> row(columns.size());
        row[0] = v.id;
        row[1] = claim_tables::unit_name(v.unit);
        for (const claims::ClassEffect& c : v.estimate.classes)
            row.at(2 + static_cast<std::size_t>(index(c.label))) = claim_tables::shown(v.unit, c.over_seeds.mean);
        table.add(std::move(row));
    }
    return table;
}

/// Every class of every claim: mean and interval over seeds, p corrected over the claim's classes.
inline Table class_table(std::span<const claims::Verdict> verdicts, const std::vector<std::string>& class_names) {
    Table table({{.title = "claim", .align = Align::left},
                 {.title = "class", .align = Align::left},
                 {.title = "mean"},
                 {.title = "low"},
                 {.title = "high"},
                 {.title = "Holm p", .decimals = 4},
                 {.title = "matched"}});
    for (const claims::Verdict& v : verdicts)
        for (const claims::ClassEffect& c : v.estimate.classes) {
            const auto put = [&](double value) { return claim_tables::finite(claim_tables::shown(v.unit, value)); };
            table.add({v.id, class_names.at(static_cast<std::size_t>(index(c.label))), put(c.over_seeds.mean),
                       put(c.over_seeds.interval.low), put(c.over_seeds.interval.high),
                       c.over_seeds.count > 1 ? TableCell(c.holm_p) : TableCell(), c.images});
        }
    return table;
}

/// What stands beside each claim, and what of it was not run.
inline Table beside_table(std::span<const claims::Verdict> verdicts) {
    Table table({{.title = "claim", .align = Align::left},
                 {.title = "beside it", .align = Align::left},
                 {.title = "unit", .align = Align::left},
                 {.title = "mean"},
                 {.title = "low"},
                 {.title = "high"},
                 {.title = "not run", .align = Align::left}});
    for (const claims::Verdict& v : verdicts)
        for (const claims::BesideEstimate& b : v.beside) {
            std::vector<TableCell> row{v.id, b.name, claim_tables::unit_name(b.unit)};
            claim_tables::add_mean(row, b.unit, b.estimate);
            row.emplace_back(claim_tables::joined(b.estimate.not_run, "; ", 1));
            table.add(std::move(row));
        }
    return table;
}

inline Table self_check_table(std::span<const claims::SelfCheck> checks) {
    Table table({{.title = "self-check", .align = Align::left},
                 {.title = "result", .align = Align::left},
                 {.title = "numbers", .align = Align::left},
                 {.title = "where", .align = Align::left}});
    for (const claims::SelfCheck& c : checks)
        table.add({c.name, claims::name_of(c.result), c.numbers, claim_tables::joined(c.where, "; ", 3)});
    return table;
}

/// Where pairs of look-alikes go: shares of the errors in percent without the attack, with another network's gradient
/// and with the own one, their difference (flow), and how much more one direction has of it than the other. Seeds
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
    const auto confusion = [&](Kind kind, Label c, Gradient gradient, bool attacked) {
        Confusion all(evidence.classes());
        for (const auto& [name, images] : evidence.cells()) {
            if (name.victim.kind != kind || name.victim.dose != 0 || name.attacked != c || name.gradient != gradient ||
                name.method != Method::fast)
                continue;
            for (const ImageRecord& i : images) all.add(c, attacked ? i.attacked.said : i.clean.said);
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
            const auto said = static_cast<Prediction>(index(other)), back = static_cast<Prediction>(index(c));
            const ErrorFlow flow = error_flow(before, after, c, said);
            const ErrorFlow returning = error_flow(confusion(kind, other, Gradient::own, false),
                                                   confusion(kind, other, Gradient::own, true), other, back);
            const auto points = [](std::optional<double> value) {
                return value ? std::optional(100 * *value) : std::nullopt;
            };
            table.add({name_of(kind), evidence.class_name(c), evidence.class_name(other), flow.after.of,
                       percent(flow.before),
                       percent(confusion(kind, c, Gradient::other_seed, true).share_of_errors(c, said)),
                       percent(flow.after), points(flow.value()), points(PairFlow{flow, returning}.asymmetry())});
        }
    return table;
}

/// A verdict in words: the claim, the verdict, its numbers, every seed's value, and what is missing or left out.
inline std::string verdict_text(const claims::Verdict& v) {
    const claims::Estimate& e = v.estimate;
    const auto number = [&](double value) { return fixed(claim_tables::shown(v.unit, value), 2); };
    std::string text = v.id + ": " + v.says + (v.exploratory ? " (exploratory)" : "") + "\n  " + v.in_words() + "\n";
    if (e.measured()) {
        text += "  mean " + number(e.over_seeds.mean) + " " + claim_tables::unit_name(v.unit);
        if (e.by_seed.size() > 1)
            text += ", 95 % " + number(e.over_seeds.interval.low) + " to " + number(e.over_seeds.interval.high) +
                    ", Holm p " + fixed(v.holm_p, 4);
        text += "; smallest effect " + number(v.smallest_effect) + "\n  " + std::to_string(e.by_seed.size()) +
                (e.by_seed.size() == 1 ? " seed:" : " seeds:");
        for (std::size_t s = 0; s < e.by_seed.size(); ++s)
            text += " " + number(e.by_seed[s]) + (s + 1 < e.by_seed.size() ? "," : "");
        text += "; " + std::to_string(e.above()) + " classes for, " + std::to_string(e.below()) + " against; " +
                std::to_string(e.images) + " images matched";
        if (e.spread) text += "; signed ranks over classes p " + fixed(e.spread->p, 4);
        text += "\n";
    }
    const auto list = [&](const char* title, const std::vector<std::string>& what) {
        if (!what.empty()) text += std::string("  ") + title + ": " + claim_tables::joined(what, "; ", 3) + "\n";
    };
    list("not run", e.not_run);
    list("left out", e.left_out);
    list("out of looks", v.capped);
    return text;
}

/// A study's evidence, what it says of itself, and of the paper's claims.
struct Judgement {
    claims::Evidence evidence;  ///< looks at the results' records
    std::vector<claims::SelfCheck> checks;
    std::vector<claims::Verdict> verdicts;
};

/// `results` must outlive what is returned; `similarity`: see claims::evidence_of. With few draws of the second
/// interval it is faster. Claims are judged only as the self-checks allow.
inline Judgement judge_study(const StudyResults& results, std::span<const float> similarity = {},
                             std::optional<CrossedOptions> bootstrap = CrossedOptions{}) {
    claims::Evidence evidence = claims::evidence_of(results, similarity);
    std::vector<claims::SelfCheck> checks = claims::self_checks(evidence);
    auto verdicts =
        judge(claims::PaperClaims{}, evidence, {.bootstrap = bootstrap, .failed_checks = claims::failed(checks)});
    return {std::move(evidence), std::move(checks), std::move(verdicts)};
}

/// Self-checks, claims and what they are made of, titled. Failed checks are counted in the first title.
inline std::vector<TitledTable> judgement_tables(const Judgement& j) {
    const std::size_t failures = claims::failed(j.checks).size();
    const PaperPrediction prediction = paper_prediction(j.evidence);
    const std::string loud = failures > 0 ? ": " + std::to_string(failures) + " FAILED" : "";
    return {{"Self-checks" + loud, self_check_table(j.checks)},
            {"Claims (docs/claims.md): mean over seeds with its 95 % interval", verdict_table(j.verdicts)},
            {"Claims: every seed's value", seed_table(j.verdicts, j.evidence.blocks)},
            {"Claims: every class's mean over the seeds", class_means_table(j.verdicts, j.evidence.class_names())},
            {"Claims: what stands beside them", beside_table(j.verdicts)},
            {"Confusion flow: shares of the errors that go to the look-alike, percent", flow_table(j.evidence)},
            {"The paper's Table 1 as one draw: " + prediction_text(prediction), prediction_table(prediction)}};
}

/// The paper's tables and figures, then the judgement. `similarity`: see claims::evidence_of.
inline std::vector<TitledTable> all_tables_and_claims(const StudyResults& results,
                                                      std::span<const float> similarity = {}) {
    std::vector<TitledTable> all = all_tables(results);
    for (TitledTable& t : judgement_tables(judge_study(results, similarity))) all.push_back(std::move(t));
    return all;
}

}  // namespace SKEWGRAD_NAMESPACE::report
