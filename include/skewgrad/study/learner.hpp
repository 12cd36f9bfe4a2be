// Learner concepts and NetworkLearner: training from a data set and a seed to an attackable model, with checkpoints.
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

/// A NetworkLearner is a network with a trainer; a user's function object can also be a learner. `json()` contains
/// everything about it that determines a training's identity; its key "backend" is the hardware.
template <class L>
concept Learner = Differentiable<typename L::ModelType> &&
                  requires(const L& l, const TrainingSet& data, Seed seed, const TrainingObserver& observer) {
                      { l.train(data, seed, observer) } -> std::same_as<Learned<typename L::ModelType>>;
                      { l.json() } -> std::convertible_to<nlohmann::json>;
                  };

/// The checkpoint settings of a training that may be interrupted.
struct CheckpointPlace {
    std::filesystem::path file;   ///< written at each round's end; if it exists, training resumes; empty: none
    Notes notes;                  ///< stored in the file and checked when it is read
    FromHardware accepted{};      ///< whether a checkpoint of another backend or instruction set is accepted
    std::function<void()> saved;  ///< called after each write; may be empty
    std::function<bool()> stop;   ///< called after each update; true: save a checkpoint, throw Stopped; may be empty
};

/// A learner whose models can be saved to a file and loaded. A study then keeps only the models in memory that it
/// needs.
template <class L>
concept StoringLearner = Learner<L> && requires(const L& l, const typename L::ModelType& model,
                                                const std::filesystem::path& file, const Notes& notes) {
    l.save(model, file, notes);
    { l.load(file, notes) } -> std::same_as<typename L::ModelType>;
};

/// A learner whose training can resume after an interruption, with the same result.
template <class L>
concept ResumableLearner = Learner<L> && requires(const L& l, const TrainingSet& data, Seed seed,
                                                  const TrainingObserver& observer, const CheckpointPlace& at) {
    { l.train(data, seed, observer, at) } -> std::same_as<Learned<typename L::ModelType>>;
};

/// A learner whose results' bits depend on the hardware; `runs_on()` names it (an instruction set, a device).
template <class L>
concept RunsOnHardware = Learner<L> && requires(const L& l) {
    { l.runs_on() } -> std::convertible_to<std::string>;
};

/// A learner that can detect before the first training that no training is possible: `check_values()` checks its own
/// values, `check_data(list)` each list of images that it will get; both throw ValueError.
template <class L>
concept CheckingLearner = Learner<L> && requires(const L& l, const TrainingData& fit, const ValidationData& validation,
                                                 const TestData& test) {
    l.check_values();
    l.check_data(fit);
    l.check_data(validation);
    l.check_data(test);
};

/// A learner whose type of network may have no identity in files; `unidentified()` gives the reason.
template <class L>
concept IdentifiedLearner = Learner<L> && requires(const L& l) {
    { l.unidentified() } -> std::convertible_to<std::string>;
};

/// A learner that can train several models concurrently. `share(jobs)` returns a similar learner for one of `jobs`
/// concurrent threads, with the same bits. `import_model(model)` converts a model that such a learner trained to this
/// one's own. `jobs()` is the fastest number of concurrent trainings.
template <class L>
concept ConcurrentLearner =
    Learner<L> && std::copyable<L> && requires(const L& l, int jobs, const typename L::ModelType& model) {
        { l.share(jobs) } -> std::same_as<L>;
        { l.jobs() } -> std::convertible_to<int>;
        { l.import_model(model) } -> std::same_as<typename L::ModelType>;
    };

namespace study {

/// Runs a training session to its end. With a checkpoint file, it resumes from an existing checkpoint and writes one at
/// each round's end and when it is stopped; it then throws Stopped.
/// Not inlined, because a caller knows the session's type, and the compiler would compile the whole loop for each type.
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
    /// With a checkpoint file: resumes from an existing checkpoint and writes one at each round's end.
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
    /// The images that a training on these data sees, if it goes on to its last round: what it costs.
    double training_images(const TrainingSet& data) const {
        const int a_round = recipe.updates_per_round > 0 ? recipe.updates_per_round : data.round.updates(recipe.batch);
        return static_cast<double>(recipe.rounds) * a_round * recipe.batch;
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
    /// A training's identity: the network, the loss and every field except the contexts, which are hardware.
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
    /// Why a run's folder could not identify this learner's networks; empty: it can.
    std::string unidentified() const {
        constexpr int position = first_nameless_layer<N>();
        if constexpr (position == 0)
            return {};
        else
            return "the layer at position " + std::to_string(position) +
                   " of the network has no name: a layer is "
                   "known in files by its `static constexpr const char* name` and its `values`";
    }
    /// Throws ValueError, naming the field, for values with which no network can be trained.
    void check_values() const {
        check(optimiser);
        check(recipe);
        perturbation.check();
    }
    /// Throws ValueError if the images' shape differs from the network's or a label exceeds its classes.
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
