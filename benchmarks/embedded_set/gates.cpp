// links: command_line
// The gates that froze the embedded set's constants: seven properties, measured on balanced networks alone.
#include <array>
#include <cmath>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/command_line.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>
#include <skewgrad/study/paper_networks.hpp>

using namespace skewgrad;

namespace {

// About the middle of the pixels' range: so many weights that pull one way would else never come to rest.
struct Middle {
    static constexpr std::array<float, 3> mean{.5f, .5f, .5f}, deviation{.25f, .25f, .25f};
};
struct LinearNetwork : Network<Image<3, 32, 32>, Normalize<Middle>, Dense<10>> {};

struct Gates {
    int rounds, per_class, threads;
    Seed seed;
    Progress progress{};
    Table table{{{.title = "gate", .align = Align::left},
                 {.title = "wanted", .align = Align::left},
                 {.title = "seen", .align = Align::left},
                 {.title = "holds", .align = Align::left}}};
    bool all_hold = true;

    void judge(const std::string& gate, const std::string& wanted, const std::string& seen, bool holds) {
        progress.note("gate " + gate + ": " + seen + (holds ? "" : " (wanted: " + wanted + ")"));
        table.add({gate, wanted, seen, holds ? "yes" : "NO"});
        all_hold = all_hold && holds;
    }
    /// A network trained on balanced images, on one in `divide` of them; the rounds are those of a set `rounds_of`
    /// times as large as what it is trained on.
    template <ANetwork N>
    Model<N, Cpu<f32>> train(const std::string& title, const Splits& data, int divide, int rounds_of, float decay,
                             int of_looks) {
        const auto [fit, validation] = hold_out(data.train, {.per_class = per_class / 10, .seed = seed});
        const auto some = Sampler<Balanced>{.count = (per_class - per_class / 10) / divide}(fit, seed);
        Model<N, Cpu<f32>> model(seed, Cpu<f32>::Context(threads));
        const int updates = std::max(1, static_cast<int>(some.size()) * rounds_of / 32);
        const Trainer trainer{RmsProp{.learning_rate = 1e-4f, .decay = decay},
                              Recipe{.batch = 32, .rounds = of_looks, .updates_per_round = updates}};
        TrainingDisplay display(progress);
        progress.begin(title, static_cast<std::uint64_t>(of_looks) * static_cast<std::uint64_t>(updates));
        const History history = trainer.fit(model, some, validation, std::ref(display));
        std::string accuracies;
        for (const Round& round : history.rounds) accuracies += ", " + fixed(100 * round.validation_accuracy, 2);
        progress.finish("held out, round by round: " + accuracies.substr(2) + " %");
        return model;
    }
};

double macro(const Confusion& c) { return 100 * c.macro_recall().value; }

/// Share of images of each pair whose answer, taken among the pair's two logits, is the right member.
template <class M>
std::array<double, 5> within_pairs(const M& model, const TestData& test) {
    const auto z = model.logits(test);
    std::array<double, 5> right{}, all{};
    for (std::size_t i = 0; i < test.size(); ++i) {
        const auto y = static_cast<std::size_t>(index(test.label(i))), pair = y / 2, first = 2 * pair;
        const std::size_t said = z(i, first + 1) > z(i, first) ? first + 1 : first;
        right[pair] += said == y;
        all[pair] += 1;
    }
    for (std::size_t p = 0; p < 5; ++p) right[p] /= all[p];
    return right;
}

template <class M>
void attacked(Gates& gates, const M& model, const TestData& test, double clean) {
    const auto x = test.images();
    const auto labels = test.labels();
    std::string seen;
    double before = clean, relative = 0;
    bool falls = true;
    for (const float epsilon : {.0025f, .005f, .01f, .02f}) {
        const double left = macro(evaluate(model, Attack<FGSM>{.epsilon = epsilon}(model, x, labels), labels));
        if (epsilon == .01f) relative = 100 * (clean - left) / clean;
        falls = falls && left < before;
        before = left;
        seen += " " + fixed(left, 1);
    }
    gates.judge("4 fast method", "relative difference 40 to 85 % at .01, falling over .0025 to .02",
                fixed(relative, 1) + " %;" + seen, relative >= 40 && relative <= 85 && falls);
}

template <class M>
void noisy(Gates& gates, const M& model, const TestData& test, double clean) {
    const auto labels = test.labels();
    const double left =
        macro(evaluate(model, Attack<RandomSign>{.epsilon = .01f}(model, test.images(), labels), labels));
    gates.judge("5 random signs at .01", "below 2 points", fixed(clean - left, 2), clean - left < 2);
}

template <class M>
void within(Gates& gates, const M& model, const TestData& test) {
    const auto ladder = within_pairs(model, test);
    bool grows = true;
    std::string errors;
    for (std::size_t p = 0; p < ladder.size(); ++p) {
        grows = grows && (p == 0 || ladder[p] < ladder[p - 1]);
        errors += (p == 0 ? "" : " ") + fixed(100 * (1 - ladder[p]), 1);
    }
    gates.judge("6a errors within pairs, %", "grow with similarity", errors, grows);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures the gates of the embedded data set on the paper's network"};
    CommonOptions options;
    add_common(app, options);
    int rounds = 4, per_class = 5000;
    std::string only = "1234567";
    add_number(app, "--rounds", rounds, 1, 200, "Rounds that each network trains");
    add_number(app, "--per-class", per_class, 100, 5000, "Training images a class");
    app.add_option("--only", only, "The gates to measure")->type_name("DIGITS")->capture_default_str();
    return run_main(app, argc, argv, [&] {
        using Net = AsWrittenNetwork;
        Gates gates{.rounds = rounds, .per_class = per_class, .threads = options.threads, .seed = options.seed};
        const auto wanted = [&](char gate) { return only.find(gate) != only.npos; };
        const Splits data = Embedded{.train_per_class = per_class}.load(options.threads);

        if (wanted('3')) {
            // Steps become small: what counts is the best such network.
            const auto linear = gates.train<LinearNetwork>("linear softmax", data, 1, 1, 1e-3f, std::max(rounds, 8));
            const double straight = macro(evaluate(linear, data.test));
            gates.judge("3 linear softmax on pixels", "at most 45 %", fixed(straight, 2) + " %", straight <= 45);
        }
        if (only != "3") {
            const auto model = gates.train<Net>("balanced", data, 1, 1, 1e-5f, rounds);
            const double clean = macro(evaluate(model, data.test));
            gates.judge("1 clean accuracy", "80 to 90 %", fixed(clean, 2) + " %", clean >= 80 && clean <= 90);
            if (wanted('4')) attacked(gates, model, data.test, clean);
            if (wanted('5')) noisy(gates, model, data.test, clean);
            if (wanted('6')) within(gates, model, data.test);
            if (wanted('7')) {
                const Splits mirrored = Embedded{.train_per_class = 1, .mirrored_test = true}.load(options.threads);
                const double reversed = macro(evaluate(model, mirrored.test));
                gates.judge("7 mirrored test set", "the same +- 1", fixed(reversed, 2) + " %",
                            std::abs(reversed - clean) <= 1);
            }
            if (wanted('2')) {
                // A study of so few images: its rounds are shorter too. With the updates of the whole set: for
                // comparison.
                const double less = macro(evaluate(gates.train<Net>("a fifth", data, 5, 1, 1e-5f, rounds), data.test));
                gates.judge("2 a fifth of the images", "5 points less", fixed(less, 2) + " %", clean - less >= 5);
                const double longer =
                    macro(evaluate(gates.train<Net>("a fifth, all updates", data, 5, 5, 1e-5f, rounds), data.test));
                gates.progress.note("a fifth of the images, as many updates as all: " + fixed(longer, 2) + " %");
            }
        }
        if (wanted('6')) {
            const Splits same =
                Embedded{.similarity = every_pair(1), .train_per_class = per_class}.load(options.threads);
            const auto blind = gates.train<Net>("similarity 1", same, 1, 1, 1e-5f, rounds);
            double pooled = 0;
            for (const double p : within_pairs(blind, same.test)) pooled += 20 * p;
            gates.judge("6b within pairs at similarity 1", "50 % +- 2", fixed(pooled, 2) + " %",
                        std::abs(pooled - 50) <= 2);
        }
        std::cout << to_text(gates.table);
        return gates.all_hold ? 0 : 1;
    });
}
