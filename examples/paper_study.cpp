// links: command_line reference
// The study of Possas and Zhou: 22 networks a seed, the 50 attack combinations of Table 1 and a column more, controls,
// two protocols. With --run it is a folder that may be killed at any moment and continued.
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include <skewgrad/command_line.hpp>
#include <skewgrad/command_line/command.hpp>
#include <skewgrad/command_line/paper_options.hpp>
#include <skewgrad/command_line/run_options.hpp>
#include <skewgrad/command_line/study_display.hpp>
#include <skewgrad/reference.hpp>
#include <skewgrad/report.hpp>

using namespace skewgrad;

// What --quick trains instead of the paper's network, and at what scale.
struct QuickNetwork : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<2>, Conv<32>, Relu, MaxPool<2>,  //
                              Conv<32>, Relu, MaxPool<2>, Dense<64>, Relu, Dropout<25>, Dense<10>> {};
constexpr PaperScale quick{.per_class = 1100, .held_out = 100, .looks = 6, .test_images = 200, .learning_rate = 1e-3f};

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

nlohmann::json names_of(const std::string& protocol, const Splits& data) {
    return {{"protocol", protocol}, {"data", data.train.name()}};
}

// Shows what came of it, and writes it where that was asked for.
void tell(const StudyResults& results, const std::string& protocol, const Options& options) {
    const std::string data = results.record.at("configuration").at("data");
    std::cout << "The study of Possas and Zhou, " << protocol << ", on " << data << "\n\n";
    const report::Judgement judged = report::judge_study(results, Embedded{}.similarity);
    for (const auto& [title, table] : report::all_tables_and_claims(results, judged))
        std::cout << title << "\n\n" << to_text(table) << "\n";
    const auto out = options.out.empty() && !options.run.empty() ? options.run / "report" : options.out;
    if (out.empty()) return;
    const auto page = report::write_report(results, judged, out, {.command = options.command});
    std::cout << "Report: " << page.string() << "\n";
}

// Only what depends on the types stands here: it is compiled once a protocol, network and backend.
template <Backend B, class Protocol, ANetwork N>
void run(const Protocol& protocol, N, const Options& options) {
    const Splits data = load(options);
    const typename B::Context on(options.threads);
    const auto study = paper_study<Protocol, B, N>(protocol, options.scale, options.parts, on);
    Progress progress;
    const auto observer = show_study(progress, data.test.class_names(), options.scale.looks);
    StudyResults results = run_study(study, data, options, observer);
    results.record.update(run_record(study, on, names_of(Protocol::name, data)));
    tell(results, Protocol::name, options);
}

template <class Protocol, ANetwork N>
void run_on(const Protocol& protocol, N network, const Options& options) {
    if (options.backend == "cpu") run<Cpu<f32>>(protocol, network, options);
    if (options.backend == "cpu-bf16") run<Cpu<bf16>>(protocol, network, options);
    if (options.backend == "reference") run<Reference<float>>(protocol, network, options);
}

int main(int argc, char** argv) {
    CLI::App app{"The study of Possas and Zhou on CIFAR-10, or on the embedded data set where no data are given"};
    Options options;
    add_common(app, options);
    add_run(app, options);
    add_paper(app, options);
    add_choice(app, "--backend", options.backend, {"cpu", "cpu-bf16", "reference"},
               "Fast kernels in f32 or bf16, or plain loops (slow)");
    return run_main(app, argc, argv, [&] {
        if (told_status(options)) return;
        options.command = command_of(argc, argv);
        options.parts.epsilon = options.epsilon;
        options.parts.seed = options.seed;
        const auto run_as = [&](const auto& protocol, auto network) {
            options.quick ? run_on(protocol, QuickNetwork{}, options) : run_on(protocol, network, options);
        };
        // The quick study runs on the embedded set whatever the environment says, unless told otherwise here.
        const bool asked = std::any_of(argv, argv + argc, [](std::string_view a) { return a.starts_with("--data"); });
        if (options.quick && !asked) options.data.clear();
        options.scale = options.scaled(options.quick ? quick : PaperScale{});
        options.protocol == "as-written" ? run_as(AsWritten{}, AsWritten::Network{})
                                         : run_as(options.as_run(), AsRun::Network{});
    });
}
