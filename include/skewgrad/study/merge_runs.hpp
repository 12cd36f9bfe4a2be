// Makes one run of two: copies the parts of another folder of the same study, checked.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <skewgrad/store/safetensors.hpp>
#include <skewgrad/study/run_folder.hpp>

namespace SKEWGRAD_NAMESPACE {

/// What a merge found in the other folder.
struct Merged {
    std::size_t copied = 0, there = 0;  ///< files that were new, and files that were there already with the same bytes
};

namespace study {

class Merge {
public:
    Merge(const std::filesystem::path& into, const std::filesystem::path& from, FromHardware hardware)
        : into_(into), from_(from) {
        if (!is_there(from_.run())) throw FileError(from.string(), "holds no run.json: it is not a run's folder");
        const nlohmann::json theirs = read_run(from_.run());
        configuration_ = theirs["configuration_digest"];
        RunFolder::check_not_foreign(into);
        if (is_there(into_.run())) {
            const nlohmann::json ours = read_run(into_.run());
            for (const char* part : {"configuration", "class_names"})
                if (const auto differs = first_difference(ours[part], theirs[part], part))
                    throw FileError(from_.run().string(), "is another study's: " + differs->place + " is " +
                                                              differs->second + " there and " + differs->first +
                                                              " in " + into_.run().string());
        }
        if (hardware == FromHardware::any) return;
        const std::vector<nlohmann::json> here = read_hardware(into_.hardware()),
                                          there = read_hardware(from_.hardware());
        for (const auto& ours : here)
            for (const auto& other : there)
                if (const auto differs = first_difference(ours, other))
                    throw FileError(from_.hardware().string(),
                                    "was made where " + differs->place + " is " + differs->second + ", " +
                                        into_.folder().string() + " where it is " + differs->first +
                                        ": no one machine has these bits. --continue-on-other-hardware merges them all "
                                        "the same, and records it");
    }

    /// Checks all files before it copies the first one.
    Merged operator()() {
        const std::vector<std::filesystem::path> files = files_of_results();
        for (const auto& file : files) check(file);
        Merged merged;
        for (const auto& folder : {into_.log(), into_.processes()}) make_folder(folder);
        copy(from_.run(), merged);
        for (const auto& file : files) copy(file, merged);
        // The plan is the next process's to write; until then its readers have this one. Logs are no results.
        if (is_there(from_.plan()) && !is_there(into_.plan())) copy(from_.plan(), merged);
        Merged uncounted;
        if (is_there(from_.processes()))
            for (const auto& log : entries_of(from_.processes())) {
                if (!is_partial_file(log) && !is_there(there(log))) copy(log, uncounted);
            }
        return merged;
    }

private:
    std::filesystem::path there(const std::filesystem::path& file) const {
        return into_.folder() / std::filesystem::relative(file, from_.folder());
    }
    /// The other run's results, in an order in which a process may end at any of them: a network before its record.
    std::vector<std::filesystem::path> files_of_results() const {
        std::vector<std::filesystem::path> all;
        for (const auto& folder : {from_.hardware(), from_.cells(), from_.all_pictures()})
            if (is_there(folder))
                for (const auto& file : entries_of(folder))
                    if (!is_partial_file(file)) all.push_back(file);
        if (!is_there(from_.trainings())) return all;
        for (const auto& training : entries_of(from_.trainings())) {
            const std::string name = training.filename().string();
            for (const auto& file : {from_.network(name), from_.record(name), from_.failure(name)})
                if (is_there(file) && (file != from_.failure(name) || !is_there(into_.record(name))))
                    all.push_back(file);
        }
        return all;
    }
    /// Throws FileError unless the file is whole, of this study, and the same in both folders if it is in both.
    void check(const std::filesystem::path& file) const {
        if (is_there(there(file)) && read_whole_file(file) != read_whole_file(there(file)))
            throw FileError(file.string(),
                            "differs from " + there(file).string() + ", which should have the same bytes");
        if (file.parent_path() == from_.hardware()) return (void)read_json(file);
        nlohmann::json made_by;
        if (file.extension() == ".json") {
            const nlohmann::json failure = read_json(file);
            made_by = JsonEntry(failure, file.string()).at("made_by").object().json();
        } else {
            const std::string note = read_safetensors(file).note(RunIdentity::made_by);
            made_by = parse_json(note, file.string(), "its note \"" + std::string(RunIdentity::made_by) + "\"");
        }
        const bool in_folder = file.parent_path().parent_path() == from_.trainings();
        const std::string name = in_folder ? file.parent_path().filename().string() : file.stem().string();
        if (!name.ends_with("-" + RunIdentity::suffix(json_text(made_by))))
            throw FileError(file.string(), "has another's name: it was made by " + shown_json(&made_by));
        if (made_by.value("configuration", nlohmann::json()) != configuration_)
            throw FileError(file.string(), "is another study's: the digest of its configuration is " +
                                               shown_json(&made_by["configuration"]) + ", the run's " +
                                               in_quotes(configuration_));
    }
    void copy(const std::filesystem::path& file, Merged& merged) const {
        const std::filesystem::path to = there(file);
        if (is_there(to)) {
            ++merged.there;
            return;
        }
        make_folder(to.parent_path());
        write_whole_file(to, read_whole_file(file));
        ++merged.copied;
    }

    RunLayout into_, from_;
    std::string configuration_;
};

}  // namespace study

/// Copies the results of the run in `from` into the run in `into`, which may be new. Throws FileError, and copies
/// nothing, if a file is damaged, if the runs are of different studies or, unless `hardware` is any, of different
/// hardware, or if a file that both have differs.
inline Merged merge_run(const std::filesystem::path& into, const std::filesystem::path& from,
                        FromHardware hardware = FromHardware::same) {
    return study::Merge(into, from, hardware)();
}

}  // namespace SKEWGRAD_NAMESPACE
