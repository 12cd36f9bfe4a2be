// A learner of a user's own for the tests of studies: it knows each class's mean image, and answers the nearest.
#pragma once
#include <cmath>
#include <cstddef>
#include <vector>

#include <skewgrad/study/learner.hpp>

#include "nn/cross_entropy.hpp"

/// Logits -20 |x - mean_k|^2, with their own input gradient: no network, no backend.
struct MeansModel {
    std::vector<std::vector<double>> means;

    xt::xtensor<float, 2> logits(const xt::xtensor<float, 4>& x) const {
        const std::size_t pixels = x.size() / x.shape()[0];
        auto z = xt::xtensor<float, 2>::from_shape({x.shape()[0], means.size()});
        for (std::size_t n = 0; n < x.shape()[0]; ++n)
            for (std::size_t k = 0; k < means.size(); ++k) {
                double sum = 0;
                for (std::size_t e = 0; e < pixels; ++e) {
                    const double d = x.data()[n * pixels + e] - means[k][e];
                    sum += d * d;
                }
                z(n, k) = static_cast<float>(-20 * sum / static_cast<double>(pixels));
            }
        return z;
    }
    xt::xtensor<float, 4> input_gradient(const xt::xtensor<float, 4>& x, std::span<const skewgrad::Label> y) const {
        const auto z = logits(x);
        const std::size_t pixels = x.size() / x.shape()[0], classes = means.size();
        auto dx = xt::xtensor<float, 4>::from_shape(x.shape());
        std::vector<float> dz(classes);
        for (std::size_t n = 0; n < x.shape()[0]; ++n) {
            skewgrad_tests::CrossEntropyOfRow::gradient(z.data() + n * classes, static_cast<int>(classes), y[n], 1.0,
                                                        dz.data());
            for (std::size_t e = 0; e < pixels; ++e) {
                double sum = 0;
                for (std::size_t k = 0; k < classes; ++k)
                    sum += dz[k] * -40 * (x.data()[n * pixels + e] - means[k][e]) / static_cast<double>(pixels);
                dx.data()[n * pixels + e] = static_cast<float>(sum);
            }
        }
        return dx;
    }
};

struct MeansLearner {
    using ModelType = MeansModel;
    int* trained = nullptr;  ///< counts trainings

    skewgrad::Learned<MeansModel> train(const skewgrad::TrainingSet& data, skewgrad::Seed,
                                        const skewgrad::TrainingObserver&) const {
        if (trained) ++*trained;
        const auto x = data.fit.images();
        const auto labels = data.fit.labels();
        const std::size_t pixels = x.size() / x.shape()[0];
        MeansModel model{std::vector<std::vector<double>>(static_cast<std::size_t>(data.fit.classes()),
                                                          std::vector<double>(pixels))};
        const auto counts = data.fit.counts();
        for (std::size_t n = 0; n < labels.size(); ++n) {
            const auto k = static_cast<std::size_t>(skewgrad::index(labels[n]));
            for (std::size_t e = 0; e < pixels; ++e) model.means[k][e] += x.data()[n * pixels + e] / counts[k];
        }
        skewgrad::History history;
        history.rounds.push_back({.round = 1});
        history.best_round = 1;
        history.stop = skewgrad::Stop::rounds;
        return {model, history};
    }
    nlohmann::json json() const { return {{"name", "class means"}}; }
};
