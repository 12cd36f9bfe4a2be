// links: command_line
// The paper's network trained in f32 and in bf16 from the same seeds on the same images, in pairs: what bf16 costs in
// test accuracy, and on which pixels the two precisions' input gradients have the same sign.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/command_line.hpp>
#include <skewgrad/evaluate/student_t.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>
#include <skewgrad/store/network_file.hpp>

#include "../worker.hpp"
#include "subjects.hpp"

using namespace skewgrad;

namespace {

using Net = training::PaperNetwork;

struct Options {
    worker::Settings settings{};
    int seeds = 3, rounds = 12, per_class = 5000;
    std::filesystem::path folder = "runs/precisions";
};

/// Trained as the study trains its balanced network: a tenth held out, the best round's weights. A network that lies in
/// the folder already is not trained again.
template <class B>
Model<Net, B> trained(const Options& options, const Splits& data, Seed seed, Progress& progress) {
    const std::string title = B::name() + ", seed " + std::to_string(seed.value);
    const auto file = options.folder / (B::name() + "-seed" + std::to_string(seed.value) + "-rounds" +
                                        std::to_string(options.rounds) + ".safetensors");
    Model<Net, B> model(seed, typename B::Context(options.settings.threads));
    const Notes notes{{"data", data.train.name()}, {"images", std::to_string(data.train.size())}};
    if (std::filesystem::exists(file)) {
        load_parameters(model, file, notes);
        progress.note(title + ": from " + file.string());
        return model;
    }
    const auto [fit, validation] = hold_out(data.train, {.per_class = options.per_class / 10, .seed = seed});
    const int updates = std::max(1, static_cast<int>(fit.size()) / 32);
    const Trainer trainer{RmsProp{.learning_rate = 1e-4f, .decay = 1e-5f},
                          Recipe{.batch = 32, .rounds = options.rounds, .updates_per_round = updates}};
    TrainingDisplay display(progress);
    progress.begin(title, static_cast<std::uint64_t>(options.rounds) * static_cast<std::uint64_t>(updates));
    const History history = trainer.fit(model, fit, validation, std::ref(display));
    progress.finish("best round " + std::to_string(history.best_round));
    save_parameters(model, file, notes);
    return model;
}

/// Shares of pixels, in percent, on whose gradient's sign both precisions agree for the same weights.
struct Agreement {
    double all, large;  ///< large: of magnitudes above the image's median in f32
};
Agreement agreement(const Model<Net, Cpu<f32>>& model, const TestData& test) {
    const Model<Net, Cpu<bf16>> twin(model, Cpu<bf16>::Context(model.context().threads()));
    const auto x = test.images();
    const auto y = test.labels();
    const auto exact = model.input_gradient(x, y), rounded = twin.input_gradient(x, y);
    const std::size_t pixels = exact.size() / test.size();
    const auto sign = [](float v) { return (v > 0) - (v < 0); };
    std::array<std::int64_t, 2> same{}, of{};
    for (std::size_t n = 0; n < test.size(); ++n) {
        const float *a = exact.data() + n * pixels, *b = rounded.data() + n * pixels;
        std::vector<float> sizes(pixels);
        std::transform(a, a + pixels, sizes.begin(), [](float v) { return std::abs(v); });
        const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(pixels / 2);
        std::nth_element(sizes.begin(), middle, sizes.end());
        for (std::size_t i = 0; i < pixels; ++i)
            for (const std::size_t kind : {0u, 1u}) {
                if (kind == 1 && !(std::abs(a[i]) > *middle)) continue;
                ++of[kind];
                same[kind] += sign(a[i]) == sign(b[i]);
            }
    }
    return {100 * Ratio{same[0], of[0]}.value(), 100 * Ratio{same[1], of[1]}.value()};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Trains the paper's network in f32 and in bf16 from the same seeds, and compares"};
    Options options;
    worker::add_settings(app, options.settings);
    add_number(app, "--seeds", options.seeds, 2, 100, "Pairs of networks: seeds 1, 2, ...");
    add_number(app, "--rounds", options.rounds, 1, 200, "Rounds that each network trains");
    add_number(app, "--per-class", options.per_class, 10, 5000, "Training images a class, of the embedded set");
    app.add_option("--networks", options.folder, "Where trained networks are kept, and found again")
        ->capture_default_str();
    return run_main(app, argc, argv, [&] {
        const Splits data = worker::images(options.settings, options.per_class);
        if (!options.settings.data.empty()) options.per_class = static_cast<int>(data.train.size()) / Net::classes;
        make_folder(options.folder);
        std::vector<std::uint32_t> first(std::min<std::size_t>(1000, data.test.size()));
        std::iota(first.begin(), first.end(), 0u);
        const TestData some = data.test.of_items(first);

        Progress progress;
        Table table({{.title = "seed"},
                     {.title = "f32, %", .decimals = 2},
                     {.title = "bf16, %", .decimals = 2},
                     {.title = "bf16 less f32, points", .decimals = 2},
                     {.title = "signs that agree, %", .decimals = 2},
                     {.title = "above the median, %", .decimals = 2}});
        std::vector<double> differences;
        for (int s = 1; s <= options.seeds; ++s) {
            const Seed seed{static_cast<std::uint64_t>(s)};
            const auto exact = trained<Cpu<f32>>(options, data, seed, progress);
            const auto rounded = trained<Cpu<bf16>>(options, data, seed, progress);
            const double a = 100 * evaluate(exact, data.test).accuracy().value(),
                         b = 100 * evaluate(rounded, data.test).accuracy().value();
            const Agreement signs = agreement(exact, some);
            differences.push_back(b - a);
            table.add({s, a, b, b - a, signs.all, signs.large});
        }
        const MeanEstimate mean = mean_estimate(differences);
        std::cout << to_text(table) << "\nTest accuracy on " << data.test.size() << " images of " << data.test.name()
                  << "; bf16 runs on " << Cpu<bf16>::Context(1).description() << ". Mean difference "
                  << fixed(mean.mean, 2) << " points, Student's 95 % interval " << fixed(mean.interval.low, 2) << " to "
                  << fixed(mean.interval.high, 2) << ".\n";
    });
}
