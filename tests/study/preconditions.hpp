// What tests of studies need of the machine; without it they are skipped, and say so.
#pragma once
#include <boost/test/unit_test.hpp>

#include <skewgrad/core/cpu_features.hpp>

namespace skewgrad_tests {

/// For tests on two instruction sets: *boost::unit_test::precondition(more_than_portable).
inline boost::test_tools::assertion_result more_than_portable(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result more(skewgrad::cpu::best_instruction_set() >
                                             skewgrad::cpu::InstructionSet::portable);
    more.message() << "this machine has the portable instruction set only";
    return more;
}

}  // namespace skewgrad_tests
