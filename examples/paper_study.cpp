// links: command_line reference
// The study of Possas and Zhou: 22 networks, the 50 attack combinations of Table 1 and a column more, two protocols.
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include <skewgrad/command_line.hpp>
#include <skewgrad/command_line/study_display.hpp>
#include <skewgrad/reference.hpp>
#include <skewgrad/report.hpp>

using namespace skewgrad;

// What --quick trains instead of the paper's network, and at what scale.
struct QuickNetwork : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<2>, Conv<32>, Relu, MaxPool<2>,  //
                              Conv<32>, Relu, MaxPool<2>, Dense<64>, Relu, Dropout<25>, Dense<10>> {};
constexpr PaperScale quick{.per_class = 1100, .held_out = 100, .looks = 6, .test_images = 200, .learning_rate = 1e-3f};

struct Options : CommonOptions {
    std::string protocol = "as-written", under = "inferred", backend = "cpu";
    PaperScale scale;
};

// As many images a class as the scale says, of CIFAR-10 or the embedded set.
Splits load(const Options& options, const PaperScale& scale) {
    if (options.data.empty())
        return Embedded{.train_per_class = scale.per_class,
                        .test_per_class = scale.test_images ? scale.test_images : 1000}
            .load();
    Splits data = Cifar10::load(options.data);
    return {Sampler<Balanced>{.count = scale.per_class}(data.train, options.seed), data.test};
}

template <Backend B, class Protocol, ANetwork N>
void run(const Protocol& protocol, N, const Options& options, const PaperScale& scale) {
    const Splits data = load(options, scale);
    const typename B::Context on(options.threads);
    const auto study = paper_study<Protocol, B, N>(protocol, scale, options.epsilon, options.seed, on);
    Progress progress;
    StudyResults results = study.run(data, show_study(progress, data.test.class_names(), scale.looks));
    results.record = run_record(study, on, {{"protocol", Protocol::name}, {"data", data.train.name()}});
    std::cout << "The study of Possas and Zhou, " << Protocol::name << ", on " << data.train.name() << "\n\n";
    for (const auto& [title, table] : report::all_tables_and_claims(results, Embedded{}.similarity))
        std::cout << title << "\n\n" << to_text(table) << "\n";
    if (!options.out.empty()) report::write_study(results, options.out);
}

template <class Protocol, ANetwork N>
void run_on(const Protocol& protocol, N network, const Options& options, const PaperScale& scale) {
    if (options.backend == "cpu") run<Cpu<f32>>(protocol, network, options, scale);
    if (options.backend == "reference") run<Reference<float>>(protocol, network, options, scale);
}

int main(int argc, char** argv) {
    CLI::App app{"The study of Possas and Zhou on CIFAR-10, or on the embedded data set where no data are given"};
    Options options;
    add_common(app, options);
    add_choice(app, "--protocol", options.protocol, {"as-written", "as-run"}, "The paper's words, or its code");
    add_choice(app, "--as-run-under", options.under, {"inferred", "committed"}, "What stopped 'under' as run");
    add_choice(app, "--backend", options.backend, {"cpu", "reference"}, "Fast kernels, or plain loops (slow)");
    add_number(app, "--looks", options.scale.looks, 1, 200, "Looks at most");
    add_number(app, "--held-out", options.scale.held_out, 0, 4000, "As written: images a class held out");
    return run_main(app, argc, argv, [&] {
        // The quick study runs on the embedded set whatever the environment says, unless told otherwise here.
        const bool asked = std::any_of(argv, argv + argc, [](std::string_view a) { return a.starts_with("--data"); });
        if (options.quick && !asked) options.data.clear();
        if (!options.quick && options.scale.held_out == 0 && app.count("--looks") == 0)
            throw ValueError("--held-out 0 leaves nothing to stop by: it needs --looks N");
        const PaperScale scale = options.quick ? quick : options.scale;
        const AsRun as_run{.under = options.under == "committed" ? AsRunUnder::committed : AsRunUnder::inferred};
        if (options.protocol == "as-written")
            options.quick ? run_on(AsWritten{}, QuickNetwork{}, options, scale)
                          : run_on(AsWritten{}, AsWritten::Network{}, options, scale);
        else
            options.quick ? run_on(as_run, QuickNetwork{}, options, scale)
                          : run_on(as_run, AsRun::Network{}, options, scale);
    });
}
