// Checkpoints: a continued training gives the bits of an uninterrupted one; another session's file is refused whole.
#define BOOST_TEST_MODULE train_checkpoint
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/train/trainer.hpp>
#include <string>
#include <utility>
#include <vector>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"
#include "train/small.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

bool same_number(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }
bool same_history(const History& a, const History& b) {
    if (a.rounds.size() != b.rounds.size()) return false;
    for (std::size_t i = 0; i < a.rounds.size(); ++i) {
        const Round &x = a.rounds[i], &y = b.rounds[i];
        if (x.round != y.round || x.updates != y.updates || x.epoch != y.epoch || x.best != y.best ||
            !same_number(x.train_loss, y.train_loss) || !same_number(x.train_accuracy, y.train_accuracy) ||
            !same_number(x.validation_loss, y.validation_loss) ||
            !same_number(x.validation_accuracy, y.validation_accuracy))
            return false;
    }
    return a.best_round == b.best_round && same_number(a.best_loss, b.best_loss) && a.stop == b.stop;
}

const Recipe recipe{.batch = 8, .rounds = 5, .patience = 2, .updates_per_round = 4};

/// Trains to the end, saving at every round; then, from each file, a model with other weights trains on to the end.
template <class O>
void continues_with_the_same_bits(const O& optimiser, bool held_out) {
    const TemporaryFolder folder;
    const auto parts = small_parts();
    const ValidationData validation = held_out ? parts.validation : ValidationData(parts.fit.store(), {});
    const Trainer<O> trainer{optimiser, recipe};
    SmallModel whole(Seed{1}, one_thread);
    auto session = trainer.session(whole, parts.fit, validation);
    int saved = 0;
    const auto name = [&](int round) { return folder / ("round" + std::to_string(round)); };
    session.save(name(0));
    while (!session.finished()) {
        session.advance();
        session.save(name(++saved));
    }
    for (int round = 0; round <= saved; ++round) BOOST_TEST_CONTEXT(O::name << " from round " << round) {
            SmallModel model(Seed{1}, one_thread);
            model.set_parameters(std::vector<float>(SmallNet::state_size, 0.5f));
            auto continued = trainer.session(model, parts.fit, validation);
            if (round % 2 == 1) continued.advance();  // what it has done before must not matter either
            continued.load(name(round));
            BOOST_TEST(continued.history().rounds.size() == static_cast<std::size_t>(round));
            while (!continued.finished()) continued.advance();
            BOOST_TEST((model.parameters() == whole.parameters()));
            BOOST_TEST(same_history(continued.history(), session.history()));
            // Slots and best weights, too: the files that both would write now are one.
            continued.save(folder / "again");
            BOOST_TEST((safetensors::digest_of(read_safetensors(folder / "again")) ==
                        safetensors::digest_of(read_safetensors(name(saved)))));
        }
}

BOOST_AUTO_TEST_CASE(every_round_is_a_place_to_go_on_from) {
    continues_with_the_same_bits(RmsProp{.learning_rate = 1e-2f, .decay = 1e-2f}, true);
    continues_with_the_same_bits(Adam{}, false);
}

BOOST_AUTO_TEST_CASE(threads_are_no_part_of_a_checkpoint) {
    const TemporaryFolder folder;
    const auto parts = small_parts();
    const Trainer trainer{RmsProp{}, recipe};
    SmallModel one(Seed{1}, Cpu<f32>::Context(1)), two(Seed{1}, Cpu<f32>::Context(2));
    auto session = trainer.session(one, parts.fit, parts.validation),
         other = trainer.session(two, parts.fit, parts.validation);
    session.advance();
    session.save(folder / "file");
    other.load(folder / "file");
    session.advance();
    other.advance();
    BOOST_TEST((one.parameters() == two.parameters()));
}

struct OtherNet : Network<Image<2, 6, 6>, Conv<5>, Relu, MaxPool<2>, Dropout<50>, Dense<9>, Relu, Dense<4>> {};

struct Refusals {
    TemporaryFolder folder;
    Parts parts = small_parts();
    Seed seed{1};
    std::filesystem::path file = folder / "file";

    Refusals() {
        SmallModel model(seed, one_thread);
        auto session = Trainer{RmsProp{}, recipe}.session(model, parts.fit, parts.validation);
        session.advance();
        session.save(file);
    }
    /// Loading must be refused with these words and change nothing: the session goes on as if it had not been tried.
    template <class Model, class T>
    void refused(Model& model, const T& trainer, const TrainingData& fit, const ValidationData& validation,
                 std::initializer_list<std::string> words) {
        auto session = trainer.session(model, fit, validation);
        session.advance();
        session.save(folder / "before");
        BOOST_CHECK_EXCEPTION(session.load(file), FileError, says(words));
        session.save(folder / "after");
        const TensorFile before = read_safetensors(folder / "before"), after = read_safetensors(folder / "after");
        BOOST_TEST((safetensors::digest_of(before) == safetensors::digest_of(after)));
        BOOST_TEST(session.advance().round == 2);
    }
    void refused(std::initializer_list<std::string> words) {
        SmallModel model(seed, one_thread);
        refused(model, Trainer{RmsProp{}, recipe}, parts.fit, parts.validation, words);
    }
    /// The file with one of its notes changed.
    void with_note(const std::string& note, const std::function<void(nlohmann::json&)>& change) {
        TensorFile changed = read_safetensors(file);
        auto json = nlohmann::json::parse(changed.metadata.at(note));
        change(json);
        changed.metadata[note] = json.dump();
        write_safetensors(file, changed);
    }
};

BOOST_FIXTURE_TEST_CASE(another_sessions_file_is_refused_naming_what_differs, Refusals) {
    SmallModel same(seed, one_thread);
    auto session = Trainer{RmsProp{}, recipe}.session(same, parts.fit, parts.validation);
    BOOST_CHECK_NO_THROW(session.load(file));

    SmallModel other_seed(Seed{2}, one_thread);
    refused(other_seed, Trainer{RmsProp{}, recipe}, parts.fit, parts.validation,
            {file.string(), "seed", "is 1", "not 2"});
    const auto with = [&](auto trainer, std::initializer_list<std::string> words) {
        SmallModel model(seed, one_thread);
        refused(model, trainer, parts.fit, parts.validation, words);
    };
    with(Trainer{RmsProp{.learning_rate = 2e-3f}, recipe}, {"optimiser", "learning_rate"});
    with(Trainer{Adam{}, recipe}, {"optimiser", "rmsprop", "adam"});
    Recipe other = recipe;
    other.batch = 7;
    with(Trainer{RmsProp{}, other}, {"recipe.batch is 8, not 7"});
    other = recipe;
    other.flips = false;
    with(Trainer{RmsProp{}, other}, {"recipe.flips is true, not false"});

    Model<OtherNet, Cpu<f32>> other_network(seed, one_thread);
    refused(other_network, Trainer{RmsProp{}, recipe}, parts.fit, parts.validation,
            {"network", "dropout<25>", "dropout<50>"});

    SmallModel model(seed, one_thread);
    auto items = parts.fit.items();
    items.pop_back();
    refused(model, Trainer{RmsProp{}, recipe}, parts.fit.of_items(items), parts.validation, {"training_images"});
    // The same items of a store of the same name with other pixels.
    const TrainingData other_pixels(small_store(22), parts.fit.items());
    refused(model, Trainer{RmsProp{}, recipe}, other_pixels, parts.validation, {"training_images"});
    items = parts.validation.items();
    items[0] = parts.fit.items()[0];
    refused(model, Trainer{RmsProp{}, recipe}, parts.fit, parts.validation.of_items(items), {"validation_images"});
}

BOOST_FIXTURE_TEST_CASE(another_instruction_sets_file_is_refused, Refusals) {
    if (cpu::best_instruction_set() == cpu::InstructionSet::portable) {
        BOOST_TEST_MESSAGE("skipped: this machine has one instruction set");
        return;
    }
    SmallModel portable(seed, Cpu<f32>::Context(1, cpu::InstructionSet::portable));
    const auto theirs = SmallModel().context().description();
    if (theirs == "portable") return;  // the environment asked for it
    refused(portable, Trainer{RmsProp{}, recipe}, parts.fit, parts.validation, {"runs_on", theirs, "portable"});
}

BOOST_FIXTURE_TEST_CASE(damaged_notes_are_refused, Refusals) {
    const TensorFile sound = read_safetensors(file);
    const auto damaged = [&](const std::function<void(nlohmann::json&)>& change,
                             std::initializer_list<std::string> words) {
        write_safetensors(file, sound);
        with_note("skewgrad.position", change);
        refused(words);
    };
    const std::string position = "skewgrad.position";
    damaged([](auto& j) { j.erase("in_epoch"); }, {position, "in_epoch"});
    damaged([](auto& j) { j["epoch"] = "two"; }, {position});
    damaged([](auto& j) { j["now"]["updates"] = 400; }, {position, "updates", "400"});
    damaged([](auto& j) { j["in_epoch"] = 10000; }, {position});
    damaged([](auto& j) { j["in_epoch"] = -1; }, {position});
    damaged([](auto& j) { j["stop"] = 9; }, {position, "stop", "9"});
    damaged([](auto& j) { j["best_round"] = 7; }, {position, "best_round", "7"});
    damaged([](auto& j) { j["rounds"][0].erase("validation_loss"); }, {position, "validation_loss"});
    damaged([](auto& j) { j["rounds"] = 3; }, {position});
    // What one of its kind could say, and this session cannot have come to.
    damaged([](auto& j) { j["now"]["updates"] = 1e300; }, {position, "now.updates is 1e+300"});
    damaged([](auto& j) { j["epoch"] = 4'294'967'296; }, {position, "epoch"});
    damaged([](auto& j) { j["now"]["correct"] = 1'000'000; }, {position, "now.correct is 1000000"});
    damaged([](auto& j) { j["now"]["loss_sum"] = nullptr; }, {position, "now.loss_sum"});
    damaged([](auto& j) { j["in_round"] = 4; }, {position, "in_round is 4, must be a whole number from 0 to 3"});
    damaged([](auto& j) { j["round_began"]["updates"] = 3; }, {position, "round_began.updates is 3"});
    damaged([](auto& j) { j["best_round"] = 0; }, {position, "best_round is 0, must be the last best"});
    damaged([](auto& j) { j["best_loss"] = -1; }, {position, "best_loss is -1"});
    damaged([](auto& j) { j["stop"] = 1; }, {position, "stop is 1, must be 0"});
    damaged([](auto& j) { j["rounds"][0]["round"] = 2; }, {position, "rounds.0", "must be round 1"});
    damaged([](auto& j) { j["rounds"][0]["train_accuracy"] = 1.5; }, {position, "rounds.0.train_accuracy is 1.5"});
    damaged([](auto& j) { j["rounds"][0]["best"] = 1; }, {position, "rounds.0.best is 1, must be true or false"});

    TensorFile changed = sound;
    changed.metadata[position] = "{\"updates\": 4";
    write_safetensors(file, changed);
    refused({position, "no JSON from its byte"});
    changed.metadata[position] = "{\"rounds\": " + std::string(100'000, '[');
    write_safetensors(file, changed);
    refused({position, "nested more than 64 deep"});
    changed.metadata.erase(position);
    write_safetensors(file, changed);
    refused({"no note", position});
    changed = sound;
    changed.metadata.erase("skewgrad.session");
    write_safetensors(file, changed);
    refused({"no checkpoint", "skewgrad.session"});
    changed = sound;
    std::erase_if(changed.tensors, [](const auto& t) { return t.name == "slot0.6.bias"; });
    write_safetensors(file, changed);
    refused({"lacks \"slot0.6.bias\""});
    changed = sound;
    changed.tensors.push_back(make_tensor<float>("slot9.6.bias", {1}, std::array{1.0f}));
    write_safetensors(file, changed);
    refused({"besides \"slot9.6.bias\""});
    write_text(file, "no tensors here");
    refused({file.string()});
    std::filesystem::remove(file);
    refused({file.string()});
}

}  // namespace
