// The instruction sets that this machine has.
#pragma once
#include <vector>

#include <skewgrad/core/cpu_features.hpp>

namespace skewgrad_tests {

inline std::vector<skewgrad::cpu::InstructionSet> sets_here() {
    std::vector<skewgrad::cpu::InstructionSet> all;
    for (const auto set : skewgrad::cpu::instruction_sets)
        if (set <= skewgrad::cpu::best_instruction_set()) all.push_back(set);
    return all;
}

}  // namespace skewgrad_tests
