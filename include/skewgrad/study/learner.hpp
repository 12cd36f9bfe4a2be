// What trains: from arranged data and a seed to a model that can be attacked.
#pragma once
#include <concepts>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>

#include <skewgrad/model/concepts.hpp>
#include <skewgrad/study/arrangement.hpp>
#include <skewgrad/train/trainer.hpp>

namespace SKEWGRAD_NAMESPACE {

template <class M>
struct Learned {
    M model;
    History history;
};

/// A network with a trainer is one (NetworkLearner); a user's function object is another. `json()` says everything
/// about it that a training's identity depends on.
template <class L>
concept Learner = Differentiable<typename L::ModelType> &&
                  requires(const L& l, const Arranged& data, Seed seed, const TrainingObserver& observer) {
                      { l.train(data, seed, observer) } -> std::same_as<Learned<typename L::ModelType>>;
                      { l.json() } -> std::convertible_to<nlohmann::json>;
                  };

namespace study {

/// What a network learner is, as JSON; compiled once for all networks.
inline nlohmann::json network_learner_json(const std::string& network, const std::string& backend,
                                           const char* optimiser_name, std::span<const optimiser::Rate> rates,
                                           const Recipe& recipe) {
    nlohmann::json j;
    j["network"] = network;
    j["backend"] = backend;
    j["optimiser"]["name"] = optimiser_name;
    for (const auto& rate : rates) j["optimiser"]["rates"][rate.name] = rate.value;
    j["recipe"]["batch"] = recipe.batch;
    j["recipe"]["looks"] = recipe.looks;
    j["recipe"]["patience"] = recipe.patience;
    j["recipe"]["min_delta"] = recipe.min_delta;
    j["recipe"]["flips"] = recipe.flips;
    return j;
}

}  // namespace study

template <ANetwork N, Backend B, Optimiser O>
struct NetworkLearner {
    using ModelType = Model<N, B>;
    O optimiser{};
    Recipe recipe{};
    typename B::Context context{};

    Learned<ModelType> train(const Arranged& data, Seed seed, const TrainingObserver& observer) const {
        Recipe own = recipe;
        own.flips = data.flips && recipe.flips;
        if (data.updates_per_look > 0) own.updates_per_look = data.updates_per_look;
        ModelType model(seed, context);
        History history = Trainer<O>{optimiser, own}.fit(model, data.fit, data.held, observer);
        return {std::move(model), std::move(history)};
    }
    nlohmann::json json() const {
        const auto rates = optimiser.rates();
        return study::network_learner_json(describe<N>(), B::name(), O::name, rates, recipe);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
