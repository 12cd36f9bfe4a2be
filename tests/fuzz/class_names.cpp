// links: fuzz_small_run command_line
// Files of class names: what is read is run, kept in a folder, reported and said.
#include <skewgrad/command_line/study_status.hpp>
#include <skewgrad/data/cifar.hpp>
#include "fuzz/fuzz.hpp"
#include "fuzz/small_run.hpp"

using namespace skewgrad;

void skewgrad_fuzz::fuzz(Piece input) {
    const auto path = own_file("names.txt"), folder = own_file("run");
    write_whole_file(path, input);
    std::filesystem::remove_all(folder);
    const Splits data = small_data(cifar::names_of(path, 4, {}));
    run_in(folder, data);
    check_shown(describe(read_status(folder), folder), 50);
    report(run_in(folder, data), folder / "report");
}
