// A run is a folder: begun or continued under a lock, checked against what is to be run, filled file by file.
#pragma once
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/store/folder_lock.hpp>
#include <skewgrad/store/json_file.hpp>
#include <skewgrad/study/learner.hpp>
#include <skewgrad/study/record_files.hpp>
#include <skewgrad/study/results.hpp>
#include <skewgrad/study/run_layout.hpp>
#include <skewgrad/study/study_progress.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Give it to `Study::run`. What is in the folder is taken as done, what is missing is run; the process may end at any
/// moment, and the next one goes on from the last whole file. Every file is written whole or not at all.
class RunFolder {
public:
    /// Makes the folder where it is missing and takes its lock. Throws FileError, and changes nothing, where another
    /// process has it or the folder holds something else than a run.
    /// @param from whether a run is continued that another backend, instruction set or compiler began
    explicit RunFolder(const std::filesystem::path& folder, FromHardware from = FromHardware::same)
        : at_(folder), from_(from) {
        check_not_foreign();
        make_folder(at_.log());
        lock_.emplace(at_.folder(), at_.lock());
        make_folder(at_.trainings());
        make_folder(at_.cells());
        for (const auto& part : {at_.folder(), at_.log(), at_.cells()}) remove_partial_files(part);
        for (const auto& training : std::filesystem::directory_iterator(at_.trainings()))
            if (training.is_directory()) remove_partial_files(training.path());
        read_times();
    }
    const std::filesystem::path& path() const { return at_.folder(); }

    /// Begins the run, or checks that it is the same one. `configuration`: all that decides results but plan and
    /// hardware. Throws FileError naming the entry that differs from what the run was begun with.
    void begin(const StudyResults& study, const nlohmann::json& configuration, const nlohmann::json& hardware) {
        const std::string digest = Digest().text(configuration.dump()).hex();
        nlohmann::json run{{"format", format},
                           {"configuration", configuration},
                           {"configuration_digest", digest},
                           {"class_names", study.class_names},
                           {"hardware", nlohmann::json::array({hardware})}};
        if (std::filesystem::exists(at_.run())) run["hardware"] = hardware_of(checked(run), hardware);
        hardware_ = run["hardware"];
        trainings_.clear();
        groups_.clear();
        nlohmann::json plan{{"left_out", study.plan.left_out},
                            {"trainings", nlohmann::json::array()},
                            {"groups", nlohmann::json::array()}};
        for (const PlannedTraining& t : study.plan.trainings) {
            trainings_.push_back(study::identity_of(t, digest));
            plan["trainings"].push_back(
                {{"name", trainings_.back().name}, {"title", title_of(t, study.class_names)}, {"trained", !t.adjusts}});
        }
        for (const CellGroup& g : study.plan.groups()) {
            groups_.push_back(study::identity_of(study.plan, g, study.attacks, digest));
            plan["groups"].push_back({{"name", groups_.back().name}, {"cells", g.cells.size()}});
        }
        write_unless_there(at_.run(), run);
        write_unless_there(at_.plan(), plan);
    }
    /// Every backend, instruction set and compiler that the run has been on; more than one: its bits are no one's.
    const nlohmann::json& hardware() const { return hardware_; }

    bool has_training(std::size_t t) const { return std::filesystem::exists(at_.record(trainings_[t].name)); }
    TrainingResult training(std::size_t t, std::size_t test_images) const {
        TrainingResult result =
            study::read_training(at_.record(trainings_[t].name), trainings_[t].notes(), test_images);
        result.seconds = seconds_of("trainings", trainings_[t].name);
        return result;
    }
    std::filesystem::path network_file(std::size_t t) const { return at_.network(trainings_[t].name); }
    Notes notes(std::size_t t) const { return trainings_[t].notes(); }
    /// Where a training leaves its state; its folder is made.
    CheckpointPlace checkpoint(std::size_t t) {
        make_folder(at_.training(trainings_[t].name));
        return {.file = at_.checkpoint(trainings_[t].name),
                .notes = trainings_[t].notes(),
                .accepted = hardware_.size() > 1 ? FromHardware::any : FromHardware::same,
                .saved = {}};
    }
    /// The training is over: its record is the last file that it needs.
    void keep_training(std::size_t t, const TrainingResult& result) {
        make_folder(at_.training(trainings_[t].name));
        study::write_training(at_.record(trainings_[t].name), result, trainings_[t].notes());
        drop_checkpoint(t);
    }
    /// What a process that ended just before may have left behind.
    void drop_checkpoint(std::size_t t) const {
        if (std::filesystem::exists(at_.checkpoint(trainings_[t].name)))
            remove_file(at_.checkpoint(trainings_[t].name));
    }

    bool has_group(std::size_t g) const { return std::filesystem::exists(at_.group(groups_[g].name)); }
    void read_group(std::size_t g, const CellGroup& group, StudyResults& results) const {
        study::read_cells(at_.group(groups_[g].name), results, group, groups_[g].notes());
    }
    void keep_group(std::size_t g, const CellGroup& group, const StudyResults& results) const {
        study::write_cells(at_.group(groups_[g].name), results, group, groups_[g].notes());
    }

    /// Times go into the log: `seconds` more of a training or of a group of cells.
    void add_training_seconds(std::size_t t, double seconds) { add_seconds("trainings", trainings_[t].name, seconds); }
    void add_group_seconds(std::size_t g, double seconds) { add_seconds("groups", groups_[g].name, seconds); }
    double training_seconds(std::size_t t) const { return seconds_of("trainings", trainings_[t].name); }
    /// Of everything, over all the processes that worked on the run.
    double seconds() const {
        double sum = 0;
        for (const auto& [part, times] : times_.items())
            for (const auto& [name, value] : times.items()) sum += value.get<double>();
        return sum;
    }
    void write_times() const { write_whole_file(at_.times(), times_.dump(1) + "\n"); }
    void write_progress(const StudyProgress& progress) const {
        nlohmann::json j = progress.json();
        j["written"] = static_cast<std::int64_t>(std::time(nullptr));
        write_whole_file(at_.progress(), j.dump(1) + "\n");
    }

private:
    static constexpr int format = 1;

    void check_not_foreign() const {
        if (!std::filesystem::exists(at_.folder()) || std::filesystem::exists(at_.run())) return;
        if (!std::filesystem::is_directory(at_.folder()))
            throw FileError(at_.folder().string(), "is no folder, so no run can be in it");
        for (const auto& entry : std::filesystem::directory_iterator(at_.folder())) {
            const std::string name = entry.path().filename().string();
            const bool empty_part = (name == "trainings" || name == "cells") && entry.is_directory() &&
                                    std::filesystem::is_empty(entry.path());
            if (name != "log" && !empty_part && !is_partial_file(entry.path()))
                throw FileError(at_.folder().string(),
                                "holds \"" + name + "\" but no run.json: it is not a run's folder");
        }
    }
    /// The run.json that is there, found to be of this study.
    nlohmann::json checked(const nlohmann::json& wanted) const {
        const std::string file = at_.run().string();
        nlohmann::json there = read_json(at_.run());
        for (const char* part : {"format", "configuration", "configuration_digest", "class_names", "hardware"})
            if (!there.contains(part)) throw FileError(file, std::string("is no run's: it has no \"") + part + "\"");
        for (const char* part : {"format", "configuration", "class_names"})
            if (const auto differs = first_difference(there[part], wanted[part], part))
                throw FileError(file, "was begun with another configuration: " + differs->place + " is " +
                                          differs->first + " there and " + differs->second + " here");
        return there;
    }
    nlohmann::json hardware_of(const nlohmann::json& run, const nlohmann::json& here) const {
        nlohmann::json all = run["hardware"];
        if (!all.is_array() || all.empty()) throw FileError(at_.run().string(), "is damaged: it names no hardware");
        for (const auto& known : all)
            if (known == here) return all;
        const auto differs = first_difference(all.front(), here);
        if (from_ == FromHardware::same)
            throw FileError(at_.run().string(),
                            "was begun where " + differs->place + " is " + differs->first + ", here it is " +
                                differs->second +
                                ": the bits would be of neither. --continue-on-other-hardware goes on all the same, "
                                "and records it");
        all.push_back(here);
        return all;
    }
    static void write_unless_there(const std::filesystem::path& file, const nlohmann::json& wanted) {
        if (!std::filesystem::exists(file) || read_json(file) != wanted) write_json(file, wanted);
    }

    // The log is no result: what cannot be read in it is forgotten.
    void read_times() {
        if (!std::filesystem::exists(at_.times())) return;
        nlohmann::json found = nlohmann::json::parse(read_whole_text(at_.times()), nullptr, false);
        if (!found.is_object()) return;
        for (const auto& [part, times] : found.items())
            if (times.is_object())
                for (const auto& [name, value] : times.items())
                    if (value.is_number()) times_[part][name] = value;
    }
    double seconds_of(const char* part, const std::string& name) const {
        return times_.contains(part) && times_[part].contains(name) ? times_[part][name].get<double>() : 0.0;
    }
    void add_seconds(const char* part, const std::string& name, double seconds) {
        times_[part][name] = seconds_of(part, name) + seconds;
    }

    study::RunLayout at_;
    FromHardware from_;
    std::optional<FolderLock> lock_;
    nlohmann::json hardware_, times_ = nlohmann::json::object();
    std::vector<study::RunIdentity> trainings_, groups_;
};

}  // namespace SKEWGRAD_NAMESPACE
