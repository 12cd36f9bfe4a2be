// What every consumer builds: a network as a type, trained on a skewed sample, attacked, evaluated, written and read.
#include <skewgrad/skewgrad.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace skewgrad;

struct Tiny : Network<Image<3, 8, 8>, Conv<8>, Relu, MaxPool<2>, Dropout<25>, Dense<3>> {};
static_assert(Tiny::parameter_count == 8 * 3 * 9 + 8 + 8 * 4 * 4 * 3 + 3);

namespace {

/// Three classes, 20 images each: a bright channel says which.
Splits small_images() {
    std::vector<std::uint8_t> bytes;
    std::vector<Label> labels;
    for (unsigned item = 0; item < 60; ++item) {
        labels.push_back(Label(static_cast<std::uint16_t>(item % 3)));
        for (unsigned e = 0; e < 3 * 64; ++e)
            bytes.push_back(static_cast<std::uint8_t>((e / 64 == item % 3 ? 150 : 40) + (item * 31 + e * 17) % 64));
    }
    const auto store = make_store("small images", Shape{3, 8, 8}, std::move(bytes), std::move(labels));
    return {TrainingData(store), TestData(store)};
}

bool right() {
    const Splits data = small_images();
    const auto [fit, validation] = hold_out(data.train, {.per_class = 5, .seed = Seed{7}});
    const auto skewed = Sampler<Under>{.skewed_class = Label{1}, .count = 6}(fit, Seed{7});
    if (skewed.counts() != std::vector<int>{15, 6, 15}) return false;

    Model<Tiny, Cpu<f32>> model(Seed{7}, Cpu<f32>::Context(2));
    const Trainer trainer{RmsProp{.learning_rate = 1e-2f}, Recipe{.batch = 8, .rounds = 20, .patience = 20}};
    trainer.fit(model, skewed, validation);
    const auto images = data.test.images();
    const auto labels = data.test.labels();
    const auto up = Attack<FGSM, Ascent>{.epsilon = 0.3f}(model, images, labels);
    const auto down = Attack<Iterative, Descent>{.epsilon = 0.3f}(model, images, labels);
    const double clean = evaluate(model, images, labels).accuracy().value();
    const double worse = evaluate(model, up, labels).accuracy().value();
    const double better = evaluate(model, down, labels).accuracy().value();
    std::printf("%.3f right; %.3f up the gradient, %.3f down\n", clean, worse, better);
    if (!(clean > 0.9 && worse < clean && better >= clean)) return false;

    char pattern[] = "/tmp/consumer.XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(pattern);
    save_parameters(model, folder / "tiny.safetensors");
    Model<Tiny, Cpu<f32>> again(Seed{8});
    load_parameters(again, folder / "tiny.safetensors");
    std::filesystem::remove_all(folder);
    return again.parameters() == model.parameters();
}

}  // namespace

int main() try {
    const bool all = right();
    std::printf("%s\n", all ? "right" : "wrong");
    return all ? 0 : 1;
} catch (const std::exception& problem) {
    std::printf("%s\n", problem.what());
    return 1;
}
