// Self-checks: each passes on a sound run, fails on the fault that it is for, and says where; without cells it was not
// run.
#define BOOST_TEST_MODULE study_self_checks
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include <skewgrad/study/claims.hpp>
#include "fake_evidence.hpp"

using namespace skewgrad;
using namespace skewgrad::claims;

namespace {

fake::Study sound() {
    fake::Study study;
    study.networks = {{Kind::balanced, {}}, {Kind::under, {}}, {Kind::over, {}}, {Kind::scarce, {}}, {Kind::sham, {}}};
    return study;
}
SelfCheck check(const std::vector<SelfCheck>& all, const std::string& part) {
    for (const SelfCheck& c : all)
        if (c.name.find(part) != std::string::npos) return c;
    throw std::runtime_error("no check speaks of " + part);
}
SelfCheck check(fake::Study& study, const std::string& part) { return check(self_checks(study.evidence()), part); }
std::string result(const SelfCheck& c) { return name_of(c.result); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_sound_run_passes_all) {
    fake::Study study = sound();
    const auto all = self_checks(study.evidence());
    BOOST_TEST(all.size() == 9u);
    for (const SelfCheck& c : all) {
        BOOST_TEST(result(c) == (c.name.starts_with("zero gradients") ? "noted" : "passed"),
                   c.name << ": " << c.numbers);
        BOOST_TEST(c.where.empty());
        BOOST_TEST(!c.numbers.empty());
    }
    BOOST_TEST(failed(all).empty());
}

BOOST_AUTO_TEST_CASE(what_has_no_cells_was_not_run) {
    for (const SelfCheck& c : self_checks(Evidence({"a", "b"}))) BOOST_TEST(result(c) == "not run", c.name);
}

BOOST_AUTO_TEST_CASE(answers_left_at_a_quarter_of_the_range) {
    fake::Study study = sound();
    study.spoil = [](const CellName& n, std::vector<ImageRecord>& records) {
        if (n.method == Method::iterative_far && n.victim.kind == Kind::under && n.victim.block == 2 &&
            n.attacked == Label{5})
            records[3].attacked.predicted = Prediction{5};
    };
    const SelfCheck c = check(study, "accuracy 0");
    BOOST_TEST(result(c) == "FAILED");
    BOOST_REQUIRE_EQUAL(c.where.size(), 1u);
    BOOST_TEST(c.where[0] == "seed 2, under (dog), iterative at 0.25 from its own gradient on dog");
    BOOST_TEST(c.numbers.starts_with("1 of "));
}

BOOST_AUTO_TEST_CASE(a_small_step_that_does_not_raise_the_loss) {
    fake::Study study = sound();
    const auto lower = [](std::size_t how_many, bool zero) {
        return [=](const CellName& n, std::vector<ImageRecord>& records) {
            if (n.method != Method::fast_tenth || n.victim.kind != Kind::over) return;
            for (std::size_t i = 0; i < how_many; ++i) {
                records[i].attacked.loss = records[i].clean.loss;
                records[i].zero_gradient = zero;
            }
        };
    };
    study.spoil = lower(4, false);  // of 400: exactly 1 %
    BOOST_TEST(result(check(study, "raises the loss")) == "passed");
    study.spoil = lower(5, false);
    BOOST_TEST(result(check(study, "raises the loss")) == "FAILED");
    BOOST_TEST(check(study, "raises the loss").where.size() == 60u);
    study.spoil = lower(100, true);  // an image without gradient is not asked
    BOOST_TEST(result(check(study, "raises the loss")) == "passed");
    BOOST_TEST(check(study, "zero gradients").numbers.starts_with("25.00 %") ==
               false);  // noted of the fast attack's cells
}

BOOST_AUTO_TEST_CASE(attacks_that_ought_to_be_stronger) {
    fake::Study study = sound();
    study.networks[Kind::under].iterative = 0.4;  // below the fast one's .6
    const SelfCheck masked = check(study, "the iterative attack is at least");
    BOOST_TEST(result(masked) == "FAILED");
    BOOST_TEST(masked.where.size() == 60u);
    BOOST_TEST(masked.where[0].starts_with("possible gradient masking: seed 1, under (airplane)"));
    // A little weaker is within two standard errors.
    fake::Study close = sound();
    close.networks[Kind::balanced].transferred = close.networks[Kind::balanced].flips - 0.05;
    BOOST_TEST(result(check(close, "the own gradient is at least")) == "passed");
    fake::Study far = sound();
    far.networks[Kind::over].transferred = 0.9;
    BOOST_TEST(result(check(far, "the own gradient is at least")) == "FAILED");
}

BOOST_AUTO_TEST_CASE(small_gradients_are_noted) {
    fake::Study study = sound();
    study.spoil = [](const CellName& n, std::vector<ImageRecord>& records) {
        if (n.method == Method::fast && n.victim.kind == Kind::over && n.attacked == Label{1})
            for (std::size_t i = 0; i < 100; ++i)
                records[i].gradient_norm1 = i < 40 ? 0 : 1e-9, records[i].zero_gradient = i < 40;
    };
    const SelfCheck c = check(study, "zero gradients");
    BOOST_TEST(result(c) == "noted");
    BOOST_TEST(c.numbers.starts_with("10.00 % and 25.00 % at most, the latter in seed 1, over (automobile)"),
               c.numbers);
}

BOOST_AUTO_TEST_CASE(training_at_the_protocols_limit) {
    fake::Study study = sound();
    study.networks[Kind::scarce].rounds = 200;
    BOOST_TEST(result(check(study, "200 rounds")) == "passed");  // its patience ended it there
    study.networks[Kind::scarce].out_of_rounds = true;
    const SelfCheck c = check(study, "200 rounds");
    BOOST_TEST(result(c) == "FAILED");
    BOOST_TEST(c.where.size() == 6u);
    BOOST_TEST(c.where[0] == "seed 1, scarce");
}

BOOST_AUTO_TEST_CASE(a_sham_skew_that_shows_something) {
    fake::Study study = sound();
    study.networks[Kind::under].flips = study.networks[Kind::scarce].flips = 0.9;  // real skews may
    study.networks[Kind::under].iterative = study.networks[Kind::scarce].iterative = 0.95;
    for (const char* id : {"C1", "C2", "C8"})
        BOOST_TEST(result(check(study, std::string("shows nothing: ") + id)) == "passed", id);
    study.networks[Kind::sham].flips = 0.68;
    const auto all = self_checks(study.evidence());
    for (const char* id : {"C1", "C2", "C8"})
        BOOST_TEST(result(check(all, std::string("shows nothing: ") + id)) == "FAILED", id);
    BOOST_TEST(failed(all).size() == 3u);
}
