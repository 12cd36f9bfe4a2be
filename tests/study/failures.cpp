// A training whose loss is not finite any more: it is recorded, the others and their cells go on.
#define BOOST_TEST_MODULE study_failures
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <set>
#include <string>

#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/study/run_status.hpp>
#include <skewgrad/study/study.hpp>
#include "means_learner.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;

namespace {

/// Diverges where one class is small, as long as `diverges` is set.
struct DivergingLearner {
    using ModelType = MeansModel;
    bool* diverges;
    int* trained;

    Learned<MeansModel> train(const TrainingSet& data, Seed seed, const TrainingObserver& observer) const {
        ++*trained;
        if (*diverges && data.fit.counts()[3] == 4)
            throw NumericalError("the training loss is not finite at round 2, update 7, epoch 0");
        return MeansLearner{}.train(data, seed, observer);
    }
    nlohmann::json json() const { return {{"name", "class means"}}; }
};
using Small = Study<DivergingLearner, On<Sampler<Balanced>, Sampler<Under>>, From<SameModel, DifferentModel>,
                    By<Attack<FGSM>, Attack<RandomSign>>>;

struct World {
    bool diverges = true;
    int trained = 0;
    Small study() {
        return {.learner = {&diverges, &trained},
                .samplers = {{}, {.count = 4}},
                .attacks = {{.epsilon = .02f}, {.epsilon = .02f}},
                .data_protocol = {.per_class = 2},
                .classes = {Label{2}, Label{3}},
                .seeds = {Seed{1}}};
    }
};
const Splits& data() {
    static const Splits splits = Embedded{.train_per_class = 20, .test_per_class = 6}.load(1);
    return splits;
}
const char* reason = "the training loss is not finite at round 2, update 7, epoch 0";

void check_what_is_left(const StudyResults& results, const Small& study) {
    const Plan whole = study.plan();
    BOOST_REQUIRE(results.failed.size() == 1u);
    BOOST_TEST(results.failed[0].title == "Under " + data().train.class_names()[3] + " 4, seed 1");
    BOOST_TEST(results.failed[0].reason == reason);
    BOOST_TEST(results.failed[0].cells == 3u);  // fast from both sources, noise once
    BOOST_TEST(results.plan.trainings.size() == whole.trainings.size() - 1);
    BOOST_TEST(results.trainings.size() == results.plan.trainings.size());
    BOOST_TEST(results.plan.cells.size() == whole.cells.size() - 3);
    BOOST_TEST(results.cells.size() == results.plan.cells.size());
    for (std::size_t i = 0; i < results.cells.size(); ++i) BOOST_TEST(results.cells.images(i) == 6u);
    for (const TrainingResult& training : results.trainings) BOOST_TEST(training.clean.size() == 60u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_others_go_on_and_what_is_missing_is_listed) {
    World world;
    std::set<std::size_t> told;
    StudyObserver observer;
    observer.training_failed = [&](std::size_t t, const std::string& why) {
        told.insert(t);
        BOOST_TEST(why == reason);
    };
    const StudyResults results = world.study().run(data(), observer);
    check_what_is_left(results, world.study());
    BOOST_TEST(told.size() == 1u);
    // What is there is what a study that never asked for the lost network finds.
    World sound;
    Small without = sound.study();
    without.classes = {Label{2}};
    const StudyResults same = without.run(data());
    const auto under_2 = [](const StudyResults& r) {
        for (std::size_t i = 0; i < r.cells.size(); ++i)
            if (r.plan.trainings[r.plan.cells[i].victim].skewed == Label{2}) {
                const CellHandle cell = r.cells[i];
                return cell->after();
            }
        return std::vector<Prediction>{};
    };
    BOOST_TEST(!under_2(same).empty());
    BOOST_TEST((under_2(results) == under_2(same)));
}

BOOST_AUTO_TEST_CASE(a_folder_remembers_it_and_retries_on_request) {
    const TemporaryFolder folder;
    World world;
    const auto run = [&](RetryFailed retry = RetryFailed::no) {
        RunFolder here(folder / "run", FromHardware::same, retry);
        world.trained = 0;
        return world.study().run(data(), here);
    };
    check_what_is_left(run(), world.study());
    BOOST_TEST(world.trained == 4);
    const RunStatus status = read_status(folder / "run");
    BOOST_TEST(status.failed.size() == 1u);
    BOOST_TEST(status.done());
    check_what_is_left(run(), world.study());  // not again
    BOOST_TEST(world.trained == 0);
    world.diverges = false;
    const StudyResults mended = run(RetryFailed::yes);
    BOOST_TEST(mended.failed.empty());
    BOOST_TEST(mended.cells.size() == world.study().plan().cells.size());
    BOOST_TEST(read_status(folder / "run").done());
    BOOST_TEST(read_status(folder / "run").failed.empty());
}

BOOST_AUTO_TEST_CASE(a_lost_source_takes_its_cells_along) {
    World world;
    Small study = world.study();
    study.seeds = {Seed{1}, Seed{2}};
    study.transfer = {claims::Kind::balanced, claims::Kind::under};
    const StudyResults results = study.run(data());
    BOOST_TEST(results.failed.size() == 2u);
    std::size_t lost = 0;
    for (const PlannedCell& cell : study.plan().cells) {
        const auto is_lost = [&](std::size_t t) { return study.plan().trainings[t].skewed == Label{3}; };
        lost += is_lost(cell.victim) || is_lost(cell.source);
    }
    BOOST_TEST(results.plan.cells.size() == study.plan().cells.size() - lost);
    for (const PlannedCell& cell : results.plan.cells) {
        BOOST_TEST((results.plan.trainings.at(cell.victim).skewed != Label{3}));
        BOOST_TEST((results.plan.trainings.at(cell.source).skewed != Label{3}));
    }
}
