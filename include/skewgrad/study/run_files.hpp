// Readers of a run's run.json, plan.json and failed.json, which reject any malformed entry.
#pragma once
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/store/digest.hpp>
#include <skewgrad/store/json_entry.hpp>
#include <skewgrad/store/json_file.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Formats 1 to 3 are those of earlier versions: keys without every field, other words, one process a folder.
inline constexpr int run_format = 4;

/// Reads run.json: format, configuration and its digest, class names. Throws FileError, naming
/// file and place, if it is damaged or of another format.
inline nlohmann::json read_run(const std::filesystem::path& file) {
    nlohmann::json run = read_json(file);
    const JsonEntry entry(run, file.string());
    if (const int format = entry.at("format").whole<int>(); format != run_format)
        throw FileError(file.string(), "is a run of format " + std::to_string(format) + ", this program's is " +
                                           std::to_string(run_format) + ": begin in another folder");
    const nlohmann::json& configuration = entry.at("configuration").object().json();
    if (entry.at("configuration_digest").text() != Digest().text(json_text(configuration)).hex())
        entry.at("configuration_digest").refuse("the digest of the configuration");
    for (const JsonEntry& name : entry.at("class_names").list()) name.text();
    return run;
}

/// The hardware of a run: the files of its folder, in the order of their names. Throws FileError, naming file and
/// place, if one is damaged.
inline std::vector<nlohmann::json> read_hardware(const std::filesystem::path& folder) {
    std::vector<nlohmann::json> all;
    if (!is_there(folder)) return all;
    for (const auto& file : entries_of(folder))
        if (!is_partial_file(file)) all.push_back(JsonEntry(read_json(file), file.string()).object().json());
    return all;
}

/// plan.json: the parts of a run, for readers without the study's code.
struct PlanFile {
    struct Training {
        std::string name, title;
        std::string adjusts;  ///< the training whose logits it adjusts; empty: it is trained itself
    };
    struct Group {
        std::string name;
        std::size_t cells = 0;
        std::string victim, source;
    };
    std::vector<std::string> left_out;
    std::vector<Training> trainings;
    std::vector<Group> groups;
};

/// Throws FileError, naming file and place, if it is damaged.
inline PlanFile read_plan(const std::filesystem::path& file) {
    const nlohmann::json json = read_json(file);
    const JsonEntry entry(json, file.string());
    const auto file_name = [](const JsonEntry& name) {
        const std::string& text = name.text();
        if (text.empty() || text.front() == '.' || text.find('/') != std::string::npos) name.refuse("a file's name");
        return text;
    };
    constexpr std::size_t most_cells = 1'000'000;
    PlanFile plan;
    for (const JsonEntry& part : entry.at("left_out").list()) plan.left_out.push_back(part.text());
    for (const JsonEntry& t : entry.at("trainings").list())
        plan.trainings.push_back(
            {file_name(t.at("name")), t.at("title").text(), t.has("adjusts") ? t.at("adjusts").text() : ""});
    for (const JsonEntry& g : entry.at("groups").list())
        plan.groups.push_back({file_name(g.at("name")), g.at("cells").whole<std::size_t>(0, most_cells),
                               g.at("victim").text(), g.at("source").text()});
    return plan;
}

/// failed.json: the reason why a training failed. Throws FileError if it is damaged, or belongs to another training
/// than `expected`.
inline std::string read_failure(const std::filesystem::path& file, const nlohmann::json& expected) {
    const nlohmann::json json = read_json(file);
    const JsonEntry entry(json, file.string());
    if (const auto differs = first_difference(entry.at("made_by").json(), expected, "made_by"))
        throw FileError(file.string(), "is another training's: " + differs->place + " is " + differs->first + ", not " +
                                           differs->second);
    return entry.at("reason").text();
}

}  // namespace SKEWGRAD_NAMESPACE::study
