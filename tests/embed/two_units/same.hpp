// The computation that both units do, seen by each through its own flags.
#pragma once
#include <skewgrad/skewgrad.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "bits.hpp"

// Internal linkage: each unit has its own, built with its own flags.
namespace {

using namespace skewgrad;

struct Small : Network<Image<3, 32, 32>, Conv<8>, Relu, MaxPool<2>, Dense<10>> {};

struct Statistics {
    static constexpr std::array<float, 3> mean{0.4914f, 0.4822f, 0.4465f}, deviation{0.247f, 0.2435f, 0.2616f};
};
// One layer of each kind, a branch, channels that fill no vector, classes that fill none.
struct Tiny : Network<Image<3, 8, 8>, Normalize<Statistics>, Conv<20>, Relu, Residual<Conv<20>, Relu>, MaxPool<2>,
                      Dropout<25>, Conv<8>, Relu, Dense<17>, Relu, Dropout<50>, Dense<5>> {};

template <class Numbers>
std::vector<std::uint32_t> bits_of(const Numbers& numbers) {
    std::vector<std::uint32_t> bits;
    for (const auto x : numbers) {
        using Words = std::array<std::uint32_t, sizeof x / sizeof(std::uint32_t)>;
        for (const std::uint32_t word : std::bit_cast<Words>(x)) bits.push_back(word);
    }
    return bits;
}

/// 12 images a class of bytes that repeat with no short period.
std::shared_ptr<const ImageStore> small_images() {
    std::vector<std::uint8_t> bytes;
    std::vector<Label> labels;
    for (std::uint32_t item = 0; item < 60; ++item) {
        labels.push_back(Label(static_cast<std::uint16_t>(item % 5)));
        for (std::uint32_t e = 0; e < 3 * 8 * 8; ++e)
            bytes.push_back(static_cast<std::uint8_t>((item % 5 * 40 + (item * 193 + e) * 2654435761u % 97) & 255u));
    }
    return make_store("small images", Shape{3, 8, 8}, std::move(bytes), std::move(labels));
}

/// Data, samples and initial weights.
void prepare(int threads, Found& found) {
    const auto data = Embedded{.train_per_class = 30, .test_per_class = 2}.load(threads);
    const auto parts = hold_out(data.train, {.per_class = 10, .seed = Seed{7}});
    const auto skewed = Sampler<Under>{.skewed_class = Label{3}, .count = 9}(parts.fit, Seed{7});
    found.push_back({"sample", skewed.items()});
    found.push_back({"embedded images", bits_of(skewed.images())});
    std::vector<float> weights(Small::state_size);
    initialise<Small, float>(Seed{7}, weights);
    found.push_back({"initial weights", bits_of(weights)});
}

/// A training by each optimiser, and attacks on what came of it.
template <class Optimiser>
void train_and_attack(const char* name, const Optimiser& optimiser, int threads, Found& found) {
    const auto keep = [&](const char* what, std::vector<std::uint32_t> bits) {
        found.push_back({std::string(name) + ", " + what, std::move(bits)});
    };
    const TrainingData all(small_images());
    const auto [fit, validation] = hold_out(all, {.per_class = 2, .seed = Seed{5}});
    Model<Tiny, Cpu<f32>> model(Seed{5}, Cpu<f32>::Context(threads));
    const Trainer trainer{optimiser, Recipe{.batch = 7, .rounds = 4, .patience = 4, .flips = true}};
    const History history = trainer.fit(model, fit, validation);
    std::vector<double> losses;
    for (const Round& round : history.rounds) losses.insert(losses.end(), {round.train_loss, round.validation_loss});
    keep("losses", bits_of(losses));
    keep("parameters", bits_of(model.parameters()));

    const TestData test(small_images());
    const xt::xtensor<float, 4> images = test.images();
    const std::vector<Label> labels = test.labels();
    keep("logits", bits_of(model.logits(images)));
    keep("input gradient", bits_of(model.input_gradient(images, labels)));
    keep("parameter gradient", bits_of(model.parameter_gradient(images, labels)));
    const auto fast = Attack<FGSM, Ascent>{.epsilon = 0.03f}(model, images, labels);
    keep("fast images", bits_of(fast));
    keep("logits of fast images", bits_of(model.logits(fast)));
    const auto repeated = Attack<Iterative, Descent>{.epsilon = 0.03f, .steps = 5}(model, images, labels);
    keep("iterative images", bits_of(repeated));
    keep("logits of iterative images", bits_of(model.logits(repeated)));
    std::vector<double> measures;
    for (const Outcome& o : outcomes_of(model.logits(fast), labels))
        measures.insert(measures.end(), {double{o.margin}, double{o.loss}, double{o.confidence}});
    keep("outcomes", bits_of(measures));
}

Found compute(int threads) {
    Found found;
    prepare(threads, found);
    train_and_attack("RmsProp", RmsProp{.learning_rate = 1e-3f, .decay = 1e-5f}, threads, found);
    train_and_attack("Adam", Adam{.learning_rate = 1e-3f}, threads, found);
    train_and_attack("Sgd", Sgd{.learning_rate = 0.02f, .momentum = 0.9f, .weight_decay = 1e-4f}, threads, found);
    return found;
}

}  // namespace
