// What can be known before the first training is refused before it: one sentence with argument and value.
#define BOOST_TEST_MODULE study_checks
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/study/paper_networks.hpp>
#include <skewgrad/study/study.hpp>
#include "means_learner.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;

namespace {

using Small = Study<MeansLearner, On<Sampler<Balanced>, Sampler<Under>, std::vector<Sampler<LongTail>>>,
                    From<SameModel, DifferentModel>, By<Attack<FGSM>, Attack<PermutedSign>>>;

Small small(int* trained = nullptr) {
    return {.learner = {trained},
            .samplers = {{}, {.count = 4}, {}},
            .attacks = {{.epsilon = .02f}, {.epsilon = .02f}},
            .data_protocol = {.per_class = 2},
            .classes = {Label{3}, Label{5}},
            .seeds = {Seed{1}, Seed{2}}};
}
const Splits& data() {
    static const Splits splits = Embedded{.train_per_class = 20, .test_per_class = 6}.load(1);
    return splits;
}
Splits with_test(std::vector<Label> labels, std::vector<std::string> names, Shape shape = {3, 32, 32}) {
    const std::size_t bytes = labels.size() * static_cast<std::size_t>(shape.size());
    return {data().train, TestData(make_store("other", shape, std::vector<std::uint8_t>(bytes, 7), std::move(labels),
                                              std::move(names)))};
}

/// Asks for the study and expects a ValueError with these words before anything is trained or written.
void refused(const std::function<void(Small&)>& change, const std::vector<std::string>& words,
             const Splits& on = data()) {
    int trained = 0;
    Small study = small(&trained);
    change(study);
    std::string said;
    try {
        study.run(on);
    } catch (const ValueError& error) {
        said = error.what();
    }
    BOOST_TEST(trained == 0);
    for (const std::string& word : words)
        BOOST_TEST(said.find(word) != std::string::npos, "\"" << word << "\" is not in \"" << said << "\"");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_sound_study_runs) {
    int trained = 0;
    BOOST_TEST(small(&trained).run(data()).cells.size() > 0u);
    BOOST_TEST(trained == 6);
}

BOOST_AUTO_TEST_CASE(seeds_classes_and_transfer_need_no_data) {
    refused([](Small& s) { s.seeds.clear(); }, {"Study::seeds is empty"});
    refused([](Small& s) { s.seeds = {Seed{7}, Seed{9}, Seed{7}}; }, {"Study::seeds", "7", "twice"});
    refused([](Small& s) { s.classes.clear(); }, {"Study::classes is empty"});
    refused([](Small& s) { s.classes = {Label{3}, Label{3}}; }, {"Study::classes", "3", "twice"});
    using claims::Kind;
    refused([](Small& s) { s.transfer = {Kind::balanced, Kind::scarce}; },
            {"Study::transfer", "called \"scarce\"", "they are called \"balanced\", \"under\""});
    refused([](Small& s) { s.transfer = {Kind::under, Kind::under}; }, {"Study::transfer", "under", "twice"});
    // The plan says so itself: no data are needed.
    Small study = small();
    study.transfer = {Kind::over};
    BOOST_CHECK_THROW(study.plan(), ValueError);
}

BOOST_AUTO_TEST_CASE(values_of_attacks_and_sweeps_need_no_data) {
    const float none = std::numeric_limits<float>::quiet_NaN();
    refused([](Small& s) { std::get<0>(s.attacks).epsilon = 8; }, {"epsilon is 8"});
    refused([&](Small& s) { std::get<1>(s.attacks).epsilon = none; }, {"epsilon is nan"});
    refused([](Small& s) { s.sweep = {0, 2}; }, {"Study::sweep", "2"});
    refused([&](Small& s) { s.sweep = {none}; }, {"Study::sweep", "nan"});
}

/// A learner that does not say what it is.
struct Unsaid : MeansLearner {
    nlohmann::json said;
    nlohmann::json json() const { return said; }
};
BOOST_AUTO_TEST_CASE(a_learner_says_what_it_is_in_an_object) {
    using Study = skewgrad::Study<Unsaid, On<Sampler<Balanced>>, From<SameModel>, By<Attack<FGSM>>>;
    const auto plan = [](nlohmann::json said) {
        Study study{.learner = {{}, std::move(said)}, .samplers = {}, .attacks = {}, .classes = {Label{3}}};
        return study.plan();
    };
    BOOST_CHECK_NO_THROW(plan({{"name", "x"}}));
    BOOST_CHECK_THROW(plan("x"), ValueError);
    BOOST_CHECK_THROW(plan({{"backend", 3}}), ValueError);
}

BOOST_AUTO_TEST_CASE(counts_and_classes_that_the_data_do_not_have) {
    refused([](Small& s) { std::get<1>(s.samplers).count = 19; }, {"Sampler<Under>", "19", "18 available"});
    refused([](Small& s) { std::get<1>(s.samplers).count = 0; }, {".count is 0"});
    refused([](Small& s) { s.classes = {Label{10}}; }, {"Study::classes", "no class 10", "0 to 9"});
    refused([](Small& s) { std::get<1>(s.samplers).skewed_class = Label{12}; }, {"skewed_class is 12", "0 to 9"});
    refused([](Small& s) { s.data_protocol.per_class = 21; }, {"20 images, 21 were to be held out"});
    refused([](Small& s) { s.data_protocol.per_class = -1; }, {"per_class is -1"});
    refused([](Small& s) { s.test_images_per_class = -1; }, {"test_images_per_class is -1"});
    refused([](Small& s) { s.test_images_per_class = 7; }, {"test_images_per_class is 7", "has 6"});
    refused([](Small& s) { std::get<2>(s.samplers) = {{.ratio = 500}}; },
            {"LongTail", "has no training images", "class 5"});
}

BOOST_AUTO_TEST_CASE(test_data_that_do_not_go_with_the_training_data) {
    const auto as_it_is = [](Small&) {};
    const auto& names = data().train.class_names();
    auto swapped = names;
    std::swap(swapped[3], swapped[4]);
    std::vector<Label> two_each;
    for (std::uint16_t c = 0; c < 10; ++c) two_each.insert(two_each.end(), 2, Label{c});
    refused(as_it_is, {"class 3", names[3], names[4]}, with_test(two_each, swapped));
    auto more = names;
    more.push_back("more");
    refused(as_it_is, {"10 classes", "11"}, with_test(two_each, more));
    refused(as_it_is, {"3x32x32", "1x28x28"}, with_test(two_each, names, {1, 28, 28}));
    // A class with one test image has no other image whose signs it could be given.
    auto one_of_3 = two_each;
    one_of_3.erase(one_of_3.begin() + 6);
    refused(as_it_is, {"permuted_sign: class 3 has one image"}, with_test(one_of_3, names));
}

BOOST_AUTO_TEST_CASE(a_recipe_that_cannot_be_is_refused_when_planned) {
    using Learner = NetworkLearner<AsWrittenNetwork, Cpu<f32>, RmsProp>;
    const auto said = [](const Recipe& recipe) -> std::string {
        try {
            Learner{.recipe = recipe}.check_values();
        } catch (const ValueError& error) {
            return error.what();
        }
        return {};
    };
    BOOST_TEST(said({}) == "");
    BOOST_TEST(said({.batch = 0}) == "Recipe: batch is 0, it must be at least 1");
    BOOST_TEST(said({.batch = -3}) == "Recipe: batch is -3, it must be at least 1");
    BOOST_TEST(said({.rounds = 0}) == "Recipe: rounds is 0, it must be at least 1");
    BOOST_TEST(said({.patience = 0}) == "Recipe: patience is 0, it must be at least 1");
    BOOST_TEST(said({.updates_per_round = -1}) == "Recipe: updates_per_round is -1, it must be at least 0");
    BOOST_TEST(said({.min_delta = -1}).starts_with("Recipe: min_delta is -1"));
    BOOST_CHECK_EXCEPTION(
        Learner{.optimiser = {.learning_rate = -1}}.check_values(), ValueError,
        [](const ValueError& e) { return std::string(e.what()).starts_with("rmsprop: learning_rate is -1"); });
    static_assert(CheckingLearner<Learner>);
    BOOST_CHECK_THROW(Learner{}.check_data(with_test({Label{0}}, {"a"}, {1, 28, 28}).test), ValueError);
}
