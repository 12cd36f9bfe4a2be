// What the two units of the paper's study know of each other: in neither direction a network, a sampler or an attack.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <skewgrad/study/paper.hpp>

/// What the command line asks for.
struct Wanted {
    std::string protocol, backend;
    bool quick = false;
    skewgrad::AsRunUnder under{};
    skewgrad::PaperScale scale;
    skewgrad::PaperParts parts;
    int threads = 1;
};

/// Carries a study out on the data asked for, and tells what came of it. `runs_on`: the context's description.
using RunStudy = std::function<void(const skewgrad::study::ErasedStudy& study, skewgrad::study::StudyOperations& work,
                                    const std::string& protocol, const std::string& runs_on)>;

/// Reads the options, has a study composed on one of `backends`, and returns the program's exit status.
int paper_program(int argc, char** argv, const std::vector<std::string>& backends,
                  const std::function<void(const Wanted& wanted, const RunStudy& run_study)>& compose);
