// A temporary folder of the program's own, for what is read from files only.
#pragma once
#include <filesystem>
#include <string>

#include "store/temporary_folder.hpp"

namespace skewgrad_fuzz {

/// A path in the program's own temporary folder; where run-for starts the program, that lies in memory.
inline std::filesystem::path own_file(const std::string& name) {
    static const skewgrad_tests::TemporaryFolder folder;
    return folder / name;
}

}  // namespace skewgrad_fuzz
