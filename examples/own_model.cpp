// Attacks, evaluates and studies a model that is not a network.
// links: command_line
#include <cmath>
#include <numeric>

#include <skewgrad/command_line.hpp>
#include <skewgrad/report.hpp>
#include <skewgrad/skewgrad.hpp>

using namespace skewgrad;
// The experiment: a nearest-mean classifier of contrasts f = (x - 1/2)^2, z_k = log n_k - sharpness |f - mean_k|^2. It
// learns from all images, and with each class reduced in turn: its mean hardly moves, but its prior log n_k falls.
constexpr float sharpness = 10;
constexpr float contrast(float x) { return (x - 0.5f) * (x - 0.5f); }
constexpr Sampler<Under> cut{.count = 100};
constexpr Embedded made{.train_per_class = 500, .test_per_class = 100};

/// logits(x) and pull_back(x, dz) are all that attacks, evaluation and studies ask for.
struct NearestMean {
    std::vector<std::vector<float>> weight;  // K x C H W: the means, scaled
    std::vector<float> bias;                 // K: the terms that do not depend on x
    xt::xtensor<float, 2> logits(const xt::xtensor<float, 4>& x) const {
        xt::xtensor<float, 2> z(std::array{x.shape()[0], weight.size()});
        for (std::size_t n = 0; n < x.shape()[0]; ++n)
            for (std::size_t k = 0; k < weight.size(); ++k)
                z(n, k) = std::inner_product(weight[k].begin(), weight[k].end(), &x(n, 0, 0, 0), bias[k], std::plus(),
                                             [](float w, float p) { return w * contrast(p); });
        return z;
    }
    xt::xtensor<float, 4> pull_back(const xt::xtensor<float, 4>& x, const xt::xtensor<float, 2>& dz) const {
        xt::xtensor<float, 4> g(x.shape(), 0.0f);
        for (std::size_t n = 0; n < x.shape()[0]; ++n)
            for (std::size_t k = 0; k < weight.size(); ++k)
                for (std::size_t i = 0; i < weight[k].size(); ++i)
                    (&g(n, 0, 0, 0))[i] += dz(n, k) * weight[k][i] * (2 * (&x(n, 0, 0, 0))[i] - 1);
        return g;
    }
};
/// The learner that trains the model in a study.
struct NearestMeanLearner {
    using ModelType = NearestMean;
    Learned<NearestMean> train(const TrainingSet& data, Seed, const TrainingObserver&) const {
        NearestMean m;
        for (int c = 0; c < data.fit.classes(); ++c) {
            const TrainingData own = data.fit.of_class(Label(c));
            const auto n = static_cast<float>(own.size()), scale = 2 * sharpness / n;
            auto& w = m.weight.emplace_back(static_cast<std::size_t>(own.shape().size()));
            for (std::size_t k = 0; k < own.size(); ++k)
                for (std::size_t i = 0; i < w.size(); ++i) w[i] += scale * contrast(byte_to_float[own.bytes(k)[i]]);
            m.bias.push_back(std::log(n) - std::inner_product(w.begin(), w.end(), w.begin(), 0.0f) / (4 * sharpness));
        }
        return {std::move(m), History{}};
    }
    nlohmann::json json() const { return {{"name", "nearest mean"}, {"sharpness", sharpness}}; }
};
int main(int argc, char** argv) {
    CLI::App app{"Studies a classifier written by hand, balanced and with each class cut"};
    CommonOptions options;
    add_common(app, options);
    for (const char* unused : {"--quick", "--out"}) app.remove_option(app.get_option(unused));
    return run_main(app, argc, argv, [&] {
        const Splits data = options.data.empty() ? made.load(options.threads) : Cifar10::load(options.data);
        Study<NearestMeanLearner, On<Sampler<Balanced>, Sampler<Under>>, From<SameModel>, By<Attack<FGSM>>> study{
            {}, {Sampler<Balanced>{}, cut}, {{.epsilon = options.epsilon}}, {.per_class = 0}, {}, {options.seed}};
        for (int c = 0; c < data.test.classes(); ++c) study.classes.push_back(Label(c));
        const StudyResults found = study.run(data);
        const auto cells = [&](claims::Kind kind) {
            return report::cells_of(found, claims::Method::fast, kind, Source::same_model);
        };
        const auto whole = cells(claims::Kind::balanced), reduced = cells(claims::Kind::under);
        Table table({{"class", Align::left}, {"whole"}, {"attacked"}, {"cut"}, {"attacked"}});
        for (std::size_t c = 0; c < study.classes.size(); ++c) {
            const auto a = report::summary(found, whole[c]), b = report::summary(found, reduced[c]);
            table.add({found.class_names[c], a.clean.value(), a.attacked.value(), b.clean.value(), b.attacked.value()});
        }
        std::cout << "Recall of each class, it whole and cut to " << cut.count << " images\n\n" << to_text(table);
    });
}
