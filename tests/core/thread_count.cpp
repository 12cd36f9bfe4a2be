// How many threads a default context has: which variable wins, what is refused, and what the process may use.
#define BOOST_TEST_MODULE core_thread_count
#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>

#include <skewgrad/core/thread_count.hpp>
#include "core/environment.hpp"

using namespace skewgrad;
using skewgrad_tests::Variable;

namespace {

bool names_variable_value_and_range(const std::string& said, const std::string& name, const std::string& value) {
    return said == "environment variable " + name + " is '" + value + "'; possible: a whole number from 1 to 4096";
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_no_number_of_threads_is_refused) {
    for (const char* name : {"SKEWGRAD_THREADS", "OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"})
        for (const char* value : {"abc", "-2", "0", "99999999999", "4097", "2x", "2 3", "1.5", " ", "0x4", "1e2"}) {
            const Variable ours("SKEWGRAD_THREADS", nullptr), openmp("OMP_NUM_THREADS", nullptr);
            const Variable wrong(name, value);
            BOOST_CHECK_EXCEPTION(default_threads(), ValueError, [&](const ValueError& problem) {
                return names_variable_value_and_range(problem.what(), name, value);
            });
        }
    for (const char* list : {",2", "a,2", " ,"}) BOOST_CHECK_THROW(threads_of_variable("OMP_NUM_THREADS", list), Error);
    BOOST_CHECK_THROW(threads_of_variable("SKEWGRAD_THREADS", "4,2"), ValueError);
    BOOST_CHECK_THROW(threads_of_variable("SKEWGRAD_THREADS", " 4"), ValueError);
}

BOOST_AUTO_TEST_CASE(numbers_within_the_range_are_taken) {
    for (const int n : {1, 2, 17, 4096})
        BOOST_TEST(threads_of_variable("SKEWGRAD_THREADS", std::to_string(n).c_str()).value() == n);
    BOOST_TEST(!threads_of_variable("SKEWGRAD_THREADS", nullptr));
    BOOST_TEST(!threads_of_variable("SKEWGRAD_THREADS", ""));
    BOOST_TEST(threads_of_variable("OMP_NUM_THREADS", "6,3,2").value() == 6);
    BOOST_TEST(threads_of_variable("OMP_NUM_THREADS", " 6 , 3").value() == 6);
}

BOOST_AUTO_TEST_CASE(ours_wins_then_openmps_then_slurms) {
    const Variable slurm("SLURM_CPUS_PER_TASK", "7");
    const Variable openmp("OMP_NUM_THREADS", "6,2");
    const Variable ours("SKEWGRAD_THREADS", "5");
    BOOST_TEST(default_threads() == 5);
    {
        const Variable empty("SKEWGRAD_THREADS", "");
        BOOST_TEST(default_threads() == 6);
        const Variable unset("OMP_NUM_THREADS", nullptr);
        BOOST_TEST(default_threads() == 7);
        const Variable none("SLURM_CPUS_PER_TASK", "");
        BOOST_TEST(default_threads() == cpu::usable_processors());
    }
    const Variable wrong("OMP_NUM_THREADS", "many");  // asked no more
    BOOST_TEST(default_threads() == 5);
}

BOOST_AUTO_TEST_CASE(contexts_have_from_1_to_4096_threads) {
    BOOST_TEST(checked_threads(1) == 1);
    BOOST_TEST(checked_threads(4096) == 4096);
    for (const int threads : {0, -1, 4097, 1215752191})
        BOOST_CHECK_EXCEPTION(checked_threads(threads), ValueError, [&](const ValueError& problem) {
            return std::string(problem.what()) ==
                   "a context has from 1 to 4096 threads, not " + std::to_string(threads);
        });
}
