// What the environment may ask for, and that what the processor is said to have, it has.
#define BOOST_TEST_MODULE core_cpu_features
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include <skewgrad/core/cpu_features.hpp>

using namespace skewgrad;
using namespace skewgrad::cpu;

namespace {

struct Environment {
    Environment() { unsetenv("SKEWGRAD_ISA"); }
    ~Environment() { unsetenv("SKEWGRAD_ISA"); }
    static InstructionSet with(const char* wish) {
        setenv("SKEWGRAD_ISA", wish, 1);
        return instruction_set_from_environment();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(the_environment, Environment)

BOOST_AUTO_TEST_CASE(unset_or_empty_it_asks_for_the_best) {
    BOOST_CHECK(instruction_set_from_environment() == best_instruction_set());
    BOOST_CHECK(with("") == best_instruction_set());
}

BOOST_AUTO_TEST_CASE(it_may_ask_for_any_set_of_this_machine_and_for_no_other) {
    for (const InstructionSet set : instruction_sets)
        if (set <= best_instruction_set())
            BOOST_CHECK(with(name(set)) == set);
        else
            BOOST_CHECK_THROW(with(name(set)), ValueError);
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_refused_with_what_there_is) {
    for (const char* wish : {"avx", "AVX2", "sse", "avx2 "})
        BOOST_CHECK_EXCEPTION(with(wish), ValueError, [&](const ValueError& e) {
            const std::string said = e.what();
            return said.find("'" + std::string(wish) + "'") != said.npos && said.find("portable") != said.npos &&
                   said.find(name(best_instruction_set())) != said.npos;
        });
}

BOOST_AUTO_TEST_SUITE_END()

#if defined(__x86_64__) && defined(__GNUC__)
// The compiler's own library asks the processor too. (It knows nothing of what the operating system saves.)
BOOST_AUTO_TEST_CASE(the_compiler_s_library_agrees) {
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    BOOST_TEST((best_instruction_set() >= InstructionSet::avx2) == avx2);
    BOOST_TEST((best_instruction_set() >= InstructionSet::avx512) == avx512);
}
#endif
