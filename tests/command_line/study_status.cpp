// links: command_line
// A run's status: read from its folder alone, while it runs, when nobody is at work, when it is done.
#define BOOST_TEST_MODULE command_line_study_status
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <limits>
#include <sstream>
#include <string>

#include <skewgrad/command_line/run_options.hpp>
#include "store/temporary_folder.hpp"
#include "study/small_study.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
struct Interrupted {};
}  // namespace

BOOST_AUTO_TEST_CASE(status_follows_a_run) {
    const TemporaryFolder folder;
    const RunOptions options{.run = folder / "run", .status = folder / "run"};
    const auto status = [&] {
        std::ostringstream out;
        BOOST_TEST(printed_status(options, out));
        return out.str();
    };
    BOOST_CHECK_THROW(status(), FileError);
    BOOST_TEST(!printed_status({}));

    auto study = small_study();
    study.left_out = {"a part: --part"};
    StudyObserver observer;
    std::string during;
    int rounds = 0;
    observer.training = [&](std::size_t, const TrainingProgress& p) {
        if (!p.finished || ++rounds < 4) return;
        during = status();  // in the second training's last round
        throw Interrupted();
    };
    BOOST_CHECK_THROW(run_study(study, small_data(), options, observer), Interrupted);
    BOOST_TEST_CONTEXT(during) {
        BOOST_TEST(contains(during, "at work: 1 process\n"));
        BOOST_TEST(contains(during, "networks trained  1 of 4"));
        BOOST_TEST(contains(during, "training Balanced, seed 2: round 1 of at most 2"));
        BOOST_TEST(contains(during, "images/s"));
        BOOST_TEST(!contains(during, "ends in           ?"));
        BOOST_TEST(contains(during, "left out          a part: --part"));
    }
    const std::string after = status();
    BOOST_TEST_CONTEXT(after) {
        BOOST_TEST(contains(after, "nobody is at work"));
        BOOST_TEST(contains(after, "next              training Balanced, seed 2"));
    }
    run_study(study, small_data(), options, {});
    BOOST_TEST(contains(status(), "run: done\n  networks trained  4 of 4\n"));
}

BOOST_AUTO_TEST_CASE(no_terminal_obeys_a_name) {
    RunStatus status;
    WorkingProcess& process = status.at_work.emplace_back();
    process.log.host = "\x1b[2J";
    process.log.work.emplace_back().title = "training Under \x1b[2J";
    status.progress.trainings = 1;
    status.next = "Under \x1b[2J";
    status.left_out = {"\x1b[2J"};
    status.hardware = {{{"backend", "\x7f"}}, {{"backend", "\x1b[2J"}}};
    for (const bool at_work : {true, false}) {
        if (!at_work) status.at_work.clear();
        const std::string text = describe(status, "run\x1b[2J");
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(!contains(text, "\x1b"));
            BOOST_TEST(!contains(text, "\x7f"));
            BOOST_TEST(contains(text, "run\\x1b[2J: "));
            BOOST_TEST(contains(text, "training Under \\x1b[2J"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_log_survives_its_file) {
    ProcessLog log;
    log.host = "a";
    log.writer = {"m", "b", 7, 9};
    log.began = 5;
    log.written = 6;
    log.seconds = {{"train/x", 1.5}};
    log.work.push_back({.part = "train/y", .title = "y", .since = 4, .round = 1, .rounds = 9, .loss = .5, .done = .25});
    log.seconds_left = 60;
    const nlohmann::json file = nlohmann::json::parse(log.json().dump());
    const ProcessLog q = ProcessLog::from(JsonEntry(file, "log"));
    BOOST_TEST((q.host == "a" && q.writer == log.writer && q.began == 5 && q.written == 6 && !q.ended));
    BOOST_TEST((q.seconds == log.seconds && q.seconds_left == 60));
    BOOST_REQUIRE(q.work.size() == 1u);
    BOOST_TEST((q.work[0].part == "train/y" && q.work[0].round == 1 && q.work[0].loss == .5 && q.work[0].done == .25));
    BOOST_TEST(std::isnan(q.images_per_second));  // not known
    BOOST_TEST(format_end(std::numeric_limits<double>::quiet_NaN()) == "?");
    BOOST_TEST(contains(format_end(3600), "1 h 0 min, "));
}

BOOST_AUTO_TEST_CASE(a_study_clock_tells_what_is_left) {
    study::StudyClock clock;
    BOOST_TEST(std::isnan(clock.seconds_left(1, 0)));
    BOOST_TEST(clock.seconds_left(0, 0) == 0);
    clock.begins(0, Stage::train, 2400, 0);  // 800 images
    clock.progress(0, .25, 3 * 100, 10);     // 100 of them here, and 100 before
    BOOST_TEST(clock.images_per_second() == 10);
    // 1,800 of this one, 4,800 of the others, 6,000 of attacks, at 30 a second.
    BOOST_TEST(clock.seconds_left(4800, 6000) == 60 + 160 + 200);
    clock.ends(0, true, 10);  // at a quarter, so that the others are taken to end there too
    BOOST_TEST(clock.seconds_left(4800, 0) == 40);
    clock.begins(1, Stage::attack, 1000, 10);
    clock.progress(1, 1, 1000, 110);
    clock.ends(1, false, 110);
    BOOST_TEST(clock.seconds_left(4800, 6000) == 40 + 600);
}

BOOST_AUTO_TEST_CASE(parts_under_way_at_a_time_share_the_clock) {
    study::StudyClock clock;
    clock.begins(3, Stage::train, 2400, 0);
    clock.begins(7, Stage::train, 2400, 0);
    clock.progress(3, .25, 300, 10);
    clock.progress(7, .25, 300, 10);
    BOOST_TEST(clock.images_per_second() == 20);  // of both
    BOOST_TEST(clock.seconds_left(0, 0) == (600 + 600) / 20);
    clock.ends(3, false, 10);
    BOOST_TEST(clock.seconds_left(0, 0) == 600 / 20);
}

BOOST_AUTO_TEST_CASE(processes_together_need_less_time) {
    std::vector<WorkingProcess> all(3);
    BOOST_TEST(std::isnan(study::seconds_left_together(all)));
    all[0].log.seconds_left = all[1].log.seconds_left = 60;
    BOOST_TEST(study::seconds_left_together(all) == 30);
    all[2].log.seconds_left = 60;
    all[2].seconds_ago = 2 * ClaimFile::patience;
    BOOST_TEST(all[2].is_silent());
    BOOST_TEST(study::seconds_left_together(all) == 30);
}
