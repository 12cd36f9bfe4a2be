// Trains the paper's network on CIFAR-10, round by round, and attacks it. The training can be stopped and continued.
#include <skewgrad/command_line.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>
#include <skewgrad/study/paper_networks.hpp>

using namespace skewgrad;

// The experiment.
using Net = AsWrittenNetwork;
using Victim = Model<Net, Cpu<f32>>;
constexpr Trainer trainer{RmsProp{.learning_rate = 1e-4f, .decay = 1e-5f}, Recipe{.batch = 32, .patience = 10}};
constexpr HoldOut hold{.per_class = 500, .seed = Seed{1}};

int main(int argc, char** argv) {
    CLI::App app{"Trains the network of Possas and Zhou on CIFAR-10 and attacks it with the fast gradient sign method"};
    CommonOptions options;
    add_common(app, options);
    app.remove_option(app.get_option("--quick"));
    int rounds = 12;
    add_number(app, "--rounds", rounds, 1, trainer.recipe.rounds,
               "Stop after so many rounds (of 1,406 updates); --out continues");

    return run_main(app, argc, argv, [&] {
        const Splits data = Cifar10::load(required_data(options));
        const auto [fit, validation] = hold_out(data.train, {.per_class = hold.per_class, .seed = options.seed});
        Victim model{options.seed, Victim::Context(options.threads)};
        auto session = trainer.session(model, fit, validation);
        std::filesystem::path checkpoint;
        if (!options.out.empty()) {
            make_folder(options.out);
            checkpoint = options.out / "training.safetensors";
            if (is_there(checkpoint)) session.load(checkpoint);
        }

        Progress progress;
        TrainingDisplay display(progress);
        const auto per_look = static_cast<std::uint64_t>(session.recipe().updates_per_round);
        const auto wanted = static_cast<std::size_t>(rounds);
        progress.begin("training", wanted * per_look, session.history().rounds.size() * per_look);
        while (!session.finished() && session.history().rounds.size() < wanted) {
            const Round round = session.advance(std::ref(display));
            progress.note("round " + std::to_string(round.round) + ": training loss " + fixed(round.train_loss, 4) +
                          ", validation loss " + fixed(round.validation_loss, 4) + ", accuracy " +
                          format_share(round.validation_accuracy));
            if (!checkpoint.empty()) session.save(checkpoint);
        }
        session.take_best();
        progress.finish("best round " + std::to_string(session.history().best_round));

        const Attack<FGSM, Ascent> attack{.epsilon = options.epsilon};
        const auto clean = evaluate(model, data.test);
        Table table({{.title = "class"}, {.title = "clean %", .decimals = 1}, {.title = "attacked %", .decimals = 1}});
        Confusion after(data.test.classes());
        for (int c = 0; c < data.test.classes(); ++c) {
            const auto images = data.test.of_class(Label(c));
            after += evaluate(model, attack(model, images.images(), images.labels()), images.labels());
            table.add({images.class_names()[static_cast<std::size_t>(c)], 100 * clean.recall(Label(c)).value(),
                       100 * after.recall(Label(c)).value()});
        }
        table.add({"all", 100 * clean.accuracy().value(), 100 * after.accuracy().value()});
        std::cout << to_text(table);
        if (!options.out.empty()) save_parameters(model, options.out / "network.safetensors");
    });
}
