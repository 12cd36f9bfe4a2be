// What trains: from training_set data and a seed to a model that can be attacked; what of it can be kept and continued.
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
#include <skewgrad/study/data_protocol.hpp>
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
                  requires(const L& l, const TrainingSet& data, Seed seed, const TrainingObserver& observer) {
                      { l.train(data, seed, observer) } -> std::same_as<Learned<typename L::ModelType>>;
                      { l.json() } -> std::convertible_to<nlohmann::json>;
                  };

/// Where a training that may be interrupted leaves its state.
struct CheckpointPlace {
    std::filesystem::path file;   ///< written at each round's end; where it is there, training goes on; empty: nowhere
    Notes notes;                  ///< kept in the file, and expected in it
    FromHardware accepted{};      ///< whether another backend's or instruction set's is taken
    std::function<void()> saved;  ///< called after each write; may be empty
    std::function<bool()> stop;   ///< asked after each update; true: leave a checkpoint and throw Stopped; may be empty
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
concept ResumableLearner = Learner<L> && requires(const L& l, const TrainingSet& data, Seed seed,
                                                  const TrainingObserver& observer, const CheckpointPlace& at) {
    { l.train(data, seed, observer, at) } -> std::same_as<Learned<typename L::ModelType>>;
};

/// A learner whose results' bits depend on what it runs on: `runs_on()` names it (an instruction set, a device).
template <class L>
concept RunsOnHardware = Learner<L> && requires(const L& l) {
    { l.runs_on() } -> std::convertible_to<std::string>;
};

/// A learner that can say before the first training that none can be: `check_values()` of its own values,
/// `check_data(list)` of each list of images that it will be given; both throw ValueError.
template <class L>
concept CheckingLearner = Learner<L> && requires(const L& l, const TrainingData& fit, const ValidationData& validation,
                                                 const TestData& test) {
    l.check_values();
    l.check_data(fit);
    l.check_data(validation);
    l.check_data(test);
};

/// A learner that some types of networks would leave without an identity in files: `unidentified()` says why.
template <class L>
concept IdentifiedLearner = Learner<L> && requires(const L& l) {
    { l.unidentified() } -> std::convertible_to<std::string>;
};

/// A learner that can train several models at a time: `share(jobs)` is one like it for one of `jobs` threads that
/// train at once, to the same bits; `import_model(model)` makes of what such a one trained a model like this one's own;
/// `jobs()` says how many at a time are fastest.
template <class L>
concept ConcurrentLearner =
    Learner<L> && std::copyable<L> && requires(const L& l, int jobs, const typename L::ModelType& model) {
        { l.share(jobs) } -> std::same_as<L>;
        { l.jobs() } -> std::convertible_to<int>;
        { l.import_model(model) } -> std::same_as<typename L::ModelType>;
    };

namespace study {

/// Runs a session to its end; with a place for checkpoints from the one that is there, leaving one at each round's end
/// and where it is stopped. Throws Stopped then.
/// Not inlined: a caller knows the session's type, and optimisers would compile the whole loop for each.
[[gnu::noinline]] inline void train_to_the_end(SessionBase& session, const TrainingObserver& observer,
                                               const CheckpointPlace& at) {
    const bool keeps = !at.file.empty();
    if (keeps && is_there(at.file)) session.load(at.file, at.notes, at.accepted);
    while (!session.finished()) {
        const bool stopped = session.advance(observer, at.stop) == nullptr;
        if (keeps) {
            session.save(at.file, at.notes);
            if (at.saved) at.saved();
        }
        if (stopped) throw Stopped("a training was stopped within a round");
    }
}

}  // namespace study

/// A network trained on backend `B`, attacked and evaluated on backend `Measured`: B unless another is named. Between
/// the two a model's parameters are carried over as they are; both backends keep them in the same type.
template <ANetwork N, Backend B, Optimiser O, Backend Measured = B, Loss L = CrossEntropy, class P = Unperturbed>
    requires std::same_as<typename Model<N, B>::Real, typename Model<N, Measured>::Real>
struct NetworkLearner {
    using ModelType = Model<N, Measured>;
    static constexpr bool carries_over = !std::same_as<B, Measured>;
    struct NoContext {};

    O optimiser{};
    Recipe recipe{};
    typename B::Context context{};
    [[no_unique_address]] std::conditional_t<carries_over, typename Measured::Context, NoContext> measured_context{};
    L loss{};
    P perturbation{};
    static constexpr auto fields = names("optimiser", "recipe", "context", "measured_context", "loss", "perturbation");

    Learned<ModelType> train(const TrainingSet& data, Seed seed, const TrainingObserver& observer) const {
        return train(data, seed, observer, CheckpointPlace{});
    }
    /// With a place for checkpoints: goes on from the one that is there, and leaves one at each round's end.
    Learned<ModelType> train(const TrainingSet& data, Seed seed, const TrainingObserver& observer,
                             const CheckpointPlace& at) const {
        Recipe own = recipe;
        own.flips = data.flips && recipe.flips;
        if (own.updates_per_round == 0) own.updates_per_round = data.round.updates(own.batch);
        Model<N, B> model(seed, context);
        auto session = Trainer<O, L, P>{optimiser, own, loss, perturbation}.session(model, data.fit, data.validation);
        study::train_to_the_end(session, observer, at);
        if constexpr (carries_over)
            return {measured_here(model), session.history()};
        else
            return {std::move(model), session.history()};
    }
    NetworkLearner share(int jobs) const {
        NetworkLearner one = *this;
        one.context = context.share(jobs);
        if constexpr (carries_over) one.measured_context = measured_context.share(jobs);
        return one;
    }
    int jobs() const { return context.jobs(); }
    ModelType import_model(const ModelType& model) const { return measured_here(model); }
    void save(const ModelType& model, const std::filesystem::path& file, const Notes& notes) const {
        save_parameters(model, file, notes);
    }
    ModelType load(const std::filesystem::path& file, const Notes& notes) const {
        ModelType model(Seed{}, measuring());
        load_parameters(model, file, notes);
        return model;
    }
    /// What a training's identity depends on: the network, the loss and every field but the contexts, which are
    /// hardware.
    nlohmann::json json() const {
        nlohmann::json all{{"network", describe<N>()}, {"backend", backend_name()}};
        for_each_value(*this, [&](const char* name, const auto& field) {
            using Field = std::remove_cvref_t<decltype(field)>;
            if constexpr (Value<Field> && requires { Field::name; })
                all[name] = named_json(field);
            else if constexpr (Value<Field>)
                all[name] = value_json(field);
        });
        return all;
    }
    /// Why a run's folder could not tell this learner's networks from another's; empty: it can.
    std::string unidentified() const {
        constexpr int position = first_nameless_layer<N>();
        if constexpr (position == 0)
            return {};
        else
            return "the layer at position " + std::to_string(position) +
                   " of the network has no name: a layer is "
                   "known in files by its `static constexpr const char* name` and its `values`";
    }
    /// Throws ValueError, naming the field, for values with which no network could be trained.
    void check_values() const {
        check(optimiser);
        check(recipe);
        perturbation.check();
    }
    /// Throws ValueError for images of another shape than the network's and for labels beyond its classes.
    template <class Data>
    void check_data(const Data& data) const {
        Model<N, B>::check_shape_of(data);
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
