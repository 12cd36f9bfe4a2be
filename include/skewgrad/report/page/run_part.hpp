// How a study was run, what it cost, what it went without, and which files lie beside the report.
#pragma once
#include <chrono>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/version.hpp>
#include <skewgrad/report/markup/element.hpp>
#include <skewgrad/report/page/shown_table.hpp>
#include <skewgrad/report/page/study_view.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// What a report says of its making that the study's results do not know.
struct MadeBy {
    std::string command{};  ///< the exact command; empty: unknown
    std::string date{};     ///< of the report; empty: now
};

inline std::string utc_now() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts)};
}

/// As Linux tells it; empty where it does not.
inline std::string processor_name() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);)
        if (const std::size_t at = line.find(": "); line.starts_with("model name") && at != line.npos)
            return line.substr(at + 2);
    return {};
}

inline std::string duration_in_words(double seconds) {
    const auto whole = static_cast<long long>(seconds + 0.5);
    if (whole < 120) return std::to_string(whole) + " s";
    if (whole < 7200) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

/// What a record says at a path, as text; empty where it says nothing.
inline std::string recorded(const nlohmann::json& record, const char* path) {
    const nlohmann::json::json_pointer at(path);
    if (!record.contains(at)) return {};
    const nlohmann::json& value = record.at(at);
    return value.is_string() ? value.get<std::string>() : value.dump();
}

/// A row a network: what it was trained on and how its training went.
inline Table training_table(const StudyResults& results) {
    Table table({{.title = "network", .align = Align::left},
                 {.title = "images"},
                 {.title = "looks"},
                 {.title = "best look"},
                 {.title = "held-out loss", .decimals = 3},
                 {.title = "updates"},
                 {.title = "stopped by", .align = Align::left},
                 {.title = "clean accuracy", .decimals = 1},
                 {.title = "seconds", .decimals = 0}});
    for (std::size_t t = 0; t < results.plan.trainings.size() && t < results.trainings.size(); ++t) {
        const TrainingResult& training = results.trainings[t];
        if (results.plan.trainings[t].adjusts) continue;
        std::vector<TableCell> row{title_of(results.plan.trainings[t], results.class_names)};
        if (training.clean.empty()) {
            row.resize(table.columns().size());
            row[6] = "not trained";
        } else {
            const History& h = training.history;
            const auto best = std::find_if(h.looks.begin(), h.looks.end(),
                                           [&](const Look& look) { return look.look == h.best_look; });
            for (TableCell cell :
                 {TableCell(training.items.size()), TableCell(h.looks.size()), TableCell(h.best_look),
                  TableCell(best == h.looks.end() ? std::nullopt : claim_tables::finite(best->held_loss)),
                  TableCell(h.looks.empty() ? 0 : h.looks.back().updates), TableCell(to_string(h.stop)),
                  TableCell(percent(results.clean_confusion(t).accuracy())), TableCell(training.seconds)})
                row.push_back(std::move(cell));
        }
        table.add(std::move(row));
    }
    return table;
}

inline ShownTable shown_trainings(const StudyView& view) {
    return {.name = "trainings",
            .caption = "The networks",
            .note =
                "A look is a fixed number of updates, after which the held-out loss is taken; the weights of the best "
                "look are kept. "
                "Accuracy: all test images, no attack, percent. Seconds: wall time, over all runs that it took.",
            .table = training_table(view.results())};
}

/// "CIFAR-10", of "CIFAR-10 train".
inline std::string data_name(const StudyResults& results) {
    std::string name = recorded(results.record, "/configuration/data");
    if (const std::string part = " train"; name.ends_with(part)) name.erase(name.size() - part.size());
    return name;
}
inline std::string with_commas(std::size_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
    return digits;
}

/// Two sentences: which networks, on which images; which attacks.
inline std::string what_was_run(const StudyView& view) {
    const StudyResults& r = view.results();
    const std::string data = data_name(r), protocol = recorded(r.record, "/configuration/protocol");
    std::string text =
        std::to_string(r.plan.trained()) + " networks were trained on " + (data.empty() ? "images" : data + " images") +
        " of " + std::to_string(view.classes()) + " classes (" + std::to_string(view.seeds().size()) +
        (view.seeds().size() == 1 ? " seed" : " seeds") + (protocol.empty() ? "" : ", protocol \"" + protocol + "\"") +
        "): balanced ones, ones with few images of one class (under-sampled), and ones with few of all others "
        "(over-sampled). ";
    text += "On each class's test images (" + view.images_in_words() + ") they met the fast gradient sign method";
    if (!r.attacks.empty())
        text += " with epsilon " + shortest(r.attacks.front().at("values").at("epsilon").get<float>()) +
                " on pixels from 0 to 1";
    return text +
           ", from their own gradient and from another balanced network's, beside controls and an iterative attack: " +
           with_commas(r.cells.size()) + " combinations of network, gradient, attack and class.";
}

inline Markup how_it_was_run(const StudyView& view, const MadeBy& by) {
    const StudyResults& r = view.results();
    Markup list;
    const auto say = [&](const char* what, const std::string& words) {
        list += element("dt", what) + element("dd", words.empty() ? std::string("–") : words);
    };
    std::string seeds;
    for (const std::uint64_t seed : view.seeds()) seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
    say("skewgrad", library_version);
    say("compiler", recorded(r.record, "/compiler"));
    say("instruction set or device", recorded(r.record, "/runs_on"));
    say("processor of this report", processor_name());
    say("threads", recorded(r.record, "/threads"));
    say("data", recorded(r.record, "/configuration/data"));
    say("protocol", recorded(r.record, "/configuration/protocol"));
    say("seeds", seeds);
    say("time it cost", duration_in_words(r.seconds) + " of wall time, over all runs that it took");
    say("report written", by.date.empty() ? utc_now() : by.date);
    if (r.record.contains("hardware") && r.record["hardware"].size() > 1)
        say("more than one machine", "its bits are no one machine's: " + r.record["hardware"].dump());
    say("configuration's digest", recorded(r.record, "/configuration_digest"));
    Markup all = by.command.empty() ? Markup() : element("p", "The exact command:") + element("pre", by.command);
    return all + element("dl", {{"class", "run"}}, list) +
           element("p", {{"class", "note"}},
                   Markup("The whole configuration, with every version, is in ") +
                       element("a", {{"href", "study.json"}}, "study.json") + ".");
}

inline Markup what_was_not_run(const StudyView& view) {
    Markup list;
    for (const std::string& part : view.results().plan.left_out) list += element("li", part);
    std::size_t missing = 0;
    for (const CellResult& c : view.results().cells) missing += c.images.empty();
    if (missing > 0)
        list += element("li", std::to_string(missing) +
                                  " planned combinations have no results yet; they are dashes in the tables.");
    if (view.seeds().size() < claims::fewest_seeds)
        list += element("li", "seeds enough for a verdict (" + std::to_string(claims::fewest_seeds) + ", " +
                                  std::to_string(view.seeds().size()) + " here): --seeds N");
    for (const claims::Verdict& v : view.judgement().verdicts)
        if (!v.estimate.measured() && !v.estimate.not_run.empty())
            list += element("li", "claim " + v.id + ": it lacks " + v.estimate.not_run.front());
    return list.empty() ? element("p", "Every part was run.") : element("ul", list);
}

inline Markup files_beside() {
    Markup list;
    for (const auto& [file, words] :
         {std::pair("cells.csv", "a row a combination, with counts"), std::pair("cells.json", "the same"),
          std::pair("images.csv", "a row an image of each combination"),
          std::pair("sweep.csv", "right answers at each epsilon"),
          std::pair("trainings.json", "a training: index list, every look"),
          std::pair("study.json", "configuration, versions, hardware"), std::pair("times.json", "seconds")})
        list += element("li", element("a", {{"href", file}}, file) + (std::string(": ") + words));
    return element("ul", list) +
           element("p", Markup("Each table is in tables/NAME.csv; each figure is in figures/: NAME.svg, its numbers "
                               "NAME.csv, and NAME.gp, which draws it by ") +
                            element("code", "gnuplot NAME.gp") + ".");
}

}  // namespace SKEWGRAD_NAMESPACE::report
