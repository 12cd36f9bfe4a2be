// Interface between the two translation units of the paper's study, without types of networks, samplers or attacks.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <skewgrad/study/paper.hpp>

/// The options from the command line.
struct Wanted {
    std::string protocol, backend;
    bool quick = false;
    skewgrad::AsRunUnder under{};
    skewgrad::PaperScale scale;
    skewgrad::PaperParts parts;
    int threads = 1;
};

/// Runs a study on the requested data and reports its results. `runs_on`: the context's description.
using RunStudy = std::function<void(const skewgrad::study::ErasedStudy& study, skewgrad::study::StudyOperations& work,
                                    const std::string& protocol, const std::string& runs_on)>;

/// Reads the options, calls `compose` for a study on one of `backends`, and returns the program's exit status.
int paper_program(int argc, char** argv, const std::vector<std::string>& backends,
                  const std::function<void(const Wanted& wanted, const RunStudy& run_study)>& compose);
