// One of a run's records, changed behind a right digest, and the study that takes it for done.
#pragma once
#include <string>
#include <vector>

#include "fuzz/edits.hpp"
#include "fuzz/small_run.hpp"

namespace skewgrad_fuzz {

/// Changes one of the run's files whose names begin and end so, runs the study on it and, for every fourth input,
/// reports what it found: that costs as much as everything before.
inline void fuzz_record(skewgrad::Piece input, const std::string& begin, const std::string& end) {
    Input in = parts_of(input);
    const bool reported = in.ConsumeIntegralInRange(0, 3) == 0;
    const auto folder = restored_run();
    const std::vector<std::string> names = run_files_named(begin, end);
    const std::string& name = names[in.ConsumeIntegralInRange<std::size_t>(0, names.size() - 1)];
    write_edited(folder / name, std::as_bytes(std::span(run_files().at(name))), in);
    const skewgrad::StudyResults results = run_in(folder);
    if (reported) report(results, folder / "report");
}

}  // namespace skewgrad_fuzz
