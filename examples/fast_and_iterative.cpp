// Compares the fast and the iterative attack, up and down the loss, over a list of epsilons.
// links: command_line
#include <skewgrad/command_line.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>

using namespace skewgrad;

// The experiment. The fast attack computes one gradient for all its epsilons; the iterative one computes ten for each.
struct Net : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<4>, Conv<32>, Relu, MaxPool<4>, Dense<10>> {};
constexpr std::array epsilons{0.0f, 0.001f, 0.002f, 0.005f, 0.01f, 0.02f, 0.05f};
constexpr Attack<FGSM, Ascent> fast;
constexpr Attack<FGSM, Descent> towards;  // towards the true label: the images become easier
constexpr Attack<Iterative, Ascent> iterative{.steps = 10};
constexpr Attack<RandomSign> noise;  // a step of the same size that does not depend on the network
constexpr int attacked_per_class = 100;
constexpr Embedded made{.train_per_class = 330, .test_per_class = attacked_per_class};
constexpr Trainer trainer{Adam{.learning_rate = 2e-3f}, Recipe{.batch = 32, .rounds = 12, .updates_per_round = 90}};

int main(int argc, char** argv) {
    CLI::App app{"Trains one network and attacks it in four ways over a list of epsilons"};
    CommonOptions options;
    add_common(app, options);
    for (const char* unused : {"--quick", "--out", "--epsilon"}) app.remove_option(app.get_option(unused));

    return run_main(app, argc, argv, [&] {
        const Splits data = options.data.empty() ? made.load(options.threads) : Cifar10::load(options.data);
        const auto [fit, validation] = hold_out(data.train, {.per_class = 30, .seed = options.seed});
        Model<Net, Cpu<f32>> model{options.seed, Cpu<f32>::Context(options.threads)};
        Progress progress;
        TrainingDisplay display(progress);
        progress.begin("training",
                       static_cast<std::uint64_t>(trainer.recipe.rounds * trainer.recipe.updates_per_round));
        const History history = trainer.fit(model, fit, validation, std::ref(display));
        progress.finish("best round " + std::to_string(history.best_round));

        const auto count = std::min<std::size_t>(data.test.size(), std::size_t{10} * attacked_per_class);
        const auto x = data.test.images(0, count);
        auto y = data.test.labels();
        y.resize(count);
        const auto right = [&](const xt::xtensor<float, 4>& images) {
            return 100 * evaluate(model, images, y).accuracy().value();
        };

        const auto up = fast(model, x, y, epsilons), down = towards(model, x, y, epsilons);
        Table table({{.title = "epsilon", .decimals = 3},
                     {.title = "fast %", .decimals = 1},
                     {.title = "iterative %", .decimals = 1},
                     {.title = "fast, descent %", .decimals = 1},
                     {.title = "random sign %", .decimals = 1}});
        for (std::size_t i = 0; i < epsilons.size(); ++i) {
            auto steps = iterative;
            auto random = noise;
            steps.epsilon = random.epsilon = epsilons[i];
            table.add(
                {epsilons[i], right(up[i]), right(steps(model, x, y)), right(down[i]), right(random(model, x, y))});
        }
        table.add({"gradients", 1, iterative.steps * static_cast<int>(epsilons.size()), 1, 0});
        std::cout << "Accuracy on " << count << " test images, and how many gradients each column took\n\n"
                  << to_text(table);
    });
}
