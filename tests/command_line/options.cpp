// The shared options: what is understood, what is refused and in which words, and the exit status of each ending.
#define BOOST_TEST_MODULE command_line_options
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <new>
#include <skewgrad/command_line/options.hpp>
#include <skewgrad/command_line/run_main.hpp>
#include <skewgrad/core/error.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/environment.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;
using skewgrad_tests::Variable;

namespace {

/// The environment's data folder for a time.
struct DataVariable : Variable {
    explicit DataVariable(const char* value) : Variable(data_variable, value) {}
};

struct Ending {
    int status = -1;
    std::string out, error;
    CommonOptions options;
    bool ran = false;
};

Ending run(std::vector<std::string> arguments, const std::function<void(const CommonOptions&)>& body = {},
           CommonOptions defaults = {}) {
    Ending ending;
    ending.options = defaults;
    std::ostringstream out, error;
    CLI::App app("A question about skewed data");
    add_common(app, ending.options);
    arguments.insert(arguments.begin(), "program");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    ending.status = run_main(app, static_cast<int>(argv.size()), argv.data(),
                             [&] {
                                 ending.ran = true;
                                 if (body) body(ending.options);
                                 out << "result\n";
                             },
                             {out, error});
    ending.out = out.str();
    ending.error = error.str();
    return ending;
}

/// A wrong option: status 2, the body not called, all on the error stream and naming what was given.
void refused(const std::vector<std::string>& arguments, const std::string& words) {
    const Ending ending = run(arguments);
    BOOST_TEST_INFO("it says: " << ending.error);
    BOOST_TEST(ending.error.find(words) != std::string::npos);
    BOOST_TEST(ending.status == 2);
    BOOST_TEST(!ending.ran);
    BOOST_TEST(ending.out == "");
}

}  // namespace

BOOST_AUTO_TEST_CASE(defaults_stand_without_options) {
    const DataVariable none(nullptr);
    CommonOptions defaults;
    defaults.seed = Seed{7};
    defaults.out = "results";
    const Ending ending = run({}, {}, defaults);
    BOOST_TEST(ending.status == 0);
    BOOST_TEST(ending.out == "result\n");
    BOOST_TEST(ending.error == "");
    BOOST_TEST(ending.options.data.empty());
    BOOST_TEST(ending.options.out == "results");
    BOOST_TEST(ending.options.threads == default_threads());
    BOOST_TEST(ending.options.seed.value == 7u);
    BOOST_TEST(ending.options.epsilon == 0.01f);
    BOOST_TEST(!ending.options.quick);
}

BOOST_AUTO_TEST_CASE(every_option_is_understood) {
    const TemporaryFolder folder;
    const DataVariable none(nullptr);
    const Ending ending = run({"--data", folder.path().string(), "--threads", "3", "--seed=18446744073709551615",
                               "--quick", "--out", (folder / "new").string(), "--epsilon", "0.03"});
    BOOST_TEST(ending.error == "");
    BOOST_TEST(ending.options.data == folder.path());
    BOOST_TEST(ending.options.out == folder / "new");
    BOOST_TEST(ending.options.threads == 3);
    BOOST_TEST(ending.options.seed.value == std::numeric_limits<std::uint64_t>::max());
    BOOST_TEST(ending.options.epsilon == 0.03f);
    BOOST_TEST(ending.options.quick);
    BOOST_TEST(required_data(ending.options) == folder.path());
    BOOST_TEST(run({"--seed", "010"}).options.seed.value == 10u);  // not octal
    BOOST_TEST(run({"--epsilon", "0"}).options.epsilon == 0.0f);
}

BOOST_AUTO_TEST_CASE(wrong_values_are_named) {
    const TemporaryFolder folder;
    const DataVariable none(nullptr);
    std::ofstream(folder / "file") << "x";
    refused({"--threads", "0"}, "--threads: needs a whole number from 1 to 4096, got \"0\"");
    refused({"--threads", "2x"}, "got \"2x\"");
    refused({"--threads", "1.5"}, "got \"1.5\"");
    refused({"--threads", ""}, "got \"\"");
    refused({"--seed", "-1"}, "--seed: needs a whole number from 0 to 18446744073709551615, got \"-1\"");
    refused({"--seed", "18446744073709551616"}, "got \"18446744073709551616\"");
    refused({"--epsilon", "nan"}, "--epsilon: needs a number from 0 to 1, got \"nan\"");
    refused({"--epsilon", "1.01"}, "got \"1.01\"");
    refused({"--epsilon", "-0.1"}, "got \"-0.1\"");
    refused({"--epsilon", "8/255"}, "got \"8/255\"");
    refused({"--data", (folder / "missing").string()}, "there is no folder \"" + (folder / "missing").string() + "\"");
    refused({"--data", (folder / "file").string()}, "there is no folder \"" + (folder / "file").string() + "\"");
    refused({"--out", (folder / "file").string()}, "\"" + (folder / "file").string() + "\" is no folder");
    refused({"--out", ""}, "--out: needs a folder");
    refused({"--tread", "2"}, "--tread");
    refused({"stray"}, "stray");
    refused({"--seed", "1", "--seed", "2"}, "--seed");
    refused({"--seed"}, "--seed");
}

BOOST_AUTO_TEST_CASE(the_environment_names_the_data_where_no_option_does) {
    const TemporaryFolder folder, other;
    {
        const DataVariable variable(folder.path().c_str());
        BOOST_TEST(run({}).options.data == folder.path());
        BOOST_TEST(run({"--data", other.path().string()}).options.data == other.path());
    }
    {
        const DataVariable variable((folder / "gone").c_str());
        refused({}, "there is no folder \"" + (folder / "gone").string() + "\" (the option's or SKEWGRAD_CIFAR10's)");
        BOOST_TEST(run({"--data", other.path().string()}).status == 0);
    }
    {
        const DataVariable variable("");
        BOOST_TEST(run({}).options.data.empty());
    }
    const DataVariable none(nullptr);
    const Ending ending = run({}, [](const CommonOptions& options) { (void)required_data(options); });
    BOOST_TEST(ending.status == 1);
    BOOST_TEST(ending.error == "error: no data folder: give --data FOLDER or set SKEWGRAD_CIFAR10\n");
}

// Wherever the options stand when the variable is read: in `main`, no handler is there yet.
BOOST_AUTO_TEST_CASE(the_environment_says_how_many_threads_where_no_option_does) {
    const DataVariable none(nullptr);
    const Variable openmp("OMP_NUM_THREADS", nullptr), slurm("SLURM_CPUS_PER_TASK", "9");
    BOOST_TEST(run({}).options.threads == 9);
    for (const char* value : {"abc", "-2", "0", "99999999999"}) {
        const Variable ours("SKEWGRAD_THREADS", value);
        const Ending ending = run({});
        BOOST_TEST(ending.status == 1);
        BOOST_TEST(!ending.ran);
        BOOST_TEST(ending.out == "");
        BOOST_TEST(ending.error == std::string("error: environment variable SKEWGRAD_THREADS is '") + value +
                                       "'; possible: a whole number from 1 to 4096\n");
        BOOST_TEST(run({"--threads", "3"}).options.threads == 3);
    }
    CommonOptions two;
    two.threads = 2;
    BOOST_TEST(run({}, {}, two).options.threads == 2);
    BOOST_TEST(run({"--help"}, {}, two).out.find("--threads N=2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(help_comes_whatever_else_is_wrong) {
    const DataVariable variable("/no/such/folder");
    const Variable threads("SKEWGRAD_THREADS", "many");
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--help"}, {"-h"}, {"--threads", "0", "--help"}, {"--help", "--bogus"}}) {
        const Ending ending = run(arguments);
        BOOST_TEST(ending.status == 0);
        BOOST_TEST(!ending.ran);
        BOOST_TEST(ending.error == "");
        for (const char* part :
             {"A question about skewed data", "--data FOLDER", "SKEWGRAD_CIFAR10", "--threads N", "--seed N=1",
              "--quick", "--out FOLDER", "--epsilon X=0.01", "Files:", "Run:", "Attack:", "-h,--help"}) {
            BOOST_TEST_INFO(part);
            BOOST_TEST(ending.out.find(part) != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(errors_are_one_line_and_status_1) {
    const DataVariable none(nullptr);
    const auto ends = [](const std::function<void()>& action) {
        return run({}, [&](const CommonOptions&) { action(); });
    };
    const Ending file = ends([] { throw FileError("some/file", "is damaged"); });
    BOOST_TEST(file.status == 1);
    BOOST_TEST(file.error == "error: some/file: is damaged\n");
    BOOST_TEST(file.out == "");
    BOOST_TEST(ends([] { throw ValueError("two\nlines"); }).error == "error: two\\x0alines\n");
    BOOST_TEST(ends([] { throw std::runtime_error("two\nlines"); }).error == "error: two lines\n");
    BOOST_TEST(ends([] { throw std::bad_alloc(); }).error == "error: not enough memory\n");
    BOOST_TEST(ends([] { throw std::out_of_range("at"); }).error == "error: at\n");
    BOOST_TEST(ends([] { throw std::out_of_range("at"); }).status == 1);
}

BOOST_AUTO_TEST_CASE(a_body_may_give_the_status) {
    CLI::App app;
    const char* argv[] = {"program"};
    BOOST_TEST(run_main(app, 1, argv, [] { return 3; }) == 3);
    BOOST_TEST(run_main(app, 1, argv, [] { return 0; }) == 0);
}

BOOST_AUTO_TEST_CASE(results_that_could_not_be_written_are_no_success) {
    CLI::App app;
    const char* argv[] = {"program"};
    std::ofstream full("/dev/full");
    std::ostringstream error;
    BOOST_TEST(run_main(app, 1, argv, [&] { full << "a result\n"; }, {full, error}) == 1);
    BOOST_TEST(error.str() == "error: cannot write to standard output\n");
}

BOOST_AUTO_TEST_CASE(numbers_of_a_programs_own) {
    CLI::App app;
    double rate = 1e-4;
    int seeds = 3;
    add_number(app, "--rate", rate, 0.0, 1.0, "Learning rate");
    add_number(app, "--seeds", seeds, 1, 99, "Blocks");
    std::ostringstream out, error;
    const char* good[] = {"program", "--rate", "1e-3", "--seeds", "6"};
    BOOST_TEST(run_main(app, 5, good, [] {}, {out, error}) == 0);
    BOOST_TEST(rate == 1e-3);
    BOOST_TEST(seeds == 6);
    const char* bad[] = {"program", "--seeds", "100"};
    BOOST_TEST(run_main(app, 3, bad, [] {}, {out, error}) == 2);
    BOOST_TEST(seeds == 6);
    BOOST_TEST(error.str().find("--seeds: needs a whole number from 1 to 99, got \"100\"") != std::string::npos);
}
