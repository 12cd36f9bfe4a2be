// The options of programs whose study is a run in a folder: begun, continued, looked at.
#pragma once
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include <skewgrad/command_line/options.hpp>
#include <skewgrad/command_line/study_status.hpp>
#include <skewgrad/study/study.hpp>

namespace SKEWGRAD_NAMESPACE {

struct RunOptions {
    std::filesystem::path run, status;  ///< empty: not given
    bool other_hardware = false;
    int jobs = 1;
};

/// Adds `--run`, `--status`, `--continue-on-other-hardware` and `--jobs`. `options` must outlive the parsing.
inline void add_run(CLI::App& app, RunOptions& options) {
    const auto folder = [&](const std::string& name, std::filesystem::path& target, const std::string& description) {
        app.add_option_function<std::string>(
               name,
               [&target, name](const std::string& text) {
                   if (text.empty()) throw CLI::ValidationError(name, "needs a folder, got \"\"");
                   target = text;
               },
               description)
            ->type_name("FOLDER")
            ->group("Files");
    };
    folder("--run", options.run, "Begin the study in this folder, or go on with what is in it; may be killed any time");
    folder("--status", options.status, "Say where the run in this folder stands, and end");
    app.add_flag("--continue-on-other-hardware", options.other_hardware,
                 "Go on with a run that another backend, instruction set or compiler began")
        ->group("Run");
    add_number(app, "--jobs", options.jobs, 1, 256,
               "Networks to train at a time, each with its share of --threads; the same bits for any number")
        ->group("Run");
}

/// Where `--status` is given, says where that run stands, and returns true.
inline bool told_status(const RunOptions& options, std::ostream& out = std::cout) {
    if (options.status.empty()) return false;
    out << describe(read_status(options.status), options.status);
    return true;
}

/// Runs a study in the folder given, or in memory where there is none.
inline StudyResults run_study(const study::Composition& study, study::Work& work, const Splits& data,
                              const RunOptions& options, const StudyObserver& observer) {
    if (options.run.empty()) return study.run(work, data, nullptr, observer, options.jobs);
    RunFolder folder(options.run, options.other_hardware ? FromHardware::any : FromHardware::same);
    return study.run(work, data, &folder, observer, options.jobs);
}
template <class Study>
StudyResults run_study(const Study& of, const Splits& data, const RunOptions& options, const StudyObserver& observer) {
    return of.without_types([&](const study::Composition& whole, study::Work& work) {
        return run_study(whole, work, data, options, observer);
    });
}

}  // namespace SKEWGRAD_NAMESPACE
