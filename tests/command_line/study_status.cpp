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
        BOOST_TEST(contains(during, "at work: process "));
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
    status.holder = "process 7 on \x1b[2J";
    status.progress.job = "training Under \x1b[2J";
    status.progress.trainings = 1;
    status.next = "Under \x1b[2J";
    status.left_out = {"\x1b[2J"};
    status.hardware = {{{"backend", "\x7f"}}, {{"backend", "\x1b[2J"}}};
    for (const bool at_work : {true, false}) {
        if (!at_work) status.holder.clear();
        const std::string text = describe(status, "run\x1b[2J");
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(!contains(text, "\x1b"));
            BOOST_TEST(!contains(text, "\x7f"));
            BOOST_TEST(contains(text, "run\\x1b[2J: "));
            BOOST_TEST(contains(text, "training Under \\x1b[2J"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_progress_survives_its_file) {
    StudyProgress p{
        .trainings = 3, .trainings_done = 1, .cells = 7, .cells_done = 2, .job = "x", .round = 1, .rounds = 9};
    p.seconds_left = 60;
    const nlohmann::json file = nlohmann::json::parse(p.json().dump());
    const StudyProgress q = StudyProgress::from(JsonEntry(file, "progress.json"));
    BOOST_TEST((q.job == "x" && q.cells_done == 2 && q.round == 1 && q.seconds_left == 60));
    BOOST_TEST(std::isnan(q.images_per_second));  // not known
    BOOST_TEST(format_end(std::numeric_limits<double>::quiet_NaN()) == "?");
    BOOST_TEST(contains(format_end(3600), "1 h 0 min, "));
}

BOOST_AUTO_TEST_CASE(a_study_clock_tells_what_is_left) {
    study::StudyClock clock;
    clock.trainings_left = 2;
    clock.attack_passes_left = 6000;
    TrainingProgress p{.round = 1, .rounds = 4, .update = 5, .updates = 10, .images = 100};
    clock.training(0, p, 0);
    p.update = 10;
    p.images = 200;
    clock.training(0, p, 10);  // 10 images a second; a training has 4 x 10 updates of 20 images
    BOOST_TEST(clock.images_per_second() == 10);
    // 600 of this one, 2 x 800 of the others; 6,000 passes at 30 a second.
    BOOST_TEST(clock.seconds_left() == 60 + 160 + 200);
    clock.attacked(1000, 100);
    clock.attack_passes_left -= 1000;
    BOOST_TEST(clock.seconds_left() == 60 + 160 + 500);
}

BOOST_AUTO_TEST_CASE(trainings_under_way_at_a_time_share_the_clock) {
    study::StudyClock clock;
    TrainingProgress p{.round = 1, .rounds = 4, .update = 5, .updates = 10, .images = 100};
    clock.training(3, p, 0);
    clock.training(7, p, 0);
    p.update = 10;
    p.images = 200;
    clock.training(3, p, 10);
    clock.training(7, p, 10);
    BOOST_TEST(clock.images_per_second() == 20);  // of both
    BOOST_TEST(clock.seconds_left() == (600 + 600) / 20);
    clock.training_ended(3, {});
    BOOST_TEST(clock.seconds_left() == 600 / 20);
}
