// Learners that train on one backend and measure on another.
#define BOOST_TEST_MODULE study_learner
#include <boost/test/unit_test.hpp>
#include <concepts>
#include <exception>
#include <string>

#include <skewgrad/sampling/samplers.hpp>
#include <skewgrad/study/data_protocol.hpp>
#include <skewgrad/study/learner.hpp>
#include <skewgrad/study/run_folder.hpp>
#include "small_study.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

using Bf16 = NetworkLearner<SmallNet, Cpu<bf16>, RmsProp>;
using Mixed = NetworkLearner<SmallNet, Cpu<bf16>, RmsProp, Cpu<f32>>;
static_assert(ResumableLearner<Mixed> && StoringLearner<Mixed> && RunsOnHardware<Mixed>);
static_assert(std::same_as<Mixed::ModelType, SmallModel>);

const RmsProp optimiser{.learning_rate = 1e-2f};
const Recipe recipe{.batch = 8, .rounds = 2};
const Bf16 plain{optimiser, recipe, Cpu<bf16>::Context(1), {}};
const Mixed mixed{optimiser, recipe, Cpu<bf16>::Context(1), one_thread};

TrainingSet training_set() { return HoldOutBeforeSampling{.per_class = 2}(small_data(), Sampler<Balanced>{}, Seed{1}); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_network_trained_in_bf16_is_measured_in_f32) {
    const auto in_bf16 = plain.train(training_set(), Seed{1}, {});
    const auto in_both = mixed.train(training_set(), Seed{1}, {});
    BOOST_TEST((in_both.model.parameters() == in_bf16.model.parameters()));
    const auto x = small_data().test.images();
    BOOST_TEST((in_both.model.logits(x) == SmallModel(in_bf16.model).logits(x)));
    BOOST_TEST(!(in_both.model.logits(x) == in_bf16.model.logits(x)));
}

BOOST_AUTO_TEST_CASE(what_it_ran_on_names_both) {
    BOOST_TEST(std::string(plain.json().at("backend")) == "cpu-bf16");
    BOOST_TEST(std::string(mixed.json().at("backend")) == "cpu-bf16, measured on cpu-f32");
    BOOST_TEST(mixed.runs_on() == plain.runs_on() + "; measured on " + one_thread.description());
}

BOOST_AUTO_TEST_CASE(its_run_is_a_folder_that_is_read_again) {
    const TemporaryFolder folder;
    const auto study = small_study(mixed);
    const auto run = [&] {
        RunFolder here(folder / "run");
        int trained = 0;
        StudyObserver observer;
        observer.training_begins = [&](std::size_t, const TrainingSet&) { ++trained; };
        study.run(small_data(), here, observer);
        return trained;
    };
    BOOST_TEST(run() > 0);
    const auto files = results_in(folder / "run");
    BOOST_TEST(run() == 0);
    BOOST_TEST((results_in(folder / "run") == files));
    // What runs on something else is refused.
    RunFolder here(folder / "run");
    BOOST_CHECK_EXCEPTION(small_study(plain).run(small_data(), here), std::exception, [](const std::exception& e) {
        return std::string(e.what()).find("--continue-on-other-hardware") != std::string::npos;
    });
}
