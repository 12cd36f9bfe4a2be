// Confusion flow: shares of errors without and with an attack, pairs, and the class that errors go to most.
#define BOOST_TEST_MODULE evaluate_confusion_flow
#include <boost/test/unit_test.hpp>

#include <skewgrad/evaluate/confusion_flow.hpp>

using namespace skewgrad;

namespace {

void add(Confusion& to, int truth, int predicted, int times) {
    for (int i = 0; i < times; ++i) to.add(Label(truth), Prediction(predicted));
}

// Cats (0), dogs (1), cars (2): cats go to dogs beyond their ways, dogs to cars.
Confusion before() {
    Confusion c(3);
    add(c, 0, 0, 80), add(c, 0, 1, 10), add(c, 0, 2, 10);
    add(c, 1, 1, 90), add(c, 1, 0, 8), add(c, 1, 2, 2);
    add(c, 2, 2, 100);
    return c;
}
Confusion after() {
    Confusion c(3);
    add(c, 0, 0, 20), add(c, 0, 1, 60), add(c, 0, 2, 20);
    add(c, 1, 1, 50), add(c, 1, 0, 20), add(c, 1, 2, 30);
    add(c, 2, 2, 100);
    return c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(more_errors_of_the_same_mix_are_no_flow) {
    Confusion more(3);
    add(more, 0, 0, 20), add(more, 0, 1, 40), add(more, 0, 2, 40);
    const ErrorFlow flow = error_flow(before(), more, Label{0}, Prediction{1});
    BOOST_TEST((flow.before == Ratio{10, 20}));
    BOOST_TEST((flow.after == Ratio{40, 80}));
    BOOST_TEST(flow.value().value() == 0);
}

BOOST_AUTO_TEST_CASE(pairs_are_not_symmetric) {
    const PairFlow flow = pair_flow(before(), after(), Label{0}, Label{1});
    BOOST_TEST(flow.there.value().value() == 0.25, boost::test_tools::tolerance(1e-14));  // 60/80 - 10/20
    BOOST_TEST(flow.back.value().value() == -0.4, boost::test_tools::tolerance(1e-14));   // 20/50 - 8/10
    BOOST_TEST(flow.asymmetry().value() == 0.65, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(without_errors_there_is_no_flow) {
    BOOST_TEST(!error_flow(before(), after(), Label{2}, Prediction{0}).value().has_value());
    BOOST_TEST(!pair_flow(before(), after(), Label{0}, Label{2}).asymmetry().has_value());
    BOOST_CHECK_THROW(error_flow(before(), after(), Label{1}, Prediction{1}), ValueError);
    BOOST_CHECK_THROW(error_flow(before(), Confusion(2), Label{0}, Prediction{1}), ValueError);
}

BOOST_AUTO_TEST_CASE(the_likeliest_error) {
    BOOST_TEST(index(likeliest_error(before(), Label{0}).value()) == 1);  // the lowest among equals
    BOOST_TEST(index(likeliest_error(after(), Label{1}).value()) == 2);
    BOOST_TEST(!likeliest_error(before(), Label{2}).has_value());
}
