// The parts of a study: their names and needs, how they are asked for, given out, done in any order, and merged.
// links: command_line
#define BOOST_TEST_MODULE study_parts
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <initializer_list>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <skewgrad/command_line/run_options.hpp>
#include "data/files.hpp"
#include "store/temporary_folder.hpp"
#include "study/means_learner.hpp"
#include "study/preconditions.hpp"
#include "study/small_study.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
namespace fs = std::filesystem;

namespace {

std::vector<Part> parts_of_small_study() {
    return small_study().erase([](const study::ErasedStudy& whole, study::StudyOperations& work) {
        return study::Runner(whole, work, small_data(), nullptr, {}).parts();
    });
}
/// Two seeds, so that a network is both a victim and another's source.
auto two_seeds() {
    auto study = small_study();
    study.seeds = {Seed{1}, Seed{2}};
    return study;
}
template <class S>
std::map<std::string, std::string> files_of_one_process(const S& study) {
    const TemporaryFolder folder;
    RunFolder run(folder / "run");
    study.run(small_data(), run);
    return results_in(folder / "run");
}
/// Does some parts of a study as a process of its own would.
template <class S>
std::optional<StudyResults> ask(const S& study, RunOptions options, std::ostream& out) {
    return study.erase([&](const study::ErasedStudy& whole, study::StudyOperations& work) {
        return run_asked(whole, work, small_data(), options, {}, {}, out);
    });
}
template <class S>
void do_part(const S& study, const fs::path& folder, const std::string& name) {
    std::ostringstream out;
    ask(study, {.run = folder, .only_parts = {name}}, out);
}
template <class S>
std::vector<nlohmann::json> listed(const S& study, const fs::path& folder) {
    std::stringstream out;
    ask(study, {.run = folder, .list_parts = true}, out);
    std::vector<nlohmann::json> all;
    for (std::string line; std::getline(out, line);) all.push_back(nlohmann::json::parse(line));
    return all;
}
std::vector<std::size_t> positions(std::initializer_list<std::size_t> all) { return all; }

}  // namespace

BOOST_AUTO_TEST_CASE(every_network_and_cell_is_of_one_part_which_needs_its_networks) {
    const std::vector<Part> parts = parts_of_small_study();
    const Plan plan = small_study().plan();
    const std::vector<CellGroup> groups = plan.groups();
    std::multiset<std::size_t> made, evaluated;
    std::set<std::string> names;
    for (std::size_t p = 0; p < parts.size(); ++p) {
        const Part& part = parts[p];
        BOOST_TEST(names.insert(part.name).second);
        BOOST_TEST(part.name.starts_with(std::string(to_string(part.stage)) + "/"));
        BOOST_TEST((part.cost > 0) == (part.stage < Stage::pictures));
        for (const std::size_t needed : part.needs) BOOST_TEST(needed < p);
        const auto needs = [&](std::size_t t) {
            return std::ranges::any_of(part.needs, [&](std::size_t n) { return parts[n].training == t; });
        };
        if (part.stage == Stage::train || part.stage == Stage::adjust) made.insert(part.training);
        if (part.stage == Stage::adjust) BOOST_TEST(needs(*plan.trainings[part.training].adjusts));
        for (const std::size_t g : part.groups) {
            evaluated.insert(g);
            BOOST_TEST((needs(groups[g].victim) && needs(groups[g].source)));
            BOOST_TEST(groups[g].source == part.training);
        }
    }
    BOOST_TEST(made.size() == plan.trainings.size());
    BOOST_TEST(std::set(made.begin(), made.end()).size() == plan.trainings.size());
    BOOST_TEST(evaluated.size() == groups.size());
    BOOST_TEST(std::set(evaluated.begin(), evaluated.end()).size() == groups.size());
    BOOST_TEST((parts.back().stage == Stage::report && parts.back().needs.size() == parts.size() - 1));
}

BOOST_AUTO_TEST_CASE(parts_are_asked_for_by_name_stage_and_index) {
    const std::vector<Part> parts = parts_of_small_study();
    std::vector<std::size_t> trainings;
    for (std::size_t p = 0; p < parts.size(); ++p)
        if (parts[p].stage == Stage::train) trainings.push_back(p);
    BOOST_TEST((study::parts_named(parts, "train") == trainings));
    BOOST_TEST((study::parts_named(parts, "train:1") == positions({1})));
    BOOST_TEST((study::parts_named(parts, "train:0-1") == positions({0, 1})));
    BOOST_TEST((study::parts_named(parts, parts[2].name) == positions({2})));
    BOOST_TEST((study::parts_named(parts, "report") == positions({parts.size() - 1})));
    for (const char* wrong : {"", "trains", "train:", "train:x", "train:1-", "train:2-1", "train:1-2-3", "train:1.5",
                              "train:99", "train:-1", ":1", "train/nothing"})
        BOOST_TEST_CONTEXT(wrong) BOOST_CHECK_THROW(study::parts_named(parts, wrong), ValueError);
}

BOOST_AUTO_TEST_CASE(a_queue_gives_out_what_is_ready_and_the_expensive_parts_first) {
    using study::PartState;
    std::vector<Part> parts{{.stage = Stage::train, .name = "a", .cost = 1},
                            {.stage = Stage::train, .name = "b", .cost = 2},
                            {.stage = Stage::attack, .name = "c", .needs = {0}, .cost = 9},
                            {.stage = Stage::attack, .name = "d", .needs = {0, 1}, .cost = 10}};
    std::set<std::size_t> lost;
    const auto is_lost = [&](std::size_t p) { return lost.contains(p); };
    const auto nothing = [] {};
    study::PartQueue queue(parts, std::vector(4, PartState::waiting), {0, 1, 2, 3}, is_lost);
    BOOST_TEST(queue.ready() == 2u);
    BOOST_TEST(*queue.next(nothing) == 1u);
    BOOST_TEST(*queue.next(nothing) == 0u);
    BOOST_TEST(queue.ready() == 0u);
    queue.set(0, PartState::done);
    BOOST_TEST(*queue.next(nothing) == 2u);
    queue.set(2, PartState::elsewhere);
    queue.set(1, PartState::done);
    BOOST_TEST(*queue.next(nothing) == 3u);
    queue.set(3, PartState::done);
    int waited = 0;  // until the other process's part is worth another look
    BOOST_TEST(*queue.next([&] { ++waited; }) == 2u);
    BOOST_TEST(waited > 0);
    queue.set(2, PartState::done);
    BOOST_TEST(!queue.next(nothing));

    study::PartQueue losing(parts, std::vector(4, PartState::waiting), {1, 3}, is_lost);
    BOOST_TEST(*losing.next(nothing) == 1u);
    lost = {1, 3};
    losing.set(1, PartState::lost);
    BOOST_TEST((losing.state(3) == PartState::lost));
    BOOST_TEST(!losing.next(nothing));

    study::PartQueue closed(parts, std::vector(4, PartState::waiting), {0}, [](std::size_t) { return false; });
    closed.close();
    BOOST_TEST(!closed.next(nothing));
}

BOOST_AUTO_TEST_CASE(parts_done_one_by_one_in_any_order_give_the_files_of_one_process) {
    const auto study = two_seeds();
    const auto expected = files_of_one_process(study);
    std::mt19937 random(7);
    for (int time = 0; time < 3; ++time) {
        const TemporaryFolder folder;
        std::vector<nlohmann::json> parts = listed(study, folder / "run");
        BOOST_TEST(std::ranges::none_of(parts, [](const auto& part) { return part["done"].template get<bool>(); }));
        parts.pop_back();  // the report is the program's
        std::shuffle(parts.begin(), parts.end(), random);
        std::set<std::string> done;
        while (done.size() < parts.size())
            for (const auto& part : parts) {
                const bool ready = std::ranges::all_of(part["needs"], [&](const auto& needed) {
                    return done.contains(needed.template get<std::string>());
                });
                if (!ready || !done.insert(part["name"]).second) continue;
                do_part(study, folder / "run", part["name"]);
                if (time == 1) do_part(study, folder / "run", part["name"]);  // twice is once
            }
        BOOST_TEST((results_in(folder / "run") == expected));
        parts = listed(study, folder / "run");
        for (std::size_t p = 0; p + 1 < parts.size(); ++p) BOOST_TEST(parts[p]["done"].get<bool>());
        std::ostringstream out;
        const auto results = ask(study, {.run = folder / "run", .only_parts = {"report"}}, out);
        BOOST_REQUIRE(results.has_value());
        BOOST_TEST(results->cells.size() == study.plan().cells.size());
    }
}

BOOST_AUTO_TEST_CASE(a_part_whose_needs_are_not_there_says_which) {
    const TemporaryFolder folder;
    const auto study = two_seeds();
    const auto parts = listed(study, folder / "run");
    const auto refused = [&](const std::string& part) {
        try {
            do_part(study, folder / "run", part);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("not refused");
    };
    const std::string first = parts.front()["name"];
    for (const char* part : {"attack:0", "adjust", "pictures", "report"})
        BOOST_TEST_CONTEXT(part) BOOST_TEST(refused(part).find("needs train/") != std::string::npos);
    BOOST_TEST(refused("report").find("needs " + first + ", which is not done") != std::string::npos);
    BOOST_TEST(refused("7") == "part \"7\": there is none; --parts lists all");
    do_part(study, folder / "run", "train");
    do_part(study, folder / "run", "adjust");
    do_part(study, folder / "run", "attack");
    do_part(study, folder / "run", "pictures");
    BOOST_TEST((results_in(folder / "run") == files_of_one_process(study)));
}

BOOST_AUTO_TEST_CASE(networks_without_files_cannot_be_shared_by_processes) {
    const TemporaryFolder folder;
    const auto study = small_study<MeansLearner>({});
    do_part(study, folder / "run", "train:0");
    try {
        do_part(study, folder / "run", "pictures");
        BOOST_FAIL("the network is in no file");
    } catch (const Error& error) {
        BOOST_TEST(std::string(error.what()).find("train/balanced") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(folders_made_on_two_machines_become_one) {
    const auto study = two_seeds();
    const auto expected = files_of_one_process(study);
    const TemporaryFolder folder;
    for (const std::uint64_t seed : {1, 2}) {
        auto half = small_study();
        half.seeds = {Seed{seed}};
        RunFolder run(folder / std::to_string(seed));
        half.run(small_data(), run);
    }
    // The networks of seed 2 attack those of seed 1 and the other way round, which only the whole study knows.
    RunOptions options{.run = folder / "all", .merge = {folder / "1", folder / "2"}};
    std::ostringstream out;
    BOOST_TEST(merged_runs(options, out));
    BOOST_TEST(out.str().find("files copied") != std::string::npos);
    int trained = 0;
    StudyObserver observer;
    observer.training_begins = [&](std::size_t, const TrainingSet&) { ++trained; };
    {
        RunFolder run(folder / "all");
        study.run(small_data(), run, observer);
    }
    BOOST_TEST(trained == 0);
    const auto merged = results_in(folder / "all");
    for (const auto& [name, bytes] : expected) BOOST_TEST((merged.contains(name) && merged.at(name) == bytes), name);
    const auto again = merge_run(folder / "all", folder / "1");
    BOOST_TEST((again.copied == 0u && again.there > 0u));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_merged_is_named_and_nothing_is_copied) {
    const TemporaryFolder folder;
    for (const char* name : {"a", "b"}) {
        RunFolder run(folder / name);
        small_study().run(small_data(), run);
    }
    const auto refused = [&](std::initializer_list<std::string> words) {
        const auto before = results_in(folder / "a");
        BOOST_CHECK_EXCEPTION(merge_run(folder / "a", folder / "b"), FileError, says(words));
        BOOST_TEST((results_in(folder / "a") == before));
    };
    const auto sound = results_in(folder / "b");
    const auto file_of = [&](const std::string& begin, const std::string& end) {
        for (const auto& [name, bytes] : sound)
            if (name.starts_with(begin) && name.ends_with(end)) return name;
        return std::string();
    };
    const std::string cells = file_of("cells/", ""), record = file_of("trainings/", "record.safetensors");
    for (const std::string& name : {cells, record}) {  // damaged, and not in the other folder
        const std::string kept = read_whole_text(folder / "a" / name);
        fs::remove(folder / "a" / name);
        std::string damaged = sound.at(name);
        damaged[damaged.size() * 2 / 3] ^= 1;
        write_whole_file(folder / "b" / name, damaged);
        refused({name});
        write_whole_file(folder / "b" / name, sound.at(name));
        write_whole_file(folder / "a" / name, kept);
    }
    TensorFile changed = read_safetensors(folder / "b" / cells);
    changed.metadata["note"] = "another";
    write_safetensors(folder / "b" / cells, changed);
    refused({cells, "differs from"});
    fs::rename(folder / "b" / cells, folder / "b" / (cells.substr(0, cells.size() - 13) + "0.safetensors"));
    refused({"another's name"});
    fs::remove_all(folder / "b");
    {
        auto other = small_study();
        other.learner.recipe.rounds = 3;
        RunFolder run(folder / "b");
        other.run(small_data(), run);
    }
    refused({"another study's", "configuration.learner.recipe.rounds is 3 there and 2 in"});
    fs::remove_all(folder / "b");
    refused({"not a run's folder"});
}

BOOST_AUTO_TEST_CASE(folders_of_two_kinds_of_hardware_merge_on_request,
                     *boost::unit_test::precondition(more_than_portable)) {
    const TemporaryFolder folder;
    for (const auto set : {cpu::best_instruction_set(), cpu::InstructionSet::portable}) {
        auto study = small_study();
        study.learner.context = Cpu<f32>::Context(1, set);
        study.seeds = {set == cpu::InstructionSet::portable ? Seed{5} : Seed{1}};
        RunFolder run(folder / (set == cpu::InstructionSet::portable ? "b" : "a"));
        study.run(small_data(), run);
    }
    BOOST_CHECK_EXCEPTION(merge_run(folder / "a", folder / "b"), FileError,
                          says({"runs_on", "--continue-on-other-hardware"}));
    BOOST_TEST(merge_run(folder / "a", folder / "b", FromHardware::any).copied > 0u);
    BOOST_TEST(read_status(folder / "a").hardware.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_failed_training_takes_along_only_what_needs_it) {
    const TemporaryFolder folder;
    const auto study = two_seeds();
    auto parts = listed(study, folder / "run");
    // As if a training had failed, in another process: its record of failure.
    const std::string lost = parts[1]["name"].get<std::string>().substr(6);
    {
        TensorFile file;
        do_part(study, folder / "run", "train:1");
        file = read_safetensors(folder / "run" / "trainings" / lost / "record.safetensors");
        fs::remove_all(folder / "run" / "trainings" / lost);
        make_folder(folder / "run" / "trainings" / lost);
        write_json(folder / "run" / "trainings" / lost / "failed.json",
                   {{"made_by", nlohmann::json::parse(file.note("skewgrad.made_by"))}, {"reason", "no reason"}});
    }
    RunFolder run(folder / "run");
    const StudyResults results = study.run(small_data(), run);
    BOOST_TEST(!results.failed.empty());
    BOOST_TEST(results.failed[0].reason == "no reason");
    parts = listed(study, folder / "run");
    BOOST_TEST(parts[1]["lost"] == true);
    for (std::size_t p = 0; p + 1 < parts.size(); ++p) BOOST_TEST(parts[p]["done"].get<bool>());
    BOOST_TEST(read_status(folder / "run").done());
}
