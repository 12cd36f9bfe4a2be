// Linked into every test program: says which cases were skipped and why, and marks a run in which none was left.
#include <boost/test/results_collector.hpp>
#include <boost/test/tree/observer.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <iostream>

namespace {

namespace ut = boost::unit_test;

class SkipReporter : public ut::test_observer {
public:
    SkipReporter() { ut::framework::register_observer(*this); }
    ~SkipReporter() override { ut::framework::deregister_observer(*this); }

    using ut::test_observer::test_unit_skipped;
    void test_unit_skipped(const ut::test_unit& unit, ut::const_string reason) override {
        std::cout << "skewgrad test: skipped " << unit.full_name() << ": " << reason << '\n';
    }

    // A failure must never look like a skip, so the mark is withheld unless nothing passed and nothing failed.
    void test_finish() override {
        const auto& all = ut::results_collector.results(ut::framework::master_test_suite().p_id);
        const bool none_ran = all.p_test_cases_passed == 0 && all.p_test_cases_failed == 0 &&
                              all.p_test_cases_aborted == 0 && all.p_assertions_failed == 0;
        if (none_ran && all.p_test_cases_skipped > 0) std::cout << "skewgrad test: all cases were skipped\n";
        std::cout.flush();
    }

    int priority() override { return 100; }  // after Boost's own collector of results
};

const SkipReporter reporter;

}  // namespace
