// Runs that are killed: at every step of every write, at random times, with a full disk; each ends as if nothing had
// been.
#define BOOST_TEST_MODULE study_run_folder
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <skewgrad/study/run_status.hpp>
#include "store/temporary_folder.hpp"
#include "study/means_learner.hpp"
#include "study/preconditions.hpp"
#include "study/small_study.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
namespace fs = std::filesystem;

namespace {

/// These tests write some ten thousand small files: in memory where there is room, unless told where.
struct InMemory {
    InMemory() {
        if (fs::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
    }
};
BOOST_TEST_GLOBAL_CONFIGURATION(InMemory);

int steps_taken = 0, last_step = 0, error_at_last = 0, signal_at_last = SIGKILL;

/// Ends (or stops) the process before step number `last_step`, or lets that step fail with `error_at_last`.
int count_steps(posix::Step) {
    if (++steps_taken != last_step) return 0;
    if (error_at_last == 0) ::raise(signal_at_last);
    return error_at_last;
}

StudyResults run_in(const fs::path& folder) {
    RunFolder run(folder);
    return small_study().run(small_data(), run);
}

/// Runs `action` in a process of its own; returns how that ended. `meanwhile` is told its number.
int in_a_child(const std::function<void()>& action, const std::function<void(pid_t)>& meanwhile = {}) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        try {
            action();
        } catch (...) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    if (meanwhile) meanwhile(child);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

/// A run that nothing interrupts, and the steps that it takes.
struct Uninterrupted {
    std::map<std::string, std::string> files;
    int steps = 0;
    double seconds = 0;
};
const Uninterrupted& uninterrupted() {
    static const Uninterrupted once = [] {
        Uninterrupted u;
        const TemporaryFolder folder;
        last_step = steps_taken = 0;
        posix::before_step = count_steps;
        const auto began = std::chrono::steady_clock::now();
        run_in(folder / "run");
        u.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        posix::before_step = nullptr;
        u.steps = steps_taken;
        u.files = results_in(folder / "run");
        return u;
    }();
    return once;
}

/// Names of files that differ, for messages.
std::string differing(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
    std::string names;
    for (const auto& [name, bytes] : a)
        if (!b.contains(name) || b.at(name) != bytes) names += name + " ";
    for (const auto& [name, bytes] : b)
        if (!a.contains(name)) names += name + " ";
    return names;
}

std::string complaint(const std::function<void()>& action) {
    try {
        action();
    } catch (const FileError& error) {
        return error.what();
    }
    return {};
}
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool same_outcomes(const StudyResults& a, const StudyResults& b) {
    bool same = a.cells.size() == b.cells.size();
    const auto equal = [](double x, double y) { return x == y || (x != x && y != y); };
    for (std::size_t i = 0; same && i < a.cells.size(); ++i) {
        const CellHandle one = a.cells[i], other = b.cells[i];
        same = one->images.size() == other->images.size() && one->sweep.size() == other->sweep.size() &&
               a.cells.images(i) == one->images.size();
        for (std::size_t n = 0; same && n < one->images.size(); ++n) {
            const ImageRecord x = one->images[n], y = other->images[n];
            same = x.item == y.item && x.clean == y.clean && x.attacked == y.attacked &&
                   x.gradient_norm1 == y.gradient_norm1 && x.zero_gradient == y.zero_gradient &&
                   x.zero_pixels == y.zero_pixels && equal(x.smallest_epsilon, y.smallest_epsilon) &&
                   equal(x.cosine, y.cosine) && equal(x.sign_agreement, y.sign_agreement);
        }
        for (std::size_t p = 0; same && p < one->sweep.size(); ++p)
            same =
                one->sweep[p].epsilon == other->sweep[p].epsilon && one->sweep[p].accuracy == other->sweep[p].accuracy;
    }
    for (std::size_t t = 0; same && t < a.trainings.size(); ++t)
        same = a.trainings[t].clean == b.trainings[t].clean && a.trainings[t].items == b.trainings[t].items &&
               a.trainings[t].counts == b.trainings[t].counts &&
               a.trainings[t].validation_images == b.trainings[t].validation_images &&
               a.trainings[t].history.rounds.size() == b.trainings[t].history.rounds.size() &&
               equal(a.trainings[t].history.best_loss, b.trainings[t].history.best_loss);
    return same;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_finds_what_a_study_in_memory_finds_and_finds_it_again) {
    const TemporaryFolder folder;
    const StudyResults in_memory = small_study().run(small_data());
    BOOST_TEST(same_outcomes(run_in(folder / "run"), in_memory));
    BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
    int trained = 0;
    StudyObserver observer;
    observer.training_begins = [&](std::size_t, const TrainingSet&) { ++trained; };
    RunFolder again(folder / "run");
    BOOST_TEST(same_outcomes(small_study().run(small_data(), again, observer), in_memory));
    BOOST_TEST(trained == 0);
    bool some_flip = false;
    for (std::size_t i = 0; i < in_memory.cells.size(); ++i) {
        const CellHandle cell = in_memory.cells[i];
        for (const ImageRecord& image : cell->images)
            some_flip = some_flip || image.clean.predicted != image.attacked.predicted;
    }
    BOOST_TEST(some_flip);
}

// Cells are read when they are used: by then a file may be damaged or gone.
BOOST_AUTO_TEST_CASE(a_file_of_cells_that_is_damaged_after_the_run_is_named_when_it_is_used) {
    const TemporaryFolder folder;
    const StudyResults results = run_in(folder / "run");
    const CellHandle first = results.cells[0];
    const std::size_t images = first->images.size();
    for (const auto& file : fs::directory_iterator(folder / "run" / "cells")) fs::resize_file(file.path(), 100);
    const std::string damage = complaint([&] { (void)results.cells[results.cells.size() - 1]; });
    BOOST_TEST(contains(damage, (folder / "run" / "cells").string()), damage);
    fs::remove_all(folder / "run");
    BOOST_TEST(contains(complaint([&] { (void)results.cells[results.cells.size() - 1]; }), "cells"));
    BOOST_TEST(results.cells.images(results.cells.size() - 1) == images);
    const CellHandle again = results.cells[0];  // what is in use stays
    BOOST_TEST(again->images.size() == images);
}

BOOST_AUTO_TEST_CASE(a_process_ended_at_any_write_fsync_or_rename_loses_nothing) {
    const int steps = uninterrupted().steps;
    BOOST_TEST_MESSAGE(steps << " steps");
    BOOST_TEST(steps > 100);
    for (int step = 1; step <= steps; ++step) {
        const TemporaryFolder folder;
        const int status = in_a_child([&] {
            steps_taken = 0;
            last_step = step;
            posix::before_step = count_steps;
            run_in(folder / "run");
        });
        BOOST_REQUIRE(was_killed(status));
        run_in(folder / "run");
        BOOST_REQUIRE_MESSAGE(
            differing(results_in(folder / "run"), uninterrupted().files) == "",
            "killed at step " << step << ": " << differing(results_in(folder / "run"), uninterrupted().files));
    }
}

BOOST_AUTO_TEST_CASE(thirty_kills_at_random_times_some_of_them_while_resuming) {
    std::uint32_t at = 0;
    const auto random = [&] { return uniform(draw_word({.seed = Seed{5}, .purpose = Purpose::noise}, at++)); };
    int kills = 0;
    while (kills < 30) {
        const TemporaryFolder folder;
        const int in_a_row = 1 + kills % 3;  // the second and third while resuming
        for (int k = 0; k < in_a_row; ++k)
            kills += was_killed(in_a_child([&] { run_in(folder / "run"); },
                                           [&](pid_t child) {
                                               const double wait = random() * uninterrupted().seconds;
                                               ::usleep(static_cast<useconds_t>(1e6 * wait));
                                               ::kill(child, SIGKILL);
                                           }));
        run_in(folder / "run");
        BOOST_REQUIRE_MESSAGE(differing(results_in(folder / "run"), uninterrupted().files) == "",
                              differing(results_in(folder / "run"), uninterrupted().files));
        if (at > 1000) break;
    }
    BOOST_TEST(kills >= 30);
}

BOOST_AUTO_TEST_CASE(a_disk_that_fills_up_is_an_error_that_names_the_file_and_costs_nothing) {
    const int steps = uninterrupted().steps;
    int errors = 0;
    for (int step = 1; step <= steps; step += 7) {
        const TemporaryFolder folder;
        steps_taken = 0;
        last_step = step;
        error_at_last = ENOSPC;
        posix::before_step = count_steps;
        const std::string said = complaint([&] { run_in(folder / "run"); });
        posix::before_step = nullptr;
        error_at_last = 0;
        BOOST_TEST_CONTEXT("step " << step) {
            if (said.empty()) {  // a file of the log, which is no result
                BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
                continue;
            }
            ++errors;
            BOOST_TEST(contains(said, "No space left on device"));
            BOOST_TEST(contains(said, (folder / "run").string()));
            BOOST_TEST(!contains(said, "/log/"));
        }
        run_in(folder / "run");
        BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
    }
    BOOST_TEST(errors > steps / 21);  // of every seventh step: the others are the log's
}

BOOST_AUTO_TEST_CASE(processes_that_share_a_folder_share_its_work) {
    const TemporaryFolder folder;
    constexpr int processes = 4;
    std::vector<pid_t> children;
    for (int i = 0; i < processes; ++i) {
        children.push_back(::fork());
        BOOST_REQUIRE(children.back() >= 0);
        if (children.back() != 0) continue;
        try {
            StudyObserver observer;
            int trained = 0;
            observer.training_begins = [&](std::size_t, const TrainingSet&) { ++trained; };
            RunFolder run(folder / "run");
            const StudyResults results = small_study().run(small_data(), run, observer);
            write_whole_file(folder / ("trained" + std::to_string(i)), std::to_string(trained));
            ::_exit(results.cells.size() == small_study().plan().cells.size() ? 0 : 2);
        } catch (...) {
            ::_exit(1);
        }
    }
    int trained = 0;
    for (int i = 0; i < processes; ++i) {
        int status = 0;
        BOOST_REQUIRE(::waitpid(children[static_cast<std::size_t>(i)], &status, 0) > 0);
        BOOST_TEST(status == 0);
        trained += std::stoi(read_whole_text(folder / ("trained" + std::to_string(i))));
    }
    BOOST_TEST(trained == 4);  // each network once
    BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
    BOOST_TEST(entries_of(folder / "run" / "log" / "claims").empty());
    BOOST_TEST(read_status(folder / "run").at_work.empty());
}

// As where claims cannot be seen: one process is stopped in the middle of a file, another does the same part.
BOOST_AUTO_TEST_CASE(two_processes_at_one_part_find_the_same) {
    const int steps = uninterrupted().steps;
    for (int step = 3; step <= steps; step += 41) {
        const TemporaryFolder folder;
        const int status = in_a_child(
            [&] {
                steps_taken = 0;
                last_step = step;
                signal_at_last = SIGSTOP;
                posix::before_step = count_steps;
                run_in(folder / "run");
            },
            [&](pid_t child) {
                int stopped = 0;
                BOOST_REQUIRE(::waitpid(child, &stopped, WUNTRACED) == child);
                BOOST_REQUIRE(WIFSTOPPED(stopped));
                if (fs::exists(folder / "run" / "log" / "claims"))
                    for (const fs::path& claim : entries_of(folder / "run" / "log" / "claims")) fs::remove(claim);
                run_in(folder / "run");
                ::kill(child, SIGCONT);
            });
        BOOST_TEST_CONTEXT("stopped at step " << step) {
            BOOST_TEST(status == 0);
            run_in(folder / "run");
            BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_claim_of_a_process_that_is_gone_is_taken_over) {
    const TemporaryFolder folder;
    BOOST_TEST(in_a_child([&] {
                   RunFolder run(folder / "run");
                   StudyObserver observer;
                   observer.training = [&](std::size_t, const TrainingProgress&) { ::raise(SIGKILL); };
                   small_study().run(small_data(), run, observer);
               }) != 0);
    BOOST_TEST(entries_of(folder / "run" / "log" / "claims").size() == 1u);
    BOOST_TEST(read_status(folder / "run").at_work.empty());
    run_in(folder / "run");
    BOOST_TEST(entries_of(folder / "run" / "log" / "claims").empty());
    BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
}

BOOST_AUTO_TEST_CASE(a_folder_copied_to_another_place_goes_on_there) {
    const TemporaryFolder folder;
    BOOST_TEST(was_killed(in_a_child([&] {
        steps_taken = 0;
        last_step = uninterrupted().steps / 2;
        posix::before_step = count_steps;
        run_in(folder / "run");
    })));
    fs::copy(folder / "run", folder / "copy", fs::copy_options::recursive);
    run_in(folder / "copy");
    BOOST_TEST(differing(results_in(folder / "copy"), uninterrupted().files) == "");
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_no_runs_is_left_alone) {
    const TemporaryFolder folder;
    write_whole_file(folder / "letter.txt", "dear");
    const std::string said = complaint([&] { run_in(folder.path()); });
    BOOST_TEST(contains(said, "letter.txt"));
    BOOST_TEST(folder.names().size() == 1u);
    BOOST_TEST(contains(complaint([&] { run_in(folder / "letter.txt"); }), "no folder"));
}

BOOST_AUTO_TEST_CASE(a_changed_configuration_is_named_and_nothing_is_overwritten) {
    const TemporaryFolder folder;
    run_in(folder / "run");
    const auto refused = [&](auto change, const std::string& place) {
        auto study = small_study();
        change(study);
        const std::string said = complaint([&] {
            RunFolder run(folder / "run");
            study.run(small_data(), run);
        });
        BOOST_TEST_CONTEXT(said) {
            BOOST_TEST(contains(said, "run.json"));
            BOOST_TEST(contains(said, place));
        }
        BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
    };
    refused([](auto& s) { s.learner.recipe.rounds = 3; }, "configuration.learner.recipe.rounds is 2 there and 3 here");
    refused([](auto& s) { s.learner.optimiser.decay = 1; }, "configuration.learner.optimiser.values.decay");
    refused([](auto& s) { s.data_protocol.per_class = 1; }, "configuration.data_protocol.values.per_class");
    refused([](auto& s) { s.sweep.push_back(.2f); }, "configuration.sweep.2 is nothing there");
    const std::string said = complaint([&] {
        RunFolder run(folder / "run");
        small_study().run({TrainingData(small_store(23)), TestData(small_store(22))}, run);
    });
    BOOST_TEST(contains(said, "configuration.data.training"));
}

BOOST_AUTO_TEST_CASE(a_changed_attack_or_count_is_another_part_of_the_same_run) {
    const TemporaryFolder folder;
    run_in(folder / "run");
    auto study = small_study();
    std::get<0>(study.attacks).epsilon = .05f;
    RunFolder run(folder / "run");
    int trained = 0;
    StudyObserver observer;
    observer.training_begins = [&](std::size_t, const TrainingSet&) { ++trained; };
    BOOST_TEST(same_outcomes(study.run(small_data(), run, observer), study.run(small_data())));
    BOOST_TEST(trained == 0);  // what is trained is there
    const auto now = results_in(folder / "run");
    for (const auto& [name, bytes] : uninterrupted().files)
        if (name != "plan.json") BOOST_TEST((now.contains(name) && now.at(name) == bytes), name << " changed");
}

BOOST_AUTO_TEST_CASE(a_damaged_or_foreign_file_is_named_and_not_overwritten) {
    const TemporaryFolder folder;
    run_in(folder / "run");
    for (const auto& [name, bytes] : uninterrupted().files) {
        if (name.ends_with("network.safetensors")) continue;  // read where a cell is missing, see below
        std::string damaged = bytes;
        damaged[damaged.size() * 2 / 3] ^= 1;
        write_whole_file(folder / "run" / name, damaged);
        const std::string said = complaint([&] { run_in(folder / "run"); });
        BOOST_TEST_CONTEXT(name << ": " << said) BOOST_TEST(contains(said, name));
        BOOST_TEST((read_whole_text(folder / "run" / name) == damaged));
        write_whole_file(folder / "run" / name, bytes);
    }
    std::string first_record, network;
    for (const auto& [name, bytes] : uninterrupted().files) {
        if (name.starts_with("cells/")) fs::remove(folder / "run" / name);
        if (name.ends_with("network.safetensors")) network = name;
        if (!name.ends_with("record.safetensors")) continue;
        if (first_record.empty()) {
            first_record = name;
            continue;
        }
        // Another training's record under this one's name.
        write_whole_file(folder / "run" / name, uninterrupted().files.at(first_record));
        const std::string said = complaint([&] { run_in(folder / "run"); });
        BOOST_TEST_CONTEXT(said) BOOST_TEST((contains(said, name) && contains(said, "training.sampler")));
        write_whole_file(folder / "run" / name, bytes);
    }
    std::string damaged = uninterrupted().files.at(network);
    damaged[damaged.size() / 2] ^= 1;
    write_whole_file(folder / "run" / network, damaged);
    BOOST_TEST(contains(complaint([&] { run_in(folder / "run"); }), network));
    write_whole_file(folder / "run" / network, uninterrupted().files.at(network));
    run_in(folder / "run");
    BOOST_TEST(differing(results_in(folder / "run"), uninterrupted().files) == "");
}

BOOST_AUTO_TEST_CASE(other_hardware_needs_permission_and_is_recorded,
                     *boost::unit_test::precondition(more_than_portable)) {
    const TemporaryFolder folder;
    // Killed in the middle of the second training: a checkpoint is left behind.
    const int status = in_a_child([&] {
        RunFolder run(folder / "run");
        StudyObserver observer;
        int rounds = 0;
        observer.training = [&](std::size_t, const TrainingProgress& p) {
            if (p.finished && ++rounds == 4) ::raise(SIGKILL);
        };
        small_study().run(small_data(), run, observer);
    });
    BOOST_REQUIRE(was_killed(status));
    auto elsewhere = small_study();
    elsewhere.learner.context = Cpu<f32>::Context(1, cpu::InstructionSet::portable);
    const auto before = results_in(folder / "run");
    const std::string said = complaint([&] {
        RunFolder run(folder / "run");
        elsewhere.run(small_data(), run);
    });
    BOOST_TEST(contains(said, "run.json"));
    BOOST_TEST(contains(said, "runs_on"));
    BOOST_TEST(contains(said, "--continue-on-other-hardware"));
    BOOST_TEST(differing(results_in(folder / "run"), before) == "");
    {
        RunFolder run(folder / "run", FromHardware::any);
        const StudyResults results = elsewhere.run(small_data(), run);
        BOOST_TEST(results.record.at("hardware").size() == 2u);
        BOOST_TEST(results.record.at("bits_of_one_machine") == false);
        BOOST_TEST(results.cells.size() == small_study().run(small_data()).cells.size());
    }
    run_in(folder / "run");  // back where it began: that is known by now
    BOOST_TEST(read_status(folder / "run").hardware.size() == 2u);
}

BOOST_AUTO_TEST_CASE(more_seeds_run_only_what_is_missing) {
    const TemporaryFolder folder;
    BOOST_TEST(run_in(folder / "run").began >= std::int64_t{1'700'000'000});  // B, U, sham of seed 1; B of seed 2
    const fs::path log = entries_of(folder / "run" / "log" / "processes").front();
    nlohmann::json times = nlohmann::json::parse(read_whole_text(log));
    times["began"] = 1'000'000'000;  // years ago
    write_whole_file(log, times.dump());
    auto study = small_study();
    study.seeds = {Seed{1}, Seed{2}};
    std::vector<std::uint64_t> trained;
    std::size_t found = 0;
    StudyObserver observer;
    observer.found = [&](std::size_t trainings, std::size_t) { found = trainings; };
    observer.training_begins = [&](std::size_t, const TrainingSet& a) { trained.push_back(a.fit.size()); };
    StudyResults results;
    {
        RunFolder run(folder / "run");
        results = study.run(small_data(), run, observer);
    }
    BOOST_TEST(results.began == 1'000'000'000);
    BOOST_TEST(found == 4u);
    BOOST_TEST(trained.size() == 2u);  // U, sham of seed 2
    BOOST_TEST(same_outcomes(results, study.run(small_data())));
}

BOOST_AUTO_TEST_CASE(more_classes_run_only_what_is_missing) {
    const TemporaryFolder folder;
    run_in(folder / "run");  // of class 2
    auto study = small_study();
    study.classes = {Label{1}, Label{2}};
    std::vector<Label> trained;
    StudyObserver observer;
    const Plan plan = study.plan();
    observer.training_begins = [&](std::size_t t, const TrainingSet&) { trained.push_back(*plan.trainings[t].skewed); };
    StudyResults results;
    {
        RunFolder run(folder / "run");
        results = study.run(small_data(), run, observer);
    }
    BOOST_TEST((trained == std::vector{Label{1}}));
    BOOST_TEST(same_outcomes(results, study.run(small_data())));
}

BOOST_AUTO_TEST_CASE(a_learner_that_cannot_store_is_trained_again_only_for_cells_that_are_missing) {
    int trained = 0;
    const auto study = small_study<MeansLearner>({&trained});
    const TemporaryFolder folder;
    const auto run = [&] {
        RunFolder in(folder / "run");
        trained = 0;
        return study.run(small_data(), in);
    };
    const StudyResults first = run();
    BOOST_TEST(trained == 4);
    BOOST_TEST(same_outcomes(run(), first));
    BOOST_TEST(trained == 0);
    for (const auto& entry : fs::directory_iterator(folder / "run" / "cells"))
        if (contains(entry.path().filename().string(), "class2-under-2-2-seed1-from-under")) fs::remove(entry.path());
    BOOST_TEST(same_outcomes(run(), first));
    BOOST_TEST(trained == 1);
}
