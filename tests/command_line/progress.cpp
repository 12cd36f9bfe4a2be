// links: command_line
// Progress, letter by letter, on a terminal that is a string and a clock that is a number.
#define BOOST_TEST_MODULE command_line_progress
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <skewgrad/command_line/progress.hpp>
#include <skewgrad/command_line/study_display.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "command_line/fake_world.hpp"

using namespace skewgrad;
using skewgrad_tests::FakeWorld;

namespace {

const std::string erase = "\x1b[K";

/// What is left to see of `text` on a terminal, line by line; sets `widest` to the widest line ever shown.
std::vector<std::string> screen(const std::string& text, int& widest) {
    std::vector<std::string> lines{""};
    std::size_t column = 0;
    widest = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string& line = lines.back();
        if (text[at] == '\n') {
            lines.emplace_back();
            column = 0;
        } else if (text[at] == '\r') {
            column = 0;
        } else if (text.compare(at, erase.size(), erase) == 0) {
            line.resize(column);
            at += erase.size() - 1;
        } else {
            if (column >= line.size()) line.resize(column + 1);
            line[column++] = text[at];
        }
        widest = std::max(widest, text_width(lines.back()));
    }
    return lines;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_terminal_obeys_a_name) {
    FakeWorld world;
    Progress progress(world.display(false));
    progress.begin("cat\x1b[2J", 2);
    progress.note("dog\x1b]0;owned\a");
    progress.finish("frog\x1b[31m");
    BOOST_TEST(world.said() == "dog\\x1b]0;owned\\x07\ncat\\x1b[2J: frog\\x1b[31m (0.0 s)\n");
}

BOOST_AUTO_TEST_CASE(a_terminal_shows_one_line_redrawn) {
    FakeWorld world;
    Progress progress(world.display(true));
    progress.begin("training cat under", 200);
    BOOST_TEST(world.said() == "\rtraining cat under  [..............................]    0 %" + erase);
    world.now += 10;
    progress.update(50, {.loss = 0.51249, .accuracy = 0.832, .images_per_second = 1234.4});
    BOOST_TEST(world.said() ==
               "\rtraining cat under  [###...........]   25 %  loss 0.512  accuracy 83.2 %  1,234 images/s  30 s left" +
                   erase);
    world.columns = 140;
    world.now += 10;
    progress.update(101, {.loss = 0.4});
    BOOST_TEST(world.said() ==
               "\rtraining cat under  [###############...............]   50 %  loss 0.400  20 s left" + erase);
    world.now += 0.6;
    progress.finish("best round 7, loss 0.398");
    BOOST_TEST(world.said() == "\r" + erase + "training cat under: best round 7, loss 0.398 (21 s)\n");
    progress.update(3);
    progress.finish();
    BOOST_TEST(world.said() == "");
}

BOOST_AUTO_TEST_CASE(a_terminal_is_redrawn_ten_times_a_second_at_most) {
    FakeWorld world;
    Progress progress(world.display(true));
    progress.begin("job", 1'000'000);
    for (std::uint64_t i = 0; i < 100'000; ++i) {  // 10 seconds
        world.now += 1e-4;
        progress.update(i);
    }
    const std::string text = world.said();
    const auto drawings = std::count(text.begin(), text.end(), '\r');
    BOOST_TEST(drawings <= 101);
    BOOST_TEST(drawings >= 98);
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_the_terminal) {
    FakeWorld world;
    const Gauges all{.loss = 2.302, .accuracy = 0.1, .images_per_second = 54321.0};
    for (int columns = 1; columns <= 130; ++columns) {
        world.columns = columns;
        Progress progress(world.display(true));
        progress.begin("training Sch\u00e4fchen under", 40);
        world.now += 60;
        progress.update(7, all);
        int widest = 0;
        const auto lines = screen(world.said(), widest);
        BOOST_TEST(lines.size() == 1u);
        BOOST_TEST(widest <= std::max(1, columns - 1));
    }
    world.said();
    const auto shown = [&](int columns) {
        world.columns = columns;
        Progress progress(world.display(true));
        progress.begin("cat", 4);
        world.said();
        world.now += 60;
        progress.update(1, all);
        const std::string text = world.said();
        return text.substr(1, text.size() - 1 - erase.size());
    };
    BOOST_TEST(
        shown(107) ==
        "cat  [#######.......................]   25 %  loss 2.302  accuracy 10.0 %  54,321 images/s  3 min 0 s left");
    BOOST_TEST(shown(87) == "cat  [##........]   25 %  loss 2.302  accuracy 10.0 %  54,321 images/s  3 min 0 s left");
    BOOST_TEST(shown(86) == "cat  [######....................]   25 %  loss 2.302  accuracy 10.0 %  3 min 0 s left");
    BOOST_TEST(shown(70) == "cat  [##........]   25 %  loss 2.302  accuracy 10.0 %  3 min 0 s left");
    BOOST_TEST(shown(69) == "cat  [######....................]   25 %  loss 2.302  3 min 0 s left");
    BOOST_TEST(shown(53) == "cat  [##........]   25 %  loss 2.302  3 min 0 s left");
    BOOST_TEST(shown(52) == "cat  [#####................]   25 %  3 min 0 s left");
    BOOST_TEST(shown(41) == "cat  [##........]   25 %  3 min 0 s left");
    BOOST_TEST(shown(40) == "cat  [######...................]   25 %");
    BOOST_TEST(shown(25) == "cat  [##........]   25 %");
    BOOST_TEST(shown(24) == "cat   25 %");
    BOOST_TEST(shown(6) == "cat  ");
}

BOOST_AUTO_TEST_CASE(elsewhere_a_line_every_few_seconds_and_one_at_the_end) {
    FakeWorld world;
    Progress progress(world.display(false));
    progress.begin("training cat under", 2000);
    BOOST_TEST(world.said() == "");
    for (int i = 1; i <= 100; ++i) {  // 20 seconds
        world.now += 0.2;
        progress.update(static_cast<std::uint64_t>(10 * i),
                        {.loss = 0.25, .accuracy = 0.9, .images_per_second = 640.0});
    }
    const std::string text = world.said();
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') <= 4);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') >= 3);
    BOOST_TEST(text.find_first_of("\r\x1b") == std::string::npos);
    const std::string first = text.substr(0, text.find('\n'));
    BOOST_TEST(first.starts_with("training cat under: 1"));
    BOOST_TEST(first.ends_with(" of 2,000), loss 0.250, accuracy 90.0 %, 640 images/s, 35 s left"));
    progress.finish();
    BOOST_TEST(world.said() == "training cat under: done (20 s)\n");
}

BOOST_AUTO_TEST_CASE(a_plain_line_in_full) {
    FakeWorld world;
    Progress progress(world.display(false));
    progress.begin("images", 3000, 1000);
    world.now += 10;
    progress.update(1500);
    BOOST_TEST(world.said() == "images: 50 % (1,500 of 3,000), 30 s left\n");
    world.now += 4.9;
    progress.update(1600);
    BOOST_TEST(world.said() == "");
}

BOOST_AUTO_TEST_CASE(time_left_counts_this_run_alone) {
    FakeWorld world;
    Progress progress(world.display(true));
    progress.begin("continued", 100, 90);
    BOOST_TEST(world.said() == "\rcontinued  [###########################...]   90 %" + erase);
    world.now += 5;
    progress.update(95);
    BOOST_TEST(world.said() == "\rcontinued  [############################..]   95 %  5.0 s left" + erase);
}

BOOST_AUTO_TEST_CASE(a_note_stands_above_the_bar) {
    FakeWorld world;
    Progress progress(world.display(true));
    progress.note("before");
    progress.begin("job", 2);
    world.now += 1;
    progress.update(1);
    progress.note("a warning");
    int widest = 0;
    const auto lines = screen(world.said(), widest);
    BOOST_TEST(lines.size() == 3u);
    BOOST_TEST(lines[0] == "before");
    BOOST_TEST(lines[1] == "a warning");
    BOOST_TEST(lines[2] == "job  [###############...............]   50 %  1.0 s left");
    Progress plain(world.display(false));
    plain.begin("job", 2);
    plain.note("a warning");
    BOOST_TEST(world.said() == "a warning\n");
}

BOOST_AUTO_TEST_CASE(an_error_finds_an_empty_line) {
    FakeWorld world;
    try {
        Progress progress(world.display(true));
        progress.begin("job", 2);
        throw std::runtime_error("error: the disk is full\n");
    } catch (const std::runtime_error& error) {
        world.out << error.what();
    }
    int widest = 0;
    BOOST_TEST(screen(world.said(), widest)[0] == "error: the disk is full");
    Progress progress(world.display(true));
    progress.begin("one", 2);
    progress.begin("two", 2);  // the first one was given up
    BOOST_TEST(screen(world.said(), widest)[0].starts_with("two"));
}

BOOST_AUTO_TEST_CASE(odd_counts) {
    FakeWorld world;
    Progress progress(world.display(true));
    const auto after = [&](std::uint64_t done, std::uint64_t total) {
        progress.begin("j", total);
        world.said();
        world.now += 1;
        progress.update(done);
        std::string text = world.said();
        return text.substr(1, text.size() - 1 - erase.size());
    };
    BOOST_TEST(after(5, 3) == "j  [##############################]  100 %  0.0 s left");
    BOOST_TEST(after(999, 1000).find("  99 %") != std::string::npos);
    BOOST_TEST(after(29, 50).find("  58 %") != std::string::npos);
    BOOST_TEST(after(1234, 0) == "j  1,234");
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    BOOST_TEST(after(most / 2, most).find("  50 %") != std::string::npos);
    BOOST_TEST(after(most, most).find("[##############################]  100 %") != std::string::npos);
    progress.begin("j", 2);
    world.said();
    world.now += 1;
    progress.update(1, {.loss = std::nan("")});
    BOOST_TEST(world.said().find("loss nan") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(output_that_fails_stops_nothing) {
    FakeWorld world;
    world.out.exceptions(std::ios::badbit | std::ios::failbit);
    Progress progress(world.display(true));
    try {
        world.out.setstate(std::ios::badbit);
    } catch (const std::ios_base::failure&) {
    }
    BOOST_CHECK_NO_THROW(progress.begin("job", 2));
    BOOST_CHECK_NO_THROW(progress.update(1));
    BOOST_CHECK_NO_THROW(progress.finish());
}

BOOST_AUTO_TEST_CASE(standard_error_says_what_it_is) {
    const Display display = standard_error();
    BOOST_TEST(display.out == &std::cerr);
    BOOST_TEST(display.columns() > 0);
    const double first = display.now_seconds();
    BOOST_TEST(display.now_seconds() >= first);
    if (::isatty(STDERR_FILENO) != 1) BOOST_TEST(!display.terminal);
}

BOOST_AUTO_TEST_CASE(the_display_names_the_first_and_counts_the_others) {
    FakeWorld world;
    Display display = world.display(false);
    display.line_seconds = 1;
    Progress progress(display);
    command_line::TrainingsDisplay trainings(progress);
    const TrainingProgress half{.round = 1, .rounds = 2, .update = 10, .updates = 10, .images = 100, .loss = 1.5};
    trainings.begins(4, "5/9 A");
    world.now += 2;
    trainings.update(4, half);
    BOOST_TEST(world.said().starts_with("5/9 A: 50 % (10 of 20), loss 1.500"));
    trainings.begins(5, "6/9 B");
    trainings.images_per_second = 300;
    world.now += 2;
    trainings.update(5, half);
    BOOST_TEST(world.said().starts_with("5/9 A and 1 more: 50 % (20 of 40), 300 images/s"));
    trainings.ends(4, "2 rounds");
    BOOST_TEST(world.said().starts_with("5/9 A: 2 rounds ("));
    world.now += 2;
    trainings.update(5, half);
    BOOST_TEST(world.said().starts_with("6/9 B: 50 % (10 of 20)"));
    trainings.ends(5, "done");
    BOOST_TEST(world.said().starts_with("6/9 B: done ("));
}
