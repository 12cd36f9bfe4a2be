// A folder for results, tried before the work: made, empty or a report's own, and open to writing.
#pragma once
#include <filesystem>
#include <string>

#include <skewgrad/core/error.hpp>
#include <skewgrad/core/file.hpp>
#include <skewgrad/core/text.hpp>
#include <skewgrad/store/whole_file.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// The file that marks a folder as a report's: the list of its tables and figures.
inline constexpr const char* parts_list = "parts.txt";

/// Throws FileError where the folder holds something and no mark that it is a report's: what others left there would be
/// overwritten. Writes nothing.
inline void check_output_folder(const std::filesystem::path& folder) {
    if (!is_folder(folder) || is_there(folder / parts_list)) return;
    for (const auto& entry : entries_of(folder))
        if (!is_partial_file(entry))
            throw FileError(folder.string(), "holds " + in_quotes(entry.filename().string()) +
                                                 " and no report: results go to an empty folder, or to one that a "
                                                 "report was written to");
}

/// Makes the folder where it is missing and marks it as a report's. Throws FileError as `check_output_folder`, and
/// where it cannot be made or takes no file (closed to us, a full disk).
inline void claim_output_folder(const std::filesystem::path& folder) {
    check_output_folder(folder);
    make_folder(folder);
    const std::filesystem::path mark = folder / parts_list;
    // Even where the mark is there: this shows that files can be written.
    write_whole_file(mark, is_there(mark) ? read_whole_text(mark) : std::string());
}

}  // namespace SKEWGRAD_NAMESPACE::report
