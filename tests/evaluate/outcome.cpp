// One row of logits: answer, margin, loss, confidence; ties, far margins, logits that are no numbers.
#define BOOST_TEST_MODULE evaluate_outcome
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/evaluate/outcome.hpp>

using namespace skewgrad;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

Outcome of(const std::vector<float>& z, int y) { return outcome_of(std::span<const float>(z), static_cast<Label>(y)); }

/// Relative error of a float result that was computed in double: a rounding, no more.
void close(float found, double expected) { BOOST_TEST(std::abs(found - expected) <= 6e-8 * std::abs(expected)); }

}  // namespace

BOOST_AUTO_TEST_CASE(right_by_hand) {
    const Outcome o = of({1, 3, 2, 0}, 1);
    BOOST_TEST((o.predicted == Prediction{1}));
    BOOST_TEST(o.margin == 1.0F);
    const double sum = std::exp(1.0) + std::exp(3.0) + std::exp(2.0) + 1;
    close(o.loss, std::log(sum) - 3);
    close(o.confidence, std::exp(3.0) / sum);
}

BOOST_AUTO_TEST_CASE(wrong_by_hand) {
    const Outcome o = of({1, 3, 2, 0}, 0);
    BOOST_TEST((o.predicted == Prediction{1}));
    BOOST_TEST(o.margin == -2.0F);
    const double sum = std::exp(1.0) + std::exp(3.0) + std::exp(2.0) + 1;
    close(o.loss, std::log(sum) - 1);
    close(o.confidence, std::exp(3.0) / sum);  // of what was predicted, not of the truth
    BOOST_TEST(of({1, 3, 2, 0}, 3).margin == -3.0F);
}

BOOST_AUTO_TEST_CASE(equal_maxima_go_to_the_lowest_index) {
    BOOST_TEST((of({0, 5, 5, 1}, 1).predicted == Prediction{1}));
    BOOST_TEST(of({0, 5, 5, 1}, 1).margin == 0.0F);
    BOOST_TEST((of({0, 5, 5, 1}, 2).predicted == Prediction{1}));
    BOOST_TEST(of({0, 5, 5, 1}, 2).margin == 0.0F);
    const Outcome flat = of({2, 2, 2, 2}, 3);
    BOOST_TEST((flat.predicted == Prediction{0}));
    close(flat.loss, std::log(4.0));
    close(flat.confidence, 0.25);
    BOOST_TEST((of({-0.0F, 0.0F}, 1).predicted == Prediction{0}));
}

BOOST_AUTO_TEST_CASE(two_classes_and_the_first_label) {
    const Outcome o = of({-1, 1}, 0);
    BOOST_TEST(o.margin == -2.0F);
    close(o.loss, 2 + std::log1p(std::exp(-2.0)));
    BOOST_TEST(of({3, 1}, 0).margin == 2.0F);
}

// logsumexp(z) - z_y in f32, or in double by subtraction, is 0 here (numerics: loss).
BOOST_AUTO_TEST_CASE(a_far_margin_keeps_its_loss) {
    close(of({50, 10, 0}, 0).loss, std::exp(-40.0) + std::exp(-50.0));
    close(of({50, 10, 0}, 2).loss, 50 + std::exp(-40.0));
    BOOST_TEST(of({50, 10, 0}, 0).confidence == 1.0F);
    const Outcome enormous = of({3e38F, -3e38F}, 1);
    BOOST_TEST((enormous.predicted == Prediction{0}));
    BOOST_TEST((enormous.loss > 1e38F && enormous.margin < -1e38F));
    BOOST_TEST(of({3e38F, -3e38F}, 0).loss == 0.0F);
    BOOST_TEST((finite_bits(enormous.margin) && finite_bits(enormous.loss)));
}

BOOST_AUTO_TEST_CASE(logits_that_are_not_finite_are_never_right) {
    for (const float bad : {no_number, -no_number, inf, -inf})
        for (std::size_t at = 0; at < 3; ++at)
            for (int y = 0; y < 3; ++y) {
                std::vector<float> z{1, 2, 3};
                z[at] = bad;
                const Outcome o = of(z, y);
                BOOST_TEST((o.predicted == no_prediction));
                BOOST_TEST(!correct(o.predicted, static_cast<Label>(y)));
                BOOST_TEST(o.margin == -inf);
                BOOST_TEST(o.loss == inf);
                BOOST_TEST(o.confidence == 0.0F);
            }
}

BOOST_AUTO_TEST_CASE(finite_is_read_from_the_bits) {
    BOOST_TEST((finite_bits(0.0F) && finite_bits(-1e-45F) && finite_bits(std::numeric_limits<float>::max())));
    BOOST_TEST((!finite_bits(inf) && !finite_bits(-inf) && !finite_bits(no_number)));
    BOOST_TEST((finite_bits(0.0) && finite_bits(1e308) && finite_bits(-5e-324)));
    BOOST_TEST((!finite_bits(double{inf}) && !finite_bits(double{no_number})));
}

BOOST_AUTO_TEST_CASE(doubles_are_taken_too) {
    const std::vector<double> z{1.0, 1.0 + 1e-12};
    const Outcome o = outcome_of(std::span<const double>(z), Label{1});
    BOOST_TEST((o.predicted == Prediction{1}));  // in f32 the two are equal and class 0 would win
    BOOST_TEST(o.margin > 0.0F);
}

BOOST_AUTO_TEST_CASE(many_rows) {
    const xt::xtensor<float, 2> logits{{1, 3, 2}, {5, 0, 0}, {0, no_number, 9}};
    const std::vector<Label> labels{Label{1}, Label{2}, Label{2}};
    const auto all = outcomes_of(logits, labels);
    BOOST_TEST(all.size() == 3u);
    BOOST_TEST((all[0] == of({1, 3, 2}, 1)));
    BOOST_TEST((all[1] == of({5, 0, 0}, 2)));
    const std::vector<Prediction> expected{Prediction{1}, Prediction{0}, no_prediction};
    BOOST_TEST((predictions_of(logits) == expected));
    BOOST_TEST((predictions_of(all) == expected));
    const auto none = xt::xtensor<float, 2>::from_shape({0, 3});
    BOOST_TEST(outcomes_of(none, std::vector<Label>{}).empty());
    BOOST_TEST(predictions_of(none).empty());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    BOOST_CHECK_THROW(of({1, 2, 3}, 3), ValueError);
    BOOST_CHECK_THROW(of({1}, 0), ValueError);
    BOOST_CHECK_THROW(of({}, 0), ValueError);
    BOOST_CHECK_THROW(prediction_of(std::span<const float>{}), ValueError);
    const xt::xtensor<float, 2> logits{{1, 3, 2}, {5, 0, 0}};
    BOOST_CHECK_THROW(outcomes_of(logits, std::vector<Label>(3)), ValueError);
}
