// A run's folder of a study of four classes, as files; and the study again in that folder after one of them changed.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <skewgrad/data/dataset.hpp>
#include <skewgrad/study/results.hpp>

// Defined in units/small_run.cpp: studies and reports are much to compile, and several fuzzers have the same.
namespace skewgrad_fuzz {

/// Five images a class of 1 x 2 x 2 pixels, for training and for testing.
skewgrad::Splits small_data(const std::vector<std::string>& class_names = {"airplane", "cat", "dog", "truck"});

/// Begins a study in a folder, or goes on with it: two networks, attacked in one class by both their
/// gradients, and one whose training fails.
skewgrad::StudyResults run_in(const std::filesystem::path& folder, const skewgrad::Splits& data = small_data());

/// Everything that is made of results: all files of a report.
void report(const skewgrad::StudyResults& results, const std::filesystem::path& folder);

/// The files of such a run by their place in the folder, but for the lock.
const std::map<std::string, std::string>& run_files();

/// A folder with these files, as they were.
std::filesystem::path restored_run();

/// The run's files whose names begin and end so.
std::vector<std::string> run_files_named(const std::string& begin, const std::string& end);

}  // namespace skewgrad_fuzz
