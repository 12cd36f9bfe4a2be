// Training sessions: looks, early stopping, the best weights, what is drawn and what is shared, recipes that cannot be.
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
#include "train/small.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

BOOST_AUTO_TEST_CASE(a_look_has_its_updates_and_epochs_run_on) {
    SmallModel model(Seed{1}, one_thread);
    const auto parts = small_parts();  // 23 images to train on
    const Trainer trainer{RmsProp{}, Recipe{.batch = 8, .looks = 4, .updates_per_look = 2, .flips = false}};
    auto session = trainer.session(model, parts.fit, parts.held);
    std::vector<std::uint64_t> updates;
    std::vector<std::uint32_t> epochs;
    while (!session.finished()) {
        const Look look = session.advance();
        updates.push_back(look.updates);
        epochs.push_back(look.epoch);
        BOOST_TEST(look.look == static_cast<int>(updates.size()));
    }
    BOOST_TEST(updates == (std::vector<std::uint64_t>{2, 4, 6, 8}), boost::test_tools::per_element());
    BOOST_TEST(epochs == (std::vector<std::uint32_t>{0, 1, 2, 2}), boost::test_tools::per_element());
    BOOST_TEST((session.history().stop == Stop::looks));
    BOOST_CHECK_EXCEPTION(session.advance(), Error, says({"finished"}));
}

BOOST_AUTO_TEST_CASE(a_look_is_floor_of_images_by_batch_unless_told) {
    SmallModel model(Seed{1}, one_thread);
    const auto parts = small_parts();
    const auto looks_of = [&](int batch) {
        return Trainer{Sgd{}, Recipe{.batch = batch}}.session(model, parts.fit, parts.held).recipe().updates_per_look;
    };
    BOOST_TEST(looks_of(8) == 2);
    BOOST_TEST(looks_of(23) == 1);
    BOOST_TEST(looks_of(100) == 1);
}

struct NothingDropped : Network<Image<2, 6, 6>, Conv<5>, Relu, Dropout<0>, Dense<4>> {};

// What a look tells is what one counts by hand with a rate of zero, under which nothing moves.
BOOST_AUTO_TEST_CASE(a_looks_numbers_are_means_over_its_images) {
    Model<NothingDropped, Cpu<f32>> model(Seed{1}, one_thread);
    const auto parts = small_parts();
    const Trainer trainer{Sgd{.learning_rate = 0},
                          Recipe{.batch = 8, .looks = 1, .updates_per_look = 3, .flips = false}};
    auto session = trainer.session(model, parts.fit, parts.held);
    const Look look = session.advance();
    const auto by_hand = [&](const auto& data) {
        const auto z = model.logits(data.images());
        double loss = 0, right = 0;
        for (std::size_t i = 0; i < data.size(); ++i) {
            loss += CrossEntropy::value(&z(i, 0), SmallNet::classes, data.label(i));
            int best = 0;
            for (int k = 1; k < SmallNet::classes; ++k)
                if (z(i, static_cast<std::size_t>(k)) > z(i, static_cast<std::size_t>(best))) best = k;
            right += best == index(data.label(i));
        }
        const auto n = static_cast<double>(data.size());
        return std::pair(loss / n, right / n);
    };
    const auto [train_loss, train_accuracy] = by_hand(parts.fit);
    const auto [held_loss, held_accuracy] = by_hand(parts.held);
    BOOST_TEST(look.train_loss == train_loss, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(look.train_accuracy == train_accuracy, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(look.held_loss == held_loss, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(look.held_accuracy == held_accuracy, boost::test_tools::tolerance(1e-12));
}

// Held-out images whose labels are the training images' turned round: learning one is unlearning the other.
BOOST_AUTO_TEST_CASE(patience_stops_and_the_best_weights_stay) {
    const auto parts = small_parts();
    const auto& store = *parts.fit.store();
    std::vector<Label> turned = store.labels;
    for (Label& y : turned) y = Label((index(y) + 1) % SmallNet::classes);
    const auto pixels = store.pixels();
    const HeldOutData against(make_store("turned", store.shape, {pixels.begin(), pixels.end()}, turned));
    SmallModel model(Seed{1}, one_thread);
    const Trainer trainer{RmsProp{.learning_rate = 1e-2f},
                          Recipe{.batch = 8, .looks = 50, .patience = 3, .updates_per_look = 20, .flips = false}};
    auto session = trainer.session(model, parts.fit, against);
    std::vector<std::vector<float>> after;
    while (!session.finished()) {
        const bool last = session.advance().look == 50;
        BOOST_REQUIRE(!last);
        after.push_back(model.parameters());  // of the last look: already the best ones
    }
    const History& history = session.history();
    BOOST_TEST((history.stop == Stop::patience));
    BOOST_TEST(history.looks.size() == static_cast<std::size_t>(history.best_look) + 3);
    BOOST_TEST((after.back() == after[static_cast<std::size_t>(history.best_look) - 1]));
    BOOST_TEST((after.back() != after[after.size() - 2]));
    double least = std::numeric_limits<double>::infinity();
    for (const Look& look : history.looks) {
        BOOST_TEST(look.best == (look.held_loss < least - double{1e-4f}));
        if (look.best) least = look.held_loss;
    }
    BOOST_TEST(history.best_loss == least);
}

BOOST_AUTO_TEST_CASE(a_gain_below_min_delta_is_none) {
    const auto parts = small_parts();
    SmallModel model(Seed{1}, one_thread);
    const Trainer trainer{Sgd{.learning_rate = 1e-4f}, Recipe{.batch = 8, .looks = 50, .patience = 2, .min_delta = 10}};
    const History history = trainer.fit(model, parts.fit, parts.held);
    BOOST_TEST(history.best_look == 1);
    BOOST_TEST(history.looks.size() == 3u);
}

BOOST_AUTO_TEST_CASE(nothing_held_out_gives_the_last_weights) {
    const auto parts = small_parts();
    SmallModel model(Seed{1}, one_thread), other(Seed{1}, one_thread);
    const Trainer trainer{Adam{}, Recipe{.batch = 8, .looks = 4, .patience = 1}};
    const HeldOutData none(parts.fit.store(), {});
    const History history = trainer.fit(model, parts.fit, none);
    BOOST_TEST(history.looks.size() == 4u);
    BOOST_TEST(history.best_look == 4);
    BOOST_TEST((history.stop == Stop::looks));
    BOOST_TEST(std::isinf(history.best_loss));
    BOOST_TEST(std::isnan(history.looks[0].held_loss));
    auto session = trainer.session(other, parts.fit, none);
    for (int look = 0; look < 4; ++look) session.advance();
    BOOST_TEST((model.parameters() == other.parameters()));
}

struct Linear : Network<Image<2, 6, 6>, Dense<4>> {};

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_stops_training_and_leaves_finite_weights) {
    const auto parts = small_parts();
    Model<Linear, Cpu<f32>> model(Seed{1}, one_thread);
    // The first update throws every weight near the largest float, so that no order of a sum keeps it finite (and no
    // rectifier hides that); the second one's loss, in the second epoch, is not finite.
    const Trainer trainer{RmsProp{.learning_rate = 1e38f}, Recipe{.batch = 23, .looks = 3, .updates_per_look = 2}};
    auto session = trainer.session(model, parts.fit, parts.held);
    BOOST_CHECK_EXCEPTION(session.advance(), NumericalError, says({"look 1", "update 1", "epoch 1", "learning rate"}));
    for (const float w : model.parameters()) BOOST_REQUIRE(std::isfinite(w));
    BOOST_TEST(session.history().looks.empty());
}

BOOST_AUTO_TEST_CASE(a_seed_decides_all_and_nothing_else_does) {
    const auto parts = small_parts();
    const Trainer trainer{RmsProp{}, Recipe{.batch = 8, .looks = 2}};
    const auto trained = [&](Seed seed) {
        SmallModel model(seed, one_thread);
        trainer.fit(model, parts.fit, parts.held);
        return model.parameters();
    };
    const auto first = trained(Seed{5});
    BOOST_TEST((trained(Seed{5}) == first));
    BOOST_TEST((trained(Seed{6}) != first));
    // The draws of a session are its own seed's, wherever the weights came from.
    SmallModel model(Seed{6}, one_thread);
    model.set_parameters(SmallModel(Seed{5}).parameters());
    trainer.fit(model, parts.fit, parts.held);
    BOOST_TEST((model.parameters() != first));
}

// Two networks of one seed start alike, whatever they are trained on, and meet an image with the same mask and flip.
BOOST_AUTO_TEST_CASE(samples_of_one_seed_share_what_they_share) {
    const auto parts = small_parts();
    const HeldOutData none(parts.fit.store(), {});
    // An epoch of three single images is three epochs of one image each, in the epoch's order.
    const auto order = epoch_order(std::vector<std::uint32_t>{7, 3, 9}, Seed{5}, 0);
    SmallModel long_list(Seed{5}, one_thread), singles(Seed{5}, one_thread);
    Trainer{Sgd{}, Recipe{.batch = 1, .looks = 1, .updates_per_look = 3}}.fit(long_list, parts.fit.of_items({3, 7, 9}),
                                                                              none);
    for (const Pick pick : order)
        Trainer{Sgd{}, Recipe{.batch = 1, .looks = 1, .updates_per_look = 1}}.fit(
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
            Trainer{Sgd{}, Recipe{.batch = 1, .looks = 1, .updates_per_look = 1, .flips = flips}}.fit(
                model, data, HeldOutData(data.store(), {}));
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

BOOST_AUTO_TEST_CASE(an_observer_hears_of_every_look) {
    const auto parts = small_parts();
    SmallModel model(Seed{1}, one_thread);
    int ends = 0, calls = 0, last_update = 0;
    const Trainer trainer{Sgd{}, Recipe{.batch = 8, .looks = 3, .updates_per_look = 70}};
    const History history = trainer.fit(model, parts.fit, parts.held, [&](const TrainingProgress& now) {
        ++calls;
        BOOST_TEST(now.look == ends + 1);
        BOOST_TEST(now.looks == 3);
        BOOST_TEST(now.updates == 70);
        BOOST_TEST(now.update >= (now.finished ? last_update : 1));
        BOOST_TEST(now.loss > 0);
        last_update = now.update;
        if (now.finished) {
            ++ends;
            BOOST_TEST(now.finished->look == ends);
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
        BOOST_CHECK_EXCEPTION(Trainer(Sgd{}, recipe).session(model, parts.fit, parts.held), ValueError,
                              says({named, value}));
    };
    refused({.batch = 0}, "batch", "0");
    refused({.looks = -3}, "looks", "-3");
    refused({.patience = 0}, "patience", "0");
    refused({.updates_per_look = -7}, "updates_per_look", "-7");
    refused({.min_delta = NAN}, "min_delta", "nan");
    const Trainer trainer{Sgd{}, Recipe{}};
    BOOST_CHECK_EXCEPTION(trainer.session(model, parts.fit.of_items({}), parts.held), ValueError,
                          says({"small", "no images"}));
    const TrainingData wide(make_store("wide", {2, 6, 7}, std::vector<std::uint8_t>(84), {Label{0}}));
    BOOST_CHECK_EXCEPTION(trainer.session(model, wide, parts.held), ValueError, says({"wide", "2x6x7", "2x6x6"}));
    const HeldOutData rich(
        make_store("rich", {2, 6, 6}, std::vector<std::uint8_t>(72), {Label{0}}, {"a", "b", "c", "d", "e"}));
    BOOST_CHECK_EXCEPTION(trainer.session(model, parts.fit, rich), ValueError, says({"rich", "5 classes", "4"}));
}

BOOST_AUTO_TEST_CASE(sessions_side_by_side_are_those_alone) {
    const auto parts = small_parts();
    const Trainer trainer{RmsProp{}, Recipe{.batch = 8, .looks = 3}};
    SmallModel a(Seed{1}, one_thread), b(Seed{2}, one_thread), alone(Seed{2}, one_thread);
    auto first = trainer.session(a, parts.fit, parts.held), second = trainer.session(b, parts.fit, parts.held);
    second.advance();
    using AnySession = decltype(first);
    AnySession* const running[] = {&first, &second};
    int rounds = 0;
    while (advance_one_look(std::span<AnySession* const>(running))) ++rounds;
    BOOST_TEST(rounds == 3);
    trainer.fit(alone, parts.fit, parts.held);
    BOOST_TEST((b.parameters() == alone.parameters()));
}

}  // namespace
