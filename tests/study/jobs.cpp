// links: reference
// Networks trained at a time: what comes of it is what one after the other gives; failures end all of them.
#define BOOST_TEST_MODULE study_jobs
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <skewgrad/core/jobs.hpp>
#include <skewgrad/reference.hpp>
#include "store/temporary_folder.hpp"
#include "study/means_learner.hpp"
#include "study/small_study.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

using Mixed = NetworkLearner<SmallNet, Cpu<bf16>, RmsProp, Cpu<f32>>;
using Plain = NetworkLearner<SmallNet, Reference<float>, RmsProp>;
static_assert(ConcurrentLearner<SmallLearner> && ConcurrentLearner<Mixed> && ConcurrentLearner<Plain>);
static_assert(!ConcurrentLearner<MeansLearner>);

template <class S>
std::map<std::string, std::string> files_of(const S& study, int jobs) {
    const TemporaryFolder folder;
    RunFolder run(folder / "run");
    study.run(small_data(), run, {}, jobs);
    return results_in(folder / "run");
}

/// Every image's answers and the parameters' traces in them, as one text.
std::string answers(const StudyResults& results) {
    std::ostringstream text;
    text.precision(17);
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const CellHandle cell = results.cells[i];
        for (const ImageRecord& image : cell->images)
            text << image.clean.margin << ' ' << image.clean.loss << ' ' << image.attacked.margin << ' '
                 << image.attacked.loss << ' ' << image.gradient_norm1 << '\n';
    }
    return text.str();
}

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_task_is_done_once_and_no_job_twice_at_a_time) {
    std::vector<std::atomic<int>> done(50), busy(3);
    std::atomic<bool> clash = false;
    Jobs().run(3, 50, [&](std::size_t job, std::size_t task) {
        if (busy[job]++ != 0) clash = true;
        ++done[task];
        --busy[job];
    });
    BOOST_TEST(std::ranges::all_of(done, [](const auto& times) { return times == 1; }));
    BOOST_TEST(!clash);
    Jobs().run(3, 0, [](std::size_t, std::size_t) { BOOST_FAIL("there is nothing to do"); });
}

BOOST_AUTO_TEST_CASE(one_job_works_where_it_is_called) {
    std::set<std::thread::id> threads;
    Jobs().run(1, 5, [&](std::size_t job, std::size_t) {
        BOOST_TEST(job == 0u);
        threads.insert(std::this_thread::get_id());
    });
    BOOST_TEST((threads == std::set{std::this_thread::get_id()}));
}

BOOST_AUTO_TEST_CASE(the_first_failure_is_told_and_the_others_are_given_up) {
    Jobs jobs;
    std::atomic<int> begun = 0, given_up = 0;
    const auto work = [&](std::size_t, std::size_t task) {
        ++begun;
        if (task == 1) {
            while (begun < 3) std::this_thread::yield();
            throw Failure("task 1");
        }
        try {
            while (true) {
                jobs.go_on();
                std::this_thread::yield();
            }
        } catch (...) {
            ++given_up;
            throw;
        }
    };
    BOOST_CHECK_EXCEPTION(jobs.run(3, 10, work), Failure,
                          [](const Failure& e) { return std::string(e.what()) == "task 1"; });
    BOOST_TEST((begun == 3 && given_up == 2));  // no task is begun after a failure
}

BOOST_AUTO_TEST_CASE(a_run_of_several_jobs_leaves_the_same_files) {
    const auto one = files_of(small_study(), 1);
    BOOST_TEST(one.size() > 10u);
    BOOST_TEST((files_of(small_study(), 2) == one));
    BOOST_TEST((files_of(small_study(), 64) == one));  // more than there are networks
    auto shared = small_study();
    shared.learner.context = Cpu<f32>::Context(2);  // each job has one of its threads
    BOOST_TEST((files_of(shared, 2) == one));
    BOOST_TEST((files_of(shared, 0) == one));
    const auto mixed =
        small_study(Mixed{{.learning_rate = 1e-2f}, {.batch = 8, .rounds = 2}, Cpu<bf16>::Context(1), one_thread});
    BOOST_TEST((files_of(mixed, 3) == files_of(mixed, 1)));
}

BOOST_AUTO_TEST_CASE(in_memory_and_on_other_learners_too) {
    const auto same_for_any = [](const auto& study) {
        return answers(study.run(small_data(), {}, 3)) == answers(study.run(small_data()));
    };
    BOOST_TEST(same_for_any(small_study()));
    BOOST_TEST(same_for_any(small_study(Plain{{.learning_rate = 1e-2f}, {.batch = 8, .rounds = 2}, {}, {}})));
    auto means = small_study(MeansLearner{});  // trains one after the other
    means.adjust_logits = false;
    BOOST_TEST(same_for_any(means));
}

BOOST_AUTO_TEST_CASE(as_many_as_are_fastest_unless_told_otherwise) {
    auto three = small_study();
    three.learner.context = Cpu<f32>::Context(3);
    three.erase([](const study::ErasedStudy&, study::StudyOperations& work) {
        BOOST_TEST(work.prepare(9, 7, 0) == 3u);  // one a thread
        BOOST_TEST(work.prepare(9, 2, 0) == 2u);
        BOOST_TEST(work.prepare(9, 7, 5) == 5u);
        BOOST_TEST(work.prepare(9, 7, 1) == 1u);
        BOOST_TEST(work.prepare(9, 0, 0) == 1u);
    });
    auto means = small_study(MeansLearner{});
    means.adjust_logits = false;
    means.erase(
        [](const study::ErasedStudy&, study::StudyOperations& work) { BOOST_TEST(work.prepare(9, 7, 0) == 1u); });
}

BOOST_AUTO_TEST_CASE(a_failure_in_one_training_ends_the_run_which_goes_on_later) {
    const TemporaryFolder folder;
    StudyObserver observer;
    std::set<std::size_t> begun;
    observer.training_begins = [&](std::size_t t, const TrainingSet&) { begun.insert(t); };
    observer.training = [&](std::size_t t, const TrainingProgress& p) {
        if (t == 1 && p.finished) throw Failure("enough");
    };
    {
        RunFolder run(folder / "run");
        BOOST_CHECK_THROW(small_study().run(small_data(), run, observer, 2), Failure);
        BOOST_TEST(begun.size() < 4u);  // of four
    }
    RunFolder run(folder / "run");
    small_study().run(small_data(), run, {}, 2);
    BOOST_TEST((results_in(folder / "run") == files_of(small_study(), 1)));
}

BOOST_AUTO_TEST_CASE(shares_of_time_add_up_to_what_passed) {
    study::StudyClock clock;
    clock.begins(0, Stage::train, 1, 10);
    clock.begins(1, Stage::attack, 1, 14);
    BOOST_TEST(clock.take_seconds(0, 20) == 4 + 3);
    clock.ends(0, false, 20);
    BOOST_TEST(clock.take_seconds(1, 25) == 3 + 5);
    BOOST_TEST(clock.take_seconds(1, 26) == 1);
}
