// The type-independent part of the paper's study: options, data, progress, report. Compiled once for all studies.
#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <skewgrad/command_line.hpp>
#include <skewgrad/command_line/command.hpp>
#include <skewgrad/command_line/paper_options.hpp>
#include <skewgrad/command_line/run_options.hpp>
#include <skewgrad/command_line/study_display.hpp>
#include <skewgrad/report.hpp>

#include "program.hpp"

using namespace skewgrad;

namespace {

constexpr PaperScale quick{.per_class = 1100, .held_out = 100, .rounds = 6, .test_images = 200, .learning_rate = 1e-3f};

struct Options : CommonOptions, RunOptions, PaperOptions {
    std::string backend = "cpu", command;
    PaperScale scale;
};

// CIFAR-10 or the embedded data set, with as many images per class as the scale says.
Splits load(const Options& options) {
    const PaperScale& scale = options.scale;
    if (options.data.empty())
        return Embedded{.train_per_class = scale.per_class,
                        .test_per_class = scale.test_images ? scale.test_images : 1000}
            .load();
    Splits data = Cifar10::load(options.data);
    return {Sampler<Balanced>{.count = scale.per_class}(data.train, options.seed), data.test};
}

// The folder of the report; empty: no report.
std::filesystem::path report_folder(const Options& options) {
    return options.out.empty() && !options.run.empty() ? options.run / "report" : options.out;
}

// Prints the results, and writes a report if it was requested.
void report(const StudyResults& results, const std::string& protocol, const Options& options) {
    const std::string data = results.record.at("configuration").at("data");
    std::cout << "The study of Possas and Zhou, " << protocol << ", on " << data << "\n\n";
    const report::Judgement judged = report::judge_study(results, Embedded{}.similarity);
    for (const auto& [title, table] : report::all_tables_and_claims(results, judged))
        std::cout << title << "\n\n" << to_text(table) << "\n";
    const auto out = report_folder(options);
    if (out.empty()) return;
    const auto page = report::write_report(results, judged, out, {.command = options.command});
    std::cout << "Report: " << page.string() << "\n";
}

void run_and_report(const study::ErasedStudy& study, study::StudyOperations& work, const std::string& protocol,
                    const std::string& runs_on, const Options& options) {
    // Invalid values and folders are reported before any data are read, and nothing is written before all checks pass.
    (void)study.plan();
    if (!options.out.empty()) report::check_output_folder(options.out);
    if (!options.run.empty()) RunFolder::check_not_foreign(options.run);
    const Splits data = load(options);
    Progress progress;
    auto observer = show_study(progress, data.test.class_names(), !options.list_parts && options.only_parts.empty());
    observer.planned = [&options, planned = observer.planned](const Plan& plan) {
        if (!options.out.empty()) report::claim_output_folder(options.out);
        planned(plan);
    };
    std::optional<StudyResults> asked = run_asked(study, work, data, options, observer, options.command);
    if (!asked) return;
    StudyResults results = *std::move(asked);
    results.record.update(
        run_record(study, runs_on, options.threads, {{"protocol", protocol}, {"data", data.train.name()}}));
    report(results, protocol, options);
}

}  // namespace

int paper_program(int argc, char** argv, const std::vector<std::string>& backends,
                  const std::function<void(const Wanted&, const RunStudy&)>& compose) {
    CLI::App app{"The study of Possas and Zhou on CIFAR-10, or on the embedded data set where no data are given"};
    Options options;
    add_common(app, options);
    add_run(app, options);
    add_paper(app, options);
    add_choice(app, "--backend", options.backend, backends,
               "Fast kernels in f32, in bf16, training in bf16 and all else in f32, or plain loops (slow)");
    return run_main(app, argc, argv, [&] {
        if (printed_status(options) || merged_runs(options)) return;
        options.parts.epsilon = options.epsilon;
        options.parts.seed = options.seed;
        // The quick study uses the embedded data set unless --data is given, whatever the environment says.
        const bool asked = std::any_of(argv, argv + argc, [](std::string_view a) { return a.starts_with("--data"); });
        if (options.quick && !asked) options.data.clear();
        // Goes on with the whole run, whatever part this process does.
        constexpr std::string_view of_this_process[] = {"--part", "--parts"};
        options.command = command_of(argc, argv, of_this_process);
        if (!asked && !options.data.empty())  // from the environment, which another shell may not have
            options.command += " --data " + shell_quoted(options.data.string());
        options.scale = options.scaled(options.quick ? quick : PaperScale{});
        compose({.protocol = options.protocol,
                 .backend = options.backend,
                 .quick = options.quick,
                 .under = options.as_run().under,
                 .scale = options.scale,
                 .parts = options.parts,
                 .threads = options.threads},
                [&](const study::ErasedStudy& study, study::StudyOperations& work, const std::string& protocol,
                    const std::string& runs_on) { run_and_report(study, work, protocol, runs_on, options); });
    });
}
