// The confusion matrix: counts by hand, every ratio with its denominator, empty classes, answers that are none.
#define BOOST_TEST_MODULE evaluate_confusion
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/evaluate/confusion.hpp>

using namespace skewgrad;

namespace {

std::vector<Label> labels(const std::vector<int>& y) {
    std::vector<Label> all;
    for (const int k : y) all.push_back(static_cast<Label>(k));
    return all;
}
std::vector<Prediction> predicted(const std::vector<int>& y) {
    std::vector<Prediction> all;
    for (const int k : y) all.push_back(static_cast<Prediction>(k));
    return all;
}
void is(Ratio r, std::int64_t hits, std::int64_t of) {
    BOOST_TEST(r.hits == hits);
    BOOST_TEST(r.of == of);
}

// Class 3 has no images but is predicted once; class 2 never.
const Confusion four(4, labels({0, 0, 0, 0, 1, 1, 1, 2, 2}), predicted({0, 0, 1, 3, 1, 1, 0, 0, 1}));

}  // namespace

BOOST_AUTO_TEST_CASE(rows_are_the_true_class) {
    const xt::xtensor<std::int64_t, 2> expected{{2, 1, 0, 1}, {1, 2, 0, 0}, {1, 1, 0, 0}, {0, 0, 0, 0}};
    BOOST_TEST((four.counts() == expected));
    BOOST_TEST(four.count(Label{0}, Prediction{3}) == 1);
    BOOST_TEST(four.count(Label{2}, Prediction{0}) == 1);
    BOOST_TEST(four.count(Label{0}, Prediction{2}) == 0);
    BOOST_TEST(four.total() == 9);
    BOOST_TEST(four.images(Label{0}) == 4);
    BOOST_TEST(four.images(Label{3}) == 0);
    BOOST_TEST(four.classes() == 4);
}

BOOST_AUTO_TEST_CASE(ratios_keep_their_denominators) {
    is(four.accuracy(), 4, 9);
    is(four.recall(Label{0}), 2, 4);
    is(four.recall(Label{1}), 2, 3);
    is(four.recall(Label{2}), 0, 2);
    is(four.precision(Label{0}), 2, 4);
    is(four.precision(Label{1}), 2, 4);
    is(four.precision(Label{3}), 0, 1);
    BOOST_TEST(four.accuracy().value() == 4.0 / 9.0);
}

BOOST_AUTO_TEST_CASE(nothing_to_divide_by_is_undefined) {
    BOOST_TEST(!four.recall(Label{3}).defined());
    BOOST_TEST(std::isnan(four.recall(Label{3}).value()));
    BOOST_TEST(!four.precision(Label{2}).defined());
    BOOST_TEST(!Confusion(3).accuracy().defined());
    BOOST_TEST(Confusion(3).macro_recall().classes == 0);
    BOOST_TEST(std::isnan(Confusion(3).macro_recall().value));
}

BOOST_AUTO_TEST_CASE(macro_recall_is_over_the_classes_that_have_images) {
    BOOST_TEST(four.macro_recall().classes == 3);
    BOOST_TEST(four.macro_recall().value == (0.5 + 2.0 / 3.0 + 0.0) / 3, boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(errors_by_where_they_go) {
    is(four.share_of_errors(Label{0}, Prediction{1}), 1, 2);
    is(four.share_of_errors(Label{1}, Prediction{0}), 1, 1);
    is(four.share_of_errors(Label{1}, Prediction{2}), 0, 1);
    BOOST_TEST(!four.share_of_errors(Label{3}, Prediction{0}).defined());
    BOOST_CHECK_THROW(four.share_of_errors(Label{1}, Prediction{1}), ValueError);
}

BOOST_AUTO_TEST_CASE(shares_of_a_row) {
    const auto shares = four.row_shares();
    BOOST_TEST(shares(0, 0) == 0.5);
    BOOST_TEST(shares(0, 3) == 0.25);
    BOOST_TEST(shares(1, 0) == 1.0 / 3.0);
    BOOST_TEST(shares(2, 2) == 0.0);
    for (std::size_t j = 0; j < 4; ++j) BOOST_TEST(std::isnan(shares(3, j)));
}

BOOST_AUTO_TEST_CASE(no_prediction_is_wrong_and_counted) {
    Confusion c(2);
    c.add(Label{0}, Prediction{0});
    c.add(Label{0}, no_prediction);
    c.add(Label{0}, Prediction{1});
    c.add(Label{1}, no_prediction);
    BOOST_TEST(c.without_prediction(Label{0}) == 1);
    BOOST_TEST(c.without_prediction(Label{1}) == 1);
    BOOST_TEST(c.total() == 4);
    is(c.accuracy(), 1, 4);
    is(c.recall(Label{0}), 1, 3);
    is(c.recall(Label{1}), 0, 1);
    is(c.precision(Label{0}), 1, 1);
    is(c.share_of_errors(Label{0}, Prediction{1}), 1, 2);
    BOOST_TEST(c.row_shares()(0, 0) == 1.0 / 3.0);
}

BOOST_AUTO_TEST_CASE(parts_add_up) {
    Confusion whole(4, labels({0, 0, 0, 0, 1}), predicted({0, 0, 1, 3, 1}));
    Confusion rest(4, labels({1, 1, 2, 2}), predicted({1, 0, 0, 1}));
    whole += rest;
    BOOST_TEST((whole == four));
    rest.add(Label{0}, no_prediction);
    whole += rest;
    BOOST_TEST(whole.without_prediction(Label{0}) == 1);
    BOOST_TEST((whole != four));
    BOOST_CHECK_THROW(whole += Confusion(3), ValueError);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    BOOST_CHECK_THROW(Confusion(0), ValueError);
    BOOST_CHECK_THROW(Confusion(-1), ValueError);
    BOOST_CHECK_THROW(Confusion(70'000), ValueError);
    BOOST_CHECK_THROW(Confusion(2, labels({0, 1}), predicted({0})), ValueError);
    BOOST_CHECK_THROW(Confusion(2, labels({0, 2}), predicted({0, 1})), ValueError);
    BOOST_CHECK_THROW(Confusion(2, labels({0, 1}), predicted({0, 2})), ValueError);
    BOOST_CHECK_THROW(four.recall(Label{4}), ValueError);
    BOOST_CHECK_THROW(four.precision(Label{4}), ValueError);
    try {
        Confusion(2).add(Label{1}, Prediction{7});
        BOOST_ERROR("prediction 7 of 2 classes was taken");
    } catch (const ValueError& e) {
        BOOST_TEST(std::string(e.what()) == "Confusion: prediction 7, the classes are 0 to 1");
    }
}

BOOST_AUTO_TEST_CASE(pooled_ratios) { is(Ratio{1, 4} + Ratio{3, 5}, 4, 9); }
