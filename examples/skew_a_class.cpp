// Shows how fewer training images of one class change its accuracy.
// links: command_line
#include <skewgrad/command_line.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>

using namespace skewgrad;

// The experiment: one small network, trained on six samples of the same images, with the same number of updates each.
struct Net : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<4>, Conv<32>, Relu, MaxPool<4>, Dense<10>> {};
constexpr Label skewed{3};
constexpr int ratio = 5;  // the larger count over the smaller
constexpr int held_out = 30;
constexpr Embedded made{.train_per_class = 330, .test_per_class = 100};
constexpr Trainer trainer{Adam{.learning_rate = 2e-3f}, Recipe{.batch = 32, .rounds = 14, .updates_per_round = 90}};

struct Row {
    const char* name;
    TrainingData sample;
};

int main(int argc, char** argv) {
    CLI::App app{"Trains one network on six class distributions and shows what each does to the skewed class"};
    CommonOptions options;
    add_common(app, options);
    for (const char* unused : {"--quick", "--out", "--epsilon"}) app.remove_option(app.get_option(unused));

    return run_main(app, argc, argv, [&] {
        const Splits data = options.data.empty() ? made.load(options.threads) : Cifar10::load(options.data);
        const auto [fit, validation] = hold_out(data.train, {.per_class = held_out, .seed = options.seed});
        const int all = static_cast<int>(fit.of_class(skewed).size()), few = all / ratio;
        const auto& name = data.train.class_names()[static_cast<std::size_t>(index(skewed))];

        const Seed seed = options.seed;
        const TrainingData under = Sampler<Under>{.skewed_class = skewed, .count = few}(fit, seed);
        const std::vector<Row> rows = {
            {"balanced", Sampler<Balanced>{}(fit, seed)},
            {"under: the class cut", under},
            {"cut, then repeated", Sampler<Replicate>{.skewed_class = skewed, .count = all}(under, seed)},
            {"over: all others cut", Sampler<Over>{.skewed_class = skewed, .count = few}(fit, seed)},
            {"balanced, all cut", Sampler<Balanced>{.count = few}(fit, seed)},
            {"long tail", Sampler<LongTail>{.ratio = 4.0 * ratio}(fit, seed)},
        };

        Table table({{.title = "trained on", .align = Align::left},
                     {.title = "images"},
                     {.title = "of " + name},
                     {.title = "recall of " + name + " %", .decimals = 1},
                     {.title = "of the others %", .decimals = 1},
                     {.title = "precision of " + name + " %", .decimals = 1}});
        Progress progress;
        for (const Row& row : rows) {
            Model<Net, Cpu<f32>> model{seed, Cpu<f32>::Context(options.threads)};
            TrainingDisplay display(progress);
            progress.begin(row.name,
                           static_cast<std::uint64_t>(trainer.recipe.rounds * trainer.recipe.updates_per_round));
            const History history = trainer.fit(model, row.sample, validation, std::ref(display));
            progress.finish("best round " + std::to_string(history.best_round));

            const Confusion said = evaluate(model, data.test);
            const double mine = said.recall(skewed).value();
            const double others = (said.macro_recall().value * said.classes() - mine) / (said.classes() - 1);
            const Ratio precision = said.precision(skewed);
            table.add({row.name, row.sample.size(), row.sample.counts()[static_cast<std::size_t>(index(skewed))],
                       100 * mine, 100 * others,
                       precision.defined() ? TableCell(100 * precision.value()) : TableCell()});
        }
        std::cout << to_text(table);
    });
}
