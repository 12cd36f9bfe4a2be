// links: command_line
// Command lines of the paper's study: one argument a line.
#include <skewgrad/command_line/paper_options.hpp>
#include <skewgrad/command_line/run_main.hpp>
#include <skewgrad/command_line/run_options.hpp>
#include <sstream>
#include "fuzz/fuzz.hpp"

using namespace skewgrad;

void skewgrad_fuzz::fuzz(Piece input) {
    std::vector<std::string> arguments{"program"};
    std::istringstream lines(std::string(reinterpret_cast<const char*>(input.data()), input.size()));
    for (std::string line; std::getline(lines, line);) arguments.push_back(line);
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());

    struct : CommonOptions, RunOptions, PaperOptions {
    } options;
    CLI::App app("A study");
    add_common(app, options);
    add_run(app, options);
    add_paper(app, options);
    std::ostringstream out, error;
    bool understood = false;
    const int status = run_main(app, static_cast<int>(argv.size()), argv.data(),
                                [&] {
                                    understood = true;
                                    (void)options.scaled({});
                                    (void)options.as_run();
                                },
                                {out, error});
    if (status < 0 || status > 2 || (status == 0) != error.str().empty()) std::abort();
    if (understood && !(options.epsilon >= 0 && options.epsilon <= 1 && options.threads >= 1)) std::abort();
}
