// A study that is asked to stop: a checkpoint at the next update, and the same bits when it is gone on with.
// links: command_line
#define BOOST_TEST_MODULE study_stopping
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include <skewgrad/command_line/run_main.hpp>
#include <skewgrad/command_line/run_options.hpp>
#include "small_study.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::map<std::string, std::string> uninterrupted() {
    const TemporaryFolder folder;
    RunFolder run(folder / "run");
    small_study().run(small_data(), run);
    return results_in(folder / "run");
}

/// Runs in a folder; at the question `after` the answer is to stop, until the study is through. Returns how often. Once
/// all networks are trained a question later than that: the cells of a source and class are kept together.
int stopped_again_and_again(const fs::path& folder, int after, int jobs) {
    for (int times = 0;; ++times) {
        std::atomic<int> asked = 0;
        StudyObserver observer;
        const bool trained = times > 0 && read_status(folder).next.empty();
        observer.stop = [&] { return ++asked >= (trained ? 15 : after); };
        try {
            RunFolder run(folder);
            small_study().run(small_data(), run, observer, jobs);
            return times;
        } catch (const Stopped&) {
        }
        BOOST_REQUIRE(times < 1000);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_session_stopped_within_a_round_goes_on_with_the_same_bits) {
    const TemporaryFolder folder;
    const auto parts = small_parts();
    const Trainer trainer{RmsProp{}, Recipe{.batch = 8, .rounds = 3, .updates_per_round = 5}};
    SmallModel whole(Seed{7}, one_thread);
    const History expected = trainer.fit(whole, parts.fit, parts.validation);
    for (const int at : {1, 4, 5, 8, 12}) {
        SmallModel first(Seed{7}, one_thread), second(Seed{7}, one_thread);
        int made = 0;
        {
            auto session = trainer.session(first, parts.fit, parts.validation);
            while (made < at && session.advance({}, [&] { return ++made >= at; }) != nullptr) {
            }
            session.save(folder / "half");
        }
        auto session = trainer.session(second, parts.fit, parts.validation);
        session.load(folder / "half");
        while (!session.finished()) session.advance();
        BOOST_TEST_CONTEXT("stopped after " << at << " updates") {
            BOOST_TEST((second.parameters() == whole.parameters()));
            for (std::size_t l = 0; l < expected.rounds.size(); ++l) {
                BOOST_TEST(session.history().rounds[l].train_loss == expected.rounds[l].train_loss);
                BOOST_TEST(session.history().rounds[l].validation_loss == expected.rounds[l].validation_loss);
                BOOST_TEST(session.history().rounds[l].updates == expected.rounds[l].updates);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_study_stopped_at_any_update_or_cell_ends_as_if_nothing_had_been) {
    const auto expected = uninterrupted();
    for (const int jobs : {1, 2})
        for (const int after : {1, 2, 3, 7}) {
            const TemporaryFolder folder;
            const int times = stopped_again_and_again(folder / "run", after + 1, jobs);
            BOOST_TEST_CONTEXT(jobs << " jobs, stopped every " << after << " questions, " << times << " times") {
                BOOST_TEST(times > 1);
                BOOST_TEST((results_in(folder / "run") == expected));
            }
        }
}

BOOST_AUTO_TEST_CASE(without_a_folder_it_stops_as_well) {
    StudyObserver observer;
    observer.stop = [] { return true; };
    BOOST_CHECK_THROW(small_study().run(small_data(), observer), Stopped);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_program_with_its_status_and_says_how_to_go_on) {
    const auto expected = uninterrupted();
    for (const int number : {SIGTERM, SIGINT}) {
        const TemporaryFolder folder;
        const fs::path said = folder / "predicted";
        bool raised = false;
        const RunOptions in{.run = folder / "run", .status = {}};
        const pid_t child = ::fork();
        BOOST_REQUIRE(child >= 0);
        if (child == 0) {
            std::ostringstream out, error;
            CLI::App app{"a program"};
            const char* argv[] = {"program"};
            StudyObserver observer;
            observer.training = [&](std::size_t, const TrainingProgress&) {
                if (!std::exchange(raised, true)) ::raise(number);
            };
            const int status = run_main(
                app, 1, argv, [&] { run_study(small_study(), small_data(), in, observer, "program --run it"); },
                {out, error});
            write_whole_file(said, error.str());
            ::_exit(status);
        }
        int status = 0;
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
        BOOST_REQUIRE(WIFEXITED(status));
        BOOST_TEST(WEXITSTATUS(status) == (number == SIGTERM ? 75 : 130));
        BOOST_TEST(contains(read_whole_text(said), "to go on: program --run it"));
        std::ostringstream shown;
        BOOST_TEST(printed_status({.run = {}, .status = folder / "run"}, shown));
        BOOST_TEST(contains(shown.str(), "to go on: program --run it"));
        run_study(small_study(), small_data(), in, {});
        BOOST_TEST((results_in(folder / "run") == expected));
    }
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_at_once) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        const StopSignals signals;
        ::raise(SIGINT);
        if (signals.number() != SIGINT) ::_exit(1);
        ::raise(SIGTERM);
        ::_exit(2);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
}

BOOST_AUTO_TEST_CASE(another_plan_in_the_same_folder_is_said) {
    const TemporaryFolder folder;
    const auto said = [&](const auto& study) {
        std::string difference;
        StudyObserver observer;
        observer.plan_changed = [&](const std::string& what) { difference = what; };
        RunFolder run(folder / "run");
        study.run(small_data(), run, observer);
        return difference;
    };
    auto study = small_study();
    BOOST_TEST(said(study) == "");
    BOOST_TEST(said(study) == "");
    std::get<0>(study.attacks).epsilon = .05f;
    BOOST_TEST(said(study) == "asked.attacks.0.values.epsilon was 0.1, is 0.05");
    study.seeds = {Seed{4}};
    BOOST_TEST(said(study) == "asked.seeds.0 was 1, is 4");
}
