// Checks a results folder before the computation: it must be new, empty or an earlier report's, and writable.
#pragma once
#include <filesystem>
#include <string>

#include <skewgrad/core/error.hpp>
#include <skewgrad/core/file.hpp>
#include <skewgrad/core/text.hpp>
#include <skewgrad/store/whole_file.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// The file that marks a folder as a report's. It lists the report's tables and figures.
inline constexpr const char* parts_list = "parts.txt";

/// Throws FileError if the folder contains files and no report's mark, since other people's files would be overwritten.
/// Writes nothing.
inline void check_output_folder(const std::filesystem::path& folder) {
    if (!is_folder(folder) || is_there(folder / parts_list)) return;
    for (const auto& entry : entries_of(folder))
        if (!is_partial_file(entry))
            throw FileError(folder.string(), "holds " + in_quotes(entry.filename().string()) +
                                                 " and no report: results go to an empty folder, or to one that a "
                                                 "report was written to");
}

/// Creates the folder if it is missing and marks it as a report's. Throws FileError as `check_output_folder` does, and
/// if the folder cannot be created or written to (no permission, a full disk).
inline void claim_output_folder(const std::filesystem::path& folder) {
    check_output_folder(folder);
    make_folder(folder);
    const std::filesystem::path mark = folder / parts_list;
    // This write happens even if the mark exists, as a test that files can be written.
    write_whole_file(mark, is_there(mark) ? read_whole_text(mark) : std::string());
}

}  // namespace SKEWGRAD_NAMESPACE::report
