// The options of the paper's study and of runs in folders: what is understood, what is refused and in which words.
#define BOOST_TEST_MODULE command_line_paper_options
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>
#include <vector>

#include <skewgrad/command_line/paper_options.hpp>
#include <skewgrad/command_line/run_main.hpp>
#include <skewgrad/command_line/run_options.hpp>
#include <skewgrad/core/error.hpp>

#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;

namespace {

constexpr PaperScale small{.per_class = 1100, .held_out = 100, .rounds = 6, .test_images = 200};

struct Options : RunOptions, PaperOptions {};
struct Ending {
    int status = -1;
    std::string error;
    Options options;
    PaperScale scale;
};

Ending run(std::vector<std::string> arguments, const PaperScale& scale = {}) {
    Ending ending;
    std::ostringstream out, error;
    CLI::App app("A study");
    add_run(app, ending.options);
    add_paper(app, ending.options);
    arguments.insert(arguments.begin(), "program");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    ending.status = run_main(app, static_cast<int>(argv.size()), argv.data(),
                             [&] { ending.scale = ending.options.scaled(scale); }, {out, error});
    ending.error = error.str();
    return ending;
}

void refused(const std::vector<std::string>& arguments, const std::string& words, const PaperScale& scale = {}) {
    const Ending ending = run(arguments, scale);
    BOOST_TEST_INFO("it says: " << ending.error);
    BOOST_TEST(ending.error.find(words) != std::string::npos);
    BOOST_TEST(ending.status != 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_options_the_scale_is_the_program_s) {
    const Ending ending = run({}, small);
    BOOST_TEST(ending.status == 0);
    BOOST_TEST(ending.error == "");
    BOOST_TEST((ending.scale.rounds == 6 && ending.scale.held_out == 100 && ending.scale.test_images == 200));
    BOOST_TEST(ending.options.protocol == "as-written");
    BOOST_TEST((ending.options.as_run().under == AsRunUnder::inferred));
    BOOST_TEST(ending.options.parts.seeds == 1);
    BOOST_TEST(ending.options.parts.classes.empty());
    BOOST_TEST(!(ending.options.parts.size_matched || ending.options.parts.dose || ending.options.parts.transfer));
    BOOST_TEST((ending.options.run.empty() && ending.options.status.empty() && !ending.options.other_hardware));
}

BOOST_AUTO_TEST_CASE(every_option_is_understood) {
    const Ending ending = run({"--protocol", "as-run", "--as-run-under", "committed", "--rounds", "3", "--held-out=50",
                               "--seeds", "4", "--classes", "9,3", "--size-matched", "--dose", "--transfer", "--run",
                               "a folder", "--status", "another", "--continue-on-other-hardware"},
                              small);
    BOOST_TEST(ending.error == "");
    BOOST_TEST(ending.options.protocol == "as-run");
    BOOST_TEST((ending.options.as_run().under == AsRunUnder::committed));
    BOOST_TEST((ending.scale.rounds == 3 && ending.scale.held_out == 50 && ending.scale.per_class == 1100));
    BOOST_TEST(ending.options.parts.seeds == 4);
    BOOST_TEST((ending.options.parts.classes == std::vector{Label{9}, Label{3}}));
    BOOST_TEST((ending.options.parts.size_matched && ending.options.parts.dose && ending.options.parts.transfer));
    BOOST_TEST((ending.options.run == "a folder" && ending.options.status == "another"));
    BOOST_TEST(ending.options.other_hardware);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused) {
    refused({"--protocol", "as-told"}, "as-told");
    refused({"--as-run-under", "x"}, "--as-run-under");
    refused({"--rounds", "0"}, "--rounds: needs a whole number from 1 to 200, got \"0\"");
    refused({"--rounds", "1.5"}, "got \"1.5\"");
    refused({"--held-out", "-1"}, "--held-out: needs a whole number from 0 to 4000, got \"-1\"");
    refused({"--seeds", "0"}, "--seeds");
    refused({"--classes", "cat"}, "--classes: needs a whole number from 0 to 999, got \"cat\"");
    refused({"--classes", ""}, "got \"\"");
    refused({"--classes", "3", "9"}, "9");
    refused({"--run", ""}, "--run: needs a folder");
    refused({"--status", ""}, "--status: needs a folder");
    refused({"--everything"}, "--everything");
}

BOOST_AUTO_TEST_CASE(a_scale_by_which_nothing_is_learnt_is_refused) {
    refused({"--held-out", "0"}, "--held-out 0 leaves nothing to stop by: it needs --rounds N");
    refused({"--held-out", "1100"}, "--held-out 1100 leaves nothing to train on: there are 1100 images a class", small);
    const Ending last = run({"--held-out", "0", "--rounds", "5"});
    BOOST_TEST((last.status == 0 && last.scale.held_out == 0 && last.scale.rounds == 5));
}

BOOST_AUTO_TEST_CASE(a_status_is_told_only_where_it_is_asked_for) {
    std::ostringstream out;
    RunOptions options;
    BOOST_TEST(!printed_status(options, out));
    BOOST_TEST(out.str() == "");
    const TemporaryFolder folder;
    options.status = folder / "nothing here";
    BOOST_CHECK_THROW(printed_status(options, out), FileError);
}
