// links: fuzz_small_run command_line
// A run's JSON files, its log among them, changed behind a right digest or replaced: where the run stands, and going on
// with it.
#include <skewgrad/command_line/study_status.hpp>
#include <skewgrad/study/run_folder.hpp>
#include "fuzz/edits.hpp"
#include "fuzz/small_run.hpp"

using namespace skewgrad;

void skewgrad_fuzz::fuzz(Piece input) {
    Input in = parts_of(input);
    const auto folder = restored_run();
    static const std::vector<std::string> names = run_files_named("", ".json");
    const std::string& name = names[in.ConsumeIntegralInRange<std::size_t>(0, names.size() - 1)];
    const auto change = [&] {
        const std::string& valid = run_files().at(name);
        nlohmann::json value = nlohmann::json::parse(valid);
        const bool protects = value.contains("digest");
        if (in.ConsumeIntegralInRange(0, 7) == 0)
            return write_whole_file(folder / name, in.ConsumeRemainingBytesAsString());
        for (int left = in.ConsumeIntegralInRange(1, 3); left > 0; --left) edit(value, in);
        write_whole_file(folder / name, protects && value.is_object() ? with_digest(value, in) : text_of(value, in));
    };
    change();
    try {
        check_shown(describe(read_status(folder), folder), 50);
    } catch (const Error&) {  // what says where a run stands need not be sound for it to go on
    }
    run_in(folder);
}
