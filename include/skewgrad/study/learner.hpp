// What trains: from arranged data and a seed to a model that can be attacked; what of it can be kept and continued.
#pragma once
#include <concepts>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <skewgrad/model/concepts.hpp>
#include <skewgrad/store/network_file.hpp>
#include <skewgrad/study/arrangement.hpp>
#include <skewgrad/train/trainer.hpp>

namespace SKEWGRAD_NAMESPACE {

template <class M>
struct Learned {
    M model;
    History history;
};

/// A network with a trainer is one (NetworkLearner); a user's function object is another. `json()` says everything
/// about it that a training's identity depends on; a key "backend" in it is what it runs on.
template <class L>
concept Learner = Differentiable<typename L::ModelType> &&
                  requires(const L& l, const Arranged& data, Seed seed, const TrainingObserver& observer) {
                      { l.train(data, seed, observer) } -> std::same_as<Learned<typename L::ModelType>>;
                      { l.json() } -> std::convertible_to<nlohmann::json>;
                  };

/// Where a training that may be interrupted leaves its state.
struct CheckpointPlace {
    std::filesystem::path file;   ///< written whole at each look's end; where it is there, training goes on from it
    Notes notes;                  ///< kept in the file, and expected in it
    FromHardware accepted{};      ///< whether another backend's or instruction set's is taken
    std::function<void()> saved;  ///< called after each write; may be empty
};

/// A learner whose models can be written to a file and read again: a study then holds in memory only those it needs.
template <class L>
concept StoringLearner = Learner<L> && requires(const L& l, const typename L::ModelType& model,
                                                const std::filesystem::path& file, const Notes& notes) {
    l.save(model, file, notes);
    { l.load(file, notes) } -> std::same_as<typename L::ModelType>;
};

/// A learner whose training can be continued after an interruption, with the same result.
template <class L>
concept ResumableLearner = Learner<L> && requires(const L& l, const Arranged& data, Seed seed,
                                                  const TrainingObserver& observer, const CheckpointPlace& at) {
    { l.train(data, seed, observer, at) } -> std::same_as<Learned<typename L::ModelType>>;
};

/// A learner whose results' bits depend on what it runs on: `runs_on()` names it (an instruction set, a device).
template <class L>
concept RunsOnHardware = Learner<L> && requires(const L& l) {
    { l.runs_on() } -> std::convertible_to<std::string>;
};

/// A learner that can train several models at a time: `beside(jobs)` is one like it for one of `jobs` threads that
/// train at once, to the same bits; `adopt(model)` makes of what such a one trained a model like this one's own;
/// `jobs()` says how many at a time are fastest.
template <class L>
concept ConcurrentLearner =
    Learner<L> && std::copyable<L> && requires(const L& l, int jobs, const typename L::ModelType& model) {
        { l.beside(jobs) } -> std::same_as<L>;
        { l.jobs() } -> std::convertible_to<int>;
        { l.adopt(model) } -> std::same_as<typename L::ModelType>;
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

/// Runs a session to its end; with a place for checkpoints from the one that is there, leaving one at each look's end.
/// Not inlined: a caller knows the session's type, and optimisers would compile the whole loop for each.
[[gnu::noinline]] inline void carry_on(AnySession& session, const TrainingObserver& observer,
                                       const CheckpointPlace& at) {
    const bool keeps = !at.file.empty();
    if (keeps && std::filesystem::exists(at.file)) session.load(at.file, at.notes, at.accepted);
    while (!session.finished()) {
        session.advance(observer);
        if (!keeps) continue;
        session.save(at.file, at.notes);
        if (at.saved) at.saved();
    }
}

}  // namespace study

/// A network trained on backend `B`, attacked and evaluated on backend `Measured`: B unless another is named. Between
/// the two a model's parameters are carried over as they are; both backends keep them in the same type.
template <ANetwork N, Backend B, Optimiser O, Backend Measured = B>
    requires std::same_as<typename Model<N, B>::Real, typename Model<N, Measured>::Real>
struct NetworkLearner {
    using ModelType = Model<N, Measured>;
    static constexpr bool carries_over = !std::same_as<B, Measured>;
    struct NoContext {};

    O optimiser{};
    Recipe recipe{};
    typename B::Context context{};
    [[no_unique_address]] std::conditional_t<carries_over, typename Measured::Context, NoContext> measured_context{};

    Learned<ModelType> train(const Arranged& data, Seed seed, const TrainingObserver& observer) const {
        return train(data, seed, observer, CheckpointPlace{});
    }
    /// With a place for checkpoints: goes on from the one that is there, and leaves one at each look's end.
    Learned<ModelType> train(const Arranged& data, Seed seed, const TrainingObserver& observer,
                             const CheckpointPlace& at) const {
        Recipe own = recipe;
        own.flips = data.flips && recipe.flips;
        if (data.updates_per_look > 0) own.updates_per_look = data.updates_per_look;
        Model<N, B> model(seed, context);
        auto session = Trainer<O>{optimiser, own}.session(model, data.fit, data.held);
        study::carry_on(session, observer, at);
        if constexpr (carries_over)
            return {measured_here(model), session.history()};
        else
            return {std::move(model), session.history()};
    }
    NetworkLearner beside(int jobs) const {
        NetworkLearner one = *this;
        one.context = context.beside(jobs);
        if constexpr (carries_over) one.measured_context = measured_context.beside(jobs);
        return one;
    }
    int jobs() const { return context.jobs(); }
    ModelType adopt(const ModelType& model) const { return measured_here(model); }
    void save(const ModelType& model, const std::filesystem::path& file, const Notes& notes) const {
        save_parameters(model, file, notes);
    }
    ModelType load(const std::filesystem::path& file, const Notes& notes) const {
        ModelType model(Seed{}, measuring());
        load_parameters(model, file, notes);
        return model;
    }
    nlohmann::json json() const {
        const auto rates = optimiser.rates();
        return study::network_learner_json(describe<N>(), backend_name(), O::name, rates, recipe);
    }
    std::string runs_on() const {
        if constexpr (carries_over)
            return context.description() + "; measured on " + measured_context.description();
        else
            return context.description();
    }

private:
    template <class M>
    ModelType measured_here(const M& trained) const {
        ModelType model(Seed{}, measuring());
        model.set_parameters(trained.parameters());
        return model;
    }
    static std::string backend_name() {
        return carries_over ? B::name() + ", measured on " + Measured::name() : B::name();
    }
    const typename Measured::Context& measuring() const {
        if constexpr (carries_over)
            return measured_context;
        else
            return context;
    }
};

}  // namespace SKEWGRAD_NAMESPACE
