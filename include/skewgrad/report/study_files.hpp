// A study on disk: every cell, every image of every cell, every training, as CSV and JSON.
#pragma once
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include <skewgrad/report/study_cells.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/report/table_json.hpp>
#include <skewgrad/store/whole_file.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// One row a cell: what it is, its counts and its measures. Shares stand as counts, so that all can be computed again.
inline Table cell_table(const StudyResults& results) {
    Table table({{.title = "cell"},
                 {.title = "trained_on", .align = Align::left},
                 {.title = "skewed_class"},
                 {.title = "seed"},
                 {.title = "source", .align = Align::left},
                 {.title = "source_seed"},
                 {.title = "attack", .align = Align::left},
                 {.title = "attack_values", .align = Align::left},
                 {.title = "attacked_class"},
                 {.title = "images"},
                 {.title = "clean_correct"},
                 {.title = "attacked_correct"},
                 {.title = "attacked_low"},
                 {.title = "attacked_high"},
                 {.title = "robust_correct"},
                 {.title = "success"},
                 {.title = "success_of"},
                 {.title = "fooled"},
                 {.title = "relative_difference"},
                 {.title = "absolute_drop"},
                 {.title = "log_odds_drop"},
                 {.title = "test_correct"},
                 {.title = "test_images"},
                 {.title = "zero_gradients"},
                 {.title = "gradients_below_1e-8"},
                 {.title = "median_epsilon"},
                 {.title = "never_flipped"}});
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const PlannedCell& cell = results.plan.cells[i];
        const PlannedTraining& victim = results.plan.trainings[cell.victim];
        const CellSummary s = summary(results, i);
        // A study in progress has cells without results: they stand in the table with counts of 0.
        const Ratio all = results.cells[i].images.empty() ? Ratio{} : results.confusion(i).accuracy();
        const auto& attack = results.attacks[cell.attack];
        std::optional<int> skewed;
        if (victim.skewed) skewed = index(*victim.skewed);
        std::optional<std::int64_t> never;
        if (s.epsilon_measured) never = s.median_epsilon.infinite;
        table.add({i,
                   victim.key.sampler.at("name").template get<std::string>(),
                   skewed,
                   victim.seed.value,
                   to_string(cell.from),
                   results.plan.trainings[cell.source].seed.value,
                   attack.at("name").template get<std::string>(),
                   attack.at("values").dump(),
                   index(cell.attacked_class),
                   s.attacked.of,
                   s.clean.hits,
                   s.attacked.hits,
                   s.attacked_interval.low,
                   s.attacked_interval.high,
                   s.robust.hits,
                   s.success.hits,
                   s.success.of,
                   s.fooled.hits,
                   s.relative_difference,
                   s.absolute_drop,
                   s.log_odds_drop,
                   all.hits,
                   all.of,
                   s.zero_gradients.hits,
                   s.tiny_gradients.hits,
                   s.median_epsilon.value,
                   never});
    }
    return table;
}

/// One row an image of a cell: answers, margins, losses and confidences without and with the attack, the source's
/// gradient, the smallest epsilon that flips ("inf": none up to 16/255; empty: not measured), and how far the source's
/// gradient agrees with the victim's own (empty: not measured).
inline Table image_table(const StudyResults& results) {
    Table table({{.title = "cell"},
                 {.title = "item"},
                 {.title = "clean_prediction"},
                 {.title = "clean_margin"},
                 {.title = "clean_loss"},
                 {.title = "clean_confidence"},
                 {.title = "attacked_prediction"},
                 {.title = "attacked_margin"},
                 {.title = "attacked_loss"},
                 {.title = "attacked_confidence"},
                 {.title = "gradient_norm1"},
                 {.title = "zero_gradient"},
                 {.title = "zero_pixels"},
                 {.title = "smallest_epsilon"},
                 {.title = "cosine"},
                 {.title = "sign_agreement"}});
    const auto measured = [](double value) {  // not a number: not measured
        return value >= -1 ? std::optional<double>(value) : std::optional<double>();
    };
    for (std::size_t i = 0; i < results.cells.size(); ++i)
        for (const ImageRecord& r : results.cells[i].images)
            table.add({i, r.item, index(r.clean.said), r.clean.margin, r.clean.loss, r.clean.confidence,
                       index(r.attacked.said), r.attacked.margin, r.attacked.loss, r.attacked.confidence,
                       r.gradient_norm1, r.zero_gradient ? 1 : 0, r.zero_pixels, measured(r.smallest_epsilon),
                       measured(r.cosine), measured(r.sign_agreement)});
    return table;
}

/// One object a training: its key, counts, index list, history and clean recall.
inline nlohmann::json trainings_json(const StudyResults& results) {
    nlohmann::json all = nlohmann::json::array();
    for (std::size_t t = 0; t < results.trainings.size(); ++t) {
        const TrainingResult& training = results.trainings[t];
        nlohmann::json looks = nlohmann::json::array();
        for (const Look& look : training.history.looks) looks.push_back(checkpoint::to_json(look));
        const Confusion clean = results.clean_confusion(t);
        nlohmann::json recall = nlohmann::json::array();
        for (int c = 0; c < clean.classes(); ++c)
            recall.push_back(clean.recall(Label(static_cast<std::uint16_t>(c))).value());
        all.push_back({{"key", results.plan.trainings[t].key.json()},
                       {"counts", training.counts},
                       {"held_out", training.held_out},
                       {"best_look", training.history.best_look},
                       {"stopped_by", to_string(training.history.stop)},
                       {"looks", looks},
                       {"clean_recall", recall},
                       {"items", training.items}});
    }
    return all;
}

/// One row a cell and epsilon of its sweep.
inline Table sweep_table(const StudyResults& results) {
    Table table({{.title = "cell"}, {.title = "epsilon"}, {.title = "correct"}, {.title = "images"}});
    for (std::size_t i = 0; i < results.cells.size(); ++i)
        for (const SweepPoint& p : results.cells[i].sweep) table.add({i, p.epsilon, p.accuracy.hits, p.accuracy.of});
    return table;
}

/// Wall time, kept apart from all that a second run would find again.
inline nlohmann::json times_json(const StudyResults& results) {
    nlohmann::json seconds = nlohmann::json::array();
    for (const TrainingResult& t : results.trainings) seconds.push_back(t.seconds);
    return {{"trainings", seconds}, {"study", results.seconds}};
}

/// Writes cells.csv, cells.json, images.csv, sweep.csv, trainings.json, study.json and times.json into `folder`, which
/// is made if it is missing. Throws FileError where one cannot be written.
inline void write_study(const StudyResults& results, const std::filesystem::path& folder) {
    make_folder(folder);
    const Table cells = cell_table(results);
    write_whole_file(folder / "cells.csv", to_csv(cells));
    write_whole_file(folder / "cells.json", to_json(cells).dump(1) + "\n");
    write_whole_file(folder / "images.csv", to_csv(image_table(results)));
    write_whole_file(folder / "sweep.csv", to_csv(sweep_table(results)));
    write_whole_file(folder / "trainings.json", trainings_json(results).dump() + "\n");
    nlohmann::json study = results.record;
    study["class_names"] = results.class_names;
    study["attacks"] = results.attacks;
    study["trainings"] = results.plan.trained();
    study["cells"] = results.cells.size();
    study["left_out"] = results.plan.left_out;
    write_whole_file(folder / "study.json", study.dump(1) + "\n");
    write_whole_file(folder / "times.json", times_json(results).dump(1) + "\n");
}

}  // namespace SKEWGRAD_NAMESPACE::report
