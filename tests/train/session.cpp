// Training sessions: rounds, early stopping, the best weights, what is drawn and what is shared, recipes that cannot
// be.
#define BOOST_TEST_MODULE train_session
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/train/trainer.hpp>
#include <string>
#include <vector>

#include "data/files.hpp"
#include "nn/cross_entropy.hpp"
#include "train/small.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

BOOST_AUTO_TEST_CASE(a_round_has_its_updates_and_epochs_run_on) {
    SmallModel model(Seed{1}, one_thread);
    const auto parts = small_parts();  // 23 images to train on
    const Trainer trainer{RmsProp{}, Recipe{.batch = 8, .rounds = 4, .updates_per_round = 2, .flips = false}};
    auto session = trainer.session(model, parts.fit, parts.validation);
    std::vector<std::uint64_t> updates;
    std::vector<std::uint32_t> epochs;
    while (!session.finished()) {
        const Round round = session.advance();
        updates.push_back(round.updates);
        epochs.push_back(round.epoch);
        BOOST_TEST(round.round == static_cast<int>(updates.size()));
    }
    BOOST_TEST(updates == (std::vector<std::uint64_t>{2, 4, 6, 8}), boost::test_tools::per_element());
    BOOST_TEST(epochs == (std::vector<std::uint32_t>{0, 1, 2, 2}), boost::test_tools::per_element());
    BOOST_TEST((session.history().stop == Stop::rounds));
    BOOST_CHECK_EXCEPTION(session.advance(), Error, says({"finished"}));
}

BOOST_AUTO_TEST_CASE(a_round_is_floor_of_images_by_batch_unless_told) {
    SmallModel model(Seed{1}, one_thread);
    const auto parts = small_parts();
    const auto rounds_of = [&](int batch) {
        return Trainer{Sgd{}, Recipe{.batch = batch}}
            .session(model, parts.fit, parts.validation)
            .recipe()
            .updates_per_round;
    };
    BOOST_TEST(rounds_of(8) == 2);
    BOOST_TEST(rounds_of(23) == 1);
    BOOST_TEST(rounds_of(100) == 1);
}

struct NothingDropped : Network<Image<2, 6, 6>, Conv<5>, Relu, Dropout<0>, Dense<4>> {};

// What a round tells is what one counts by hand with a rate of zero, under which nothing moves.
BOOST_AUTO_TEST_CASE(a_rounds_numbers_are_means_over_its_images) {
    Model<NothingDropped, Cpu<f32>> model(Seed{1}, one_thread);
    const auto parts = small_parts();
    const Trainer trainer{Sgd{.learning_rate = 0},
                          Recipe{.batch = 8, .rounds = 1, .updates_per_round = 3, .flips = false}};
    auto session = trainer.session(model, parts.fit, parts.validation);
    const Round round = session.advance();
    const auto by_hand = [&](const auto& data) {
        const auto z = model.logits(data.images());
        double loss = 0, right = 0;
        for (std::size_t i = 0; i < data.size(); ++i) {
            loss += CrossEntropyOfRow::value(&z(i, 0), SmallNet::classes, data.label(i));
            int best = 0;
            for (int k = 1; k < SmallNet::classes; ++k)
                if (z(i, static_cast<std::size_t>(k)) > z(i, static_cast<std::size_t>(best))) best = k;
            right += best == index(data.label(i));
        }
        const auto n = static_cast<double>(data.size());
        return std::pair(loss / n, right / n);
    };
    const auto [train_loss, train_accuracy] = by_hand(parts.fit);
    const auto [validation_loss, validation_accuracy] = by_hand(parts.validation);
    BOOST_TEST(round.train_loss == train_loss, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(round.train_accuracy == train_accuracy, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(round.validation_loss == validation_loss, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(round.validation_accuracy == validation_accuracy, boost::test_tools::tolerance(1e-12));
}

// Validation images whose labels are the training images' turned round: learning one is unlearning the other.
BOOST_AUTO_TEST_CASE(patience_stops_and_the_best_weights_stay) {
    const auto parts = small_parts();
    const auto& store = *parts.fit.store();
    std::vector<Label> turned = store.labels;
    for (Label& y : turned) y = Label((index(y) + 1) % SmallNet::classes);
    const auto pixels = store.pixels();
    const ValidationData against(make_store("turned", store.shape, {pixels.begin(), pixels.end()}, turned));
    SmallModel model(Seed{1}, one_thread);
    const Trainer trainer{RmsProp{.learning_rate = 1e-2f},
                          Recipe{.batch = 8, .rounds = 50, .patience = 3, .updates_per_round = 20, .flips = false}};
    auto session = trainer.session(model, parts.fit, against);
    std::vector<std::vector<float>> after;
    while (!session.finished()) {
        const bool last = session.advance().round == 50;
        BOOST_REQUIRE(!last);
        after.push_back(model.parameters());  // of the last round: already the best ones
    }
    const History& history = session.history();
    BOOST_TEST((history.stop == Stop::patience));
    BOOST_TEST(history.rounds.size() == static_cast<std::size_t>(history.best_round) + 3);
    BOOST_TEST((after.back() == after[static_cast<std::size_t>(history.best_round) - 1]));
    BOOST_TEST((after.back() != after[after.size() - 2]));
    double least = std::numeric_limits<double>::infinity();
    for (const Round& round : history.rounds) {
        BOOST_TEST(round.best == (round.validation_loss < least - double{1e-4f}));
        if (round.best) least = round.validation_loss;
    }
    BOOST_TEST(history.best_loss == least);
}

BOOST_AUTO_TEST_CASE(a_gain_below_min_delta_is_none) {
    const auto parts = small_parts();
    SmallModel model(Seed{1}, one_thread);
    const Trainer trainer{Sgd{.learning_rate = 1e-4f},
                          Recipe{.batch = 8, .rounds = 50, .patience = 2, .min_delta = 10}};
    const History history = trainer.fit(model, parts.fit, parts.validation);
    BOOST_TEST(history.best_round == 1);
    BOOST_TEST(history.rounds.size() == 3u);
}

BOOST_AUTO_TEST_CASE(nothing_held_out_gives_the_last_weights) {
    const auto parts = small_parts();
    SmallModel model(Seed{1}, one_thread), other(Seed{1}, one_thread);
    const Trainer trainer{Adam{}, Recipe{.batch = 8, .rounds = 4, .patience = 1}};
    const ValidationData none(parts.fit.store(), {});
    const History history = trainer.fit(model, parts.fit, none);
    BOOST_TEST(history.rounds.size() == 4u);
    BOOST_TEST(history.best_round == 4);
    BOOST_TEST((history.stop == Stop::rounds));
    BOOST_TEST(std::isinf(history.best_loss));
    BOOST_TEST(std::isnan(history.rounds[0].validation_loss));
    auto session = trainer.session(other, parts.fit, none);
    for (int round = 0; round < 4; ++round) session.advance();
    BOOST_TEST((model.parameters() == other.parameters()));
}

struct Linear : Network<Image<2, 6, 6>, Dense<4>> {};

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_stops_training_and_leaves_finite_weights) {
    const auto parts = small_parts();
    Model<Linear, Cpu<f32>> model(Seed{1}, one_thread);
    // The first update throws every weight near the largest float, so that no order of a sum keeps it finite (and no
    // rectifier hides that); the second one's loss, in the second epoch, is not finite.
    const Trainer trainer{RmsProp{.learning_rate = 1e38f}, Recipe{.batch = 23, .rounds = 3, .updates_per_round = 2}};
    auto session = trainer.session(model, parts.fit, parts.validation);
    BOOST_CHECK_EXCEPTION(session.advance(), NumericalError, says({"round 1", "update 1", "epoch 1", "learning rate"}));
    for (const float w : model.parameters()) BOOST_REQUIRE(std::isfinite(w));
    BOOST_TEST(session.history().rounds.empty());
}

// Class 0 is what a comparison of numbers makes of a row that has no maximum.
BOOST_AUTO_TEST_CASE(held_out_images_without_an_answer_are_wrong) {
    // Training images are dark in the first two pixels, those held out are bright there.
    const auto bright = [](std::uint8_t at) {
        std::vector<std::uint8_t> bytes(2 * 72);
        bytes[0] = bytes[1] = bytes[72] = bytes[73] = at;
        return make_store("two", {2, 6, 6}, std::move(bytes), {Label{0}, Label{0}}, {"a", "b", "c", "d"});
    };
    const TrainingData dark(bright(0));
    const ValidationData validation(bright(255));
    const auto trained = [&](std::vector<int> infinite, float sign, const TrainingData& on) {
        Model<Linear, Cpu<f32>> model(Seed{1}, one_thread);
        std::vector<float> values(Linear::state_size);
        for (const int k : infinite)
            values[static_cast<std::size_t>(k) * 72] = values[static_cast<std::size_t>(k) * 72 + 1] = sign * 3e38f;
        model.set_parameters(values);
        const Trainer trainer{Sgd{.learning_rate = 0},
                              Recipe{.batch = 2, .rounds = 1, .updates_per_round = 1, .flips = false}};
        auto session = trainer.session(model, on, validation);
        return Round(session.advance());
    };
    const auto accuracy = [&](std::vector<int> infinite, float sign) {
        return trained(infinite, sign, dark).validation_accuracy;
    };
    BOOST_TEST(accuracy({}, 0) == 1);  // equal logits: the lowest class
    BOOST_TEST(accuracy({0, 1, 2, 3}, 1) == 0);
    BOOST_TEST(accuracy({0}, 1) == 0);
    BOOST_TEST(accuracy({3}, -1) == 0);  // class 0 has the largest logit, but the row is not finite
    // Nor do they count while training, as long as the loss is finite.
    const TrainingData as_bright(bright(255));
    BOOST_TEST(trained({}, 0, as_bright).train_accuracy == 1);
    BOOST_TEST(trained({3}, -1, as_bright).train_accuracy == 0);
}

BOOST_AUTO_TEST_CASE(a_seed_decides_all_and_nothing_else_does) {
    const auto parts = small_parts();
    const Trainer trainer{RmsProp{}, Recipe{.batch = 8, .rounds = 2}};
    const auto trained = [&](Seed seed) {
        SmallModel model(seed, one_thread);
        trainer.fit(model, parts.fit, parts.validation);
        return model.parameters();
    };
    const auto first = trained(Seed{5});
    BOOST_TEST((trained(Seed{5}) == first));
    BOOST_TEST((trained(Seed{6}) != first));
    // The draws of a session are its own seed's, wherever the weights came from.
    SmallModel model(Seed{6}, one_thread);
    model.set_parameters(SmallModel(Seed{5}).parameters());
    trainer.fit(model, parts.fit, parts.validation);
    BOOST_TEST((model.parameters() != first));
}

// Two networks of one seed start alike, whatever they are trained on, and meet an image with the same mask and flip.
BOOST_AUTO_TEST_CASE(samples_of_one_seed_share_what_they_share) {
    const auto parts = small_parts();
    const ValidationData none(parts.fit.store(), {});
    // An epoch of three single images is three epochs of one image each, in the epoch's order.
    const auto order = epoch_order(std::vector<std::uint32_t>{7, 3, 9}, Seed{5}, 0);
    SmallModel long_list(Seed{5}, one_thread), singles(Seed{5}, one_thread);
    Trainer{Sgd{}, Recipe{.batch = 1, .rounds = 1, .updates_per_round = 3}}.fit(long_list,
                                                                                parts.fit.of_items({3, 7, 9}), none);
    for (const Pick pick : order)
        Trainer{Sgd{}, Recipe{.batch = 1, .rounds = 1, .updates_per_round = 1}}.fit(
            singles, parts.fit.of_items({pick.item}), none);
    BOOST_TEST((long_list.parameters() == singles.parameters()));
}

BOOST_AUTO_TEST_CASE(flips_mirror_the_images_whose_draw_says_so) {
    const auto parts = small_parts();
    // Find an image that epoch 0 mirrors and one that it does not.
    int seen = 0;
    for (const std::uint32_t item : parts.fit.items()) {
        const bool mirrored = flipped(Seed{5}, {item}, 0);
        seen |= mirrored ? 1 : 2;
        const auto trained = [&](const TrainingData& data, bool flips) {
            SmallModel model(Seed{5}, one_thread);
            Trainer{Sgd{}, Recipe{.batch = 1, .rounds = 1, .updates_per_round = 1, .flips = flips}}.fit(
                model, data, ValidationData(data.store(), {}));
            return model.parameters();
        };
        const auto with = trained(parts.fit.of_items({item}), true),
                   without = trained(parts.fit.of_items({item}), false);
        BOOST_TEST((with == without) == !mirrored);
        // The mirrored image, trained on unflipped, is the same training.
        const auto& store = *parts.fit.store();
        std::vector<std::uint8_t> pixels(store.pixels().begin(), store.pixels().end());
        const auto width = static_cast<std::ptrdiff_t>(store.shape.w);
        for (auto row = pixels.begin(); row != pixels.end(); row += width) std::reverse(row, row + width);
        const TrainingData turned(make_store("mirrored", store.shape, pixels, store.labels), {item});
        BOOST_TEST((trained(turned, false) == with) == mirrored);
    }
    BOOST_TEST(seen == 3);
}

BOOST_AUTO_TEST_CASE(an_observer_hears_of_every_round) {
    const auto parts = small_parts();
    SmallModel model(Seed{1}, one_thread);
    int ends = 0, calls = 0, last_update = 0;
    const Trainer trainer{Sgd{}, Recipe{.batch = 8, .rounds = 3, .updates_per_round = 70}};
    const History history = trainer.fit(model, parts.fit, parts.validation, [&](const TrainingProgress& now) {
        ++calls;
        BOOST_TEST(now.round == ends + 1);
        BOOST_TEST(now.rounds == 3);
        BOOST_TEST(now.updates == 70);
        BOOST_TEST(now.update >= (now.finished ? last_update : 1));
        BOOST_TEST(now.loss > 0);
        last_update = now.update;
        if (now.finished) {
            ++ends;
            BOOST_TEST(now.finished->round == ends);
            BOOST_TEST(now.finished->train_loss == now.loss);
        }
    });
    BOOST_TEST(ends == 3);
    BOOST_TEST(calls > 3 * 2);
}

BOOST_AUTO_TEST_CASE(recipes_and_data_that_cannot_be_are_refused) {
    const auto parts = small_parts();
    SmallModel model(Seed{1}, one_thread);
    const auto refused = [&](Recipe recipe, const std::string& named, const std::string& value) {
        BOOST_CHECK_EXCEPTION(Trainer(Sgd{}, recipe).session(model, parts.fit, parts.validation), ValueError,
                              says({named, value}));
    };
    refused({.batch = 0}, "batch", "0");
    refused({.rounds = -3}, "rounds", "-3");
    refused({.patience = 0}, "patience", "0");
    refused({.updates_per_round = -7}, "updates_per_round", "-7");
    refused({.min_delta = NAN}, "min_delta", "nan");
    refused({.min_delta = -1e-9f}, "min_delta", "-1e-09");
    refused({.min_delta = std::numeric_limits<float>::infinity()}, "min_delta", "inf");
    const auto before = model.parameters();
    const auto refused_rate = [&](const auto& optimiser, const std::string& rate) {
        const Trainer trainer{optimiser, Recipe{}};
        BOOST_CHECK_EXCEPTION(trainer.session(model, parts.fit, parts.validation), ValueError,
                              says({optimiser.name, rate}));
        BOOST_CHECK_EXCEPTION(trainer.fit(model, parts.fit, parts.validation), ValueError,
                              says({optimiser.name, rate}));
    };
    refused_rate(Sgd{.learning_rate = -1e-3f}, "learning_rate is -0.001");
    refused_rate(RmsProp{.decay = NAN}, "decay is nan");
    refused_rate(Adam{.beta2 = 1}, "beta2 is 1");
    BOOST_TEST((model.parameters() == before));
    const Trainer trainer{Sgd{}, Recipe{}};
    BOOST_CHECK_EXCEPTION(trainer.session(model, parts.fit.of_items({}), parts.validation), ValueError,
                          says({"small", "no images"}));
    const TrainingData wide(make_store("wide", {2, 6, 7}, std::vector<std::uint8_t>(84), {Label{0}}));
    BOOST_CHECK_EXCEPTION(trainer.session(model, wide, parts.validation), ValueError, says({"wide", "2x6x7", "2x6x6"}));
    const ValidationData rich(
        make_store("rich", {2, 6, 6}, std::vector<std::uint8_t>(72), {Label{0}}, {"a", "b", "c", "d", "e"}));
    BOOST_CHECK_EXCEPTION(trainer.session(model, parts.fit, rich), ValueError, says({"rich", "5 classes", "4"}));
}

BOOST_AUTO_TEST_CASE(sessions_side_by_side_are_those_alone) {
    const auto parts = small_parts();
    const Trainer trainer{RmsProp{}, Recipe{.batch = 8, .rounds = 3}};
    SmallModel a(Seed{1}, one_thread), b(Seed{2}, one_thread), alone(Seed{2}, one_thread);
    auto first = trainer.session(a, parts.fit, parts.validation),
         second = trainer.session(b, parts.fit, parts.validation);
    second.advance();
    using SessionBase = decltype(first);
    SessionBase* const running[] = {&first, &second};
    int rounds = 0;
    while (advance_one_round(std::span<SessionBase* const>(running))) ++rounds;
    BOOST_TEST(rounds == 3);
    trainer.fit(alone, parts.fit, parts.validation);
    BOOST_TEST((b.parameters() == alone.parameters()));
}

}  // namespace
