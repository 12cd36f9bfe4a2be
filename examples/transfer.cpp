// Measures how much of an attack transfers from one network to another.
// links: command_line
#include <skewgrad/command_line.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>

using namespace skewgrad;

// The experiment: three networks, each attacked with its own gradient and with those of the others.
struct Net : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<4>, Conv<32>, Relu, MaxPool<4>, Dense<10>> {};
using Victim = Model<Net, Cpu<f32>>;
constexpr Label skewed{3};
constexpr int ratio = 5;
constexpr int attacked_per_class = 100;
constexpr Embedded made{.train_per_class = 330, .test_per_class = attacked_per_class};
constexpr Trainer trainer{Adam{.learning_rate = 2e-3f}, Recipe{.batch = 32, .rounds = 12, .updates_per_round = 90}};

int main(int argc, char** argv) {
    CLI::App app{"Attacks each of three networks with the gradients of all three"};
    CommonOptions options;
    add_common(app, options);
    for (const char* unused : {"--quick", "--out"}) app.remove_option(app.get_option(unused));

    return run_main(app, argc, argv, [&] {
        const Splits data = options.data.empty() ? made.load(options.threads) : Cifar10::load(options.data);
        const auto [fit, validation] = hold_out(data.train, {.per_class = 30, .seed = options.seed});
        const int few = static_cast<int>(fit.of_class(skewed).size()) / ratio;
        const Seed same = options.seed, other{options.seed.value + 1};
        const auto& skewed_name = data.train.class_names()[static_cast<std::size_t>(index(skewed))];

        const std::array<std::string, 3> names{"balanced", "other seed", skewed_name + " cut"};
        std::vector<Victim> networks;
        Progress progress;
        const auto train = [&](Seed seed, const TrainingData& images) {
            networks.emplace_back(seed, Victim::Context(options.threads));
            TrainingDisplay display(progress);
            progress.begin(names[networks.size() - 1],
                           static_cast<std::uint64_t>(trainer.recipe.rounds * trainer.recipe.updates_per_round));
            const History history = trainer.fit(networks.back(), images, validation, std::ref(display));
            progress.finish("best round " + std::to_string(history.best_round));
        };
        train(same, fit);
        train(other, fit);
        train(same, Sampler<Under>{.skewed_class = skewed, .count = few}(fit, same));

        const auto count = std::min<std::size_t>(data.test.size(), std::size_t{10} * attacked_per_class);
        const auto x = data.test.images(0, count);
        auto y = data.test.labels();
        y.resize(count);
        const Attack<FGSM, Ascent> attack{.epsilon = options.epsilon};
        const Attack<RandomSign> noise{.epsilon = options.epsilon};

        std::vector<TableColumn> columns{{.title = "victim", .align = Align::left},
                                         {.title = "clean %", .decimals = 1},
                                         {.title = "noise %", .decimals = 1}};
        for (const std::string& name : names) columns.push_back({.title = "from " + name + " %", .decimals = 1});
        Table table(columns);
        std::vector<xt::xtensor<float, 4>> adversarial;
        for (const Victim& source : networks) adversarial.push_back(attack(source, x, y));
        for (std::size_t v = 0; v < networks.size(); ++v) {
            const auto right = [&](const auto& images) {
                return 100 * evaluate(networks[v], images, y).accuracy().value();
            };
            std::vector<TableCell> row{names[v], right(x), right(noise(networks[v], x, y))};
            for (const auto& images : adversarial) row.emplace_back(right(images));
            table.add(std::move(row));
        }
        std::cout << "Accuracy on " << count << " test images, epsilon " << fixed(options.epsilon, 3) << "\n\n"
                  << to_text(table);
    });
}
