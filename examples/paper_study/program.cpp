// The paper's study but for its types: options, data, progress, report. Compiled once, whatever is studied.
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

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

// As many images a class as the scale says, of CIFAR-10 or the embedded set.
Splits load(const Options& options) {
    const PaperScale& scale = options.scale;
    if (options.data.empty())
        return Embedded{.train_per_class = scale.per_class,
                        .test_per_class = scale.test_images ? scale.test_images : 1000}
            .load();
    Splits data = Cifar10::load(options.data);
    return {Sampler<Balanced>{.count = scale.per_class}(data.train, options.seed), data.test};
}

// Where the report goes; empty: nowhere.
std::filesystem::path report_folder(const Options& options) {
    return options.out.empty() && !options.run.empty() ? options.run / "report" : options.out;
}

// Shows what came of it, and writes it where that was asked for.
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
    // What is wrong with values and folders shows before any data are read, and nothing is written before all is right.
    const Plan plan = study.plan();
    if (!options.out.empty()) report::check_output_folder(options.out);
    if (!options.run.empty()) RunFolder::check_not_foreign(options.run);
    const Splits data = load(options);
    study.check(plan, data);
    if (!options.out.empty()) report::claim_output_folder(options.out);
    Progress progress;
    const auto observer = show_study(progress, data.test.class_names());
    StudyResults results = run_study(study, work, data, options, observer, options.command);
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
        if (printed_status(options)) return;
        options.parts.epsilon = options.epsilon;
        options.parts.seed = options.seed;
        // The quick study runs on the embedded set whatever the environment says, unless told otherwise here.
        const bool asked = std::any_of(argv, argv + argc, [](std::string_view a) { return a.starts_with("--data"); });
        if (options.quick && !asked) options.data.clear();
        options.command = command_of(argc, argv);
        if (!asked && !options.data.empty())  // the environment named them: another shell may not
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
