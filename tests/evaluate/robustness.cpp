// What an attack did: the field's rates on one hand-made list, measures of a drop, flips on matched images.
#define BOOST_TEST_MODULE evaluate_robustness
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <skewgrad/evaluate/matched_flips.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/evaluate/robustness.hpp>

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
template <class... Parts>
auto names(Parts... parts) {
    return [=](const ValueError& e) {
        const std::string what = e.what();
        return (... && (what.find(parts) != std::string::npos));
    };
}

// right-right, right-wrong, wrong-right, wrong-wrong the same, wrong-wrong another, right-wrong
const auto y = labels({0, 1, 2, 0, 1, 2});
const auto before = predicted({0, 1, 0, 1, 0, 2});
const auto after = predicted({0, 2, 2, 1, 2, 1});

}  // namespace

BOOST_AUTO_TEST_CASE(three_rates_that_differ) {
    is(accuracy(y, before), 3, 6);
    is(accuracy(y, after), 2, 6);
    is(robust_accuracy(y, {.before = before, .after = after}), 1, 6);
    is(attack_success_rate(y, {.before = before, .after = after}), 2, 3);
    is(fooling_rate({.before = before, .after = after}), 4, 6);
}

BOOST_AUTO_TEST_CASE(nothing_right_before) {
    const auto wrong = predicted({1, 2, 0, 1, 2, 0});
    BOOST_TEST(!attack_success_rate(y, {.before = wrong, .after = before}).defined());
    is(robust_accuracy(y, {.before = wrong, .after = before}), 0, 6);
    is(robust_accuracy({}, {}), 0, 0);
    BOOST_TEST(!fooling_rate({}).defined());
}

BOOST_AUTO_TEST_CASE(no_prediction_under_attack_is_a_flip) {
    const auto one = labels({0});
    const std::vector<Prediction> right{Prediction{0}}, none{no_prediction};
    is(attack_success_rate(one, {.before = right, .after = none}), 1, 1);
    is(robust_accuracy(one, {.before = right, .after = none}), 0, 1);
    is(robust_accuracy(one, {.before = none, .after = right}), 0, 1);
    is(fooling_rate({.before = right, .after = none}), 1, 1);
    is(accuracy(one, none), 0, 1);
}

BOOST_AUTO_TEST_CASE(lists_of_unequal_length_are_named) {
    const auto five = predicted({0, 1, 0, 1, 0});
    BOOST_CHECK_EXCEPTION(accuracy(y, five), ValueError, names("accuracy", "6 labels", "5 predictions"));
    BOOST_CHECK_EXCEPTION(robust_accuracy(y, {.before = five, .after = after}), ValueError,
                          names("robust_accuracy", "6 labels", "5 predictions before"));
    BOOST_CHECK_EXCEPTION(attack_success_rate(y, {.before = before, .after = five}), ValueError,
                          names("attack_success_rate", "6 labels", "5 predictions after"));
    BOOST_CHECK_EXCEPTION(fooling_rate({.before = before, .after = five}), ValueError,
                          names("fooling_rate", "6 predictions before", "5 predictions after"));
}

// The paper's cat, balanced: 83.45 % has no class row here; take 690 of 1,000 clean and 110 attacked.
BOOST_AUTO_TEST_CASE(three_measures_of_a_drop) {
    const Ratio clean{690, 1000}, attacked{110, 1000};
    BOOST_TEST(relative_difference(clean, attacked).value() == 84.05797101449275, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(absolute_drop(clean, attacked).value() == 58.0, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(log_odds(clean).value() == std::log(690.5 / 310.5), boost::test_tools::tolerance(1e-15));
    BOOST_TEST(log_odds_drop(clean, attacked).value() == std::log(690.5 / 310.5) - std::log(110.5 / 890.5),
               boost::test_tools::tolerance(1e-15));
    // An attack that helps is a negative drop.
    BOOST_TEST(absolute_drop(attacked, clean).value() < 0);
    BOOST_TEST(relative_difference({100, 1000}, {150, 1000}).value() == -50.0, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(a_relative_difference_needs_fifty_correct_predictions) {
    BOOST_TEST(!relative_difference({49, 1000}, {0, 1000}).has_value());
    BOOST_TEST(relative_difference({50, 1000}, {0, 1000}).value() == 100.0);
    BOOST_TEST(!relative_difference({0, 0}, {0, 0}).has_value());
    BOOST_TEST(!relative_difference({60, 100}, {0, 0}).has_value());
}

BOOST_AUTO_TEST_CASE(log_odds_are_finite_at_the_ends) {
    BOOST_TEST(log_odds({0, 10}).value() == std::log(0.5 / 10.5), boost::test_tools::tolerance(1e-15));
    BOOST_TEST(log_odds({10, 10}).value() == -log_odds({0, 10}).value(), boost::test_tools::tolerance(1e-15));
    BOOST_TEST(log_odds_drop({3, 10}, {0, 10}).value() == 2.2823823856765264, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(!log_odds({0, 0}).has_value());
    BOOST_TEST(!log_odds_drop({3, 10}, {0, 0}).has_value());
    BOOST_TEST(!absolute_drop({0, 0}, {1, 2}).has_value());
    BOOST_TEST(!absolute_drop({1, 2}, {0, 0}).has_value());
}

BOOST_AUTO_TEST_CASE(flips_on_the_images_that_both_get_right) {
    //                          both  both  a only  b only  neither  both
    const auto truth = labels({0, 0, 0, 0, 0, 1});
    const auto a_before = predicted({0, 0, 0, 1, 1, 1}), a_after = predicted({1, 0, 1, 1, 1, 0});
    const auto b_before = predicted({0, 0, 1, 0, 1, 1}), b_after = predicted({0, 2, 1, 1, 0, 0});
    const Attacked a{a_before, a_after}, b{b_before, b_after};

    const auto all = matched_flips(truth, a, b);
    BOOST_TEST(all.images == (std::vector<std::uint32_t>{0, 1, 5}), boost::test_tools::per_element());
    is(all.rate(0), 2, 3);
    is(all.rate(1), 2, 3);
    const auto zeros = matched_flips(truth, a, b, Label{0});
    BOOST_TEST(zeros.images == (std::vector<std::uint32_t>{0, 1}), boost::test_tools::per_element());
    is(zeros.rate(0), 1, 2);
    is(zeros.rate(1), 1, 2);
    BOOST_TEST(!zeros.defined());
    is(matched_flips(truth, a, b, Label{7}).rate(1), 0, 0);

    // Alone, each network is judged on all its own correct predictions: its attack success rate.
    const std::array<Attacked, 1> alone{a};
    is(matched_flips(truth, alone).rate(0), 3, 4);
    BOOST_TEST((matched_flips(truth, alone).rate(0) == attack_success_rate(truth, a)));
}

BOOST_AUTO_TEST_CASE(four_networks_are_matched_together) {
    const auto truth = labels({0, 0, 0, 0, 0});
    const auto right = predicted({0, 0, 0, 0, 0}), flipped = predicted({1, 1, 1, 1, 1});
    std::vector<std::vector<Prediction>> before_each(4, right);
    for (std::size_t n = 0; n < 4; ++n) before_each[n][n] = Prediction{2};  // network n misses image n
    std::vector<Attacked> networks;
    for (const auto& b : before_each) networks.push_back({b, flipped});
    networks[3].after = right;
    const auto all = matched_flips(truth, networks);
    BOOST_TEST(all.images == (std::vector<std::uint32_t>{4}), boost::test_tools::per_element());
    BOOST_TEST(all.flips == (std::vector<std::int64_t>{1, 1, 1, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(fifty_matched_images_define_a_rate) {
    const std::vector<Label> truth(50, Label{1});
    const std::vector<Prediction> right(50, Prediction{1}), wrong(50, Prediction{0});
    const Attacked net{right, wrong};
    BOOST_TEST(matched_flips(truth, net, net).defined());
    const auto fewer = std::span<const Label>(truth).first(49);
    const Attacked less{net.before.first(49), net.after.first(49)};
    BOOST_TEST(!matched_flips(fewer, less, less).defined());
    BOOST_TEST(matched_flips(fewer, less, less).matched() == 49);
}

BOOST_AUTO_TEST_CASE(matched_flips_refuse_what_does_not_fit) {
    BOOST_CHECK_EXCEPTION(matched_flips(y, std::span<const Attacked>{}), ValueError, names("no network"));
    const auto five = predicted({0, 1, 0, 1, 0});
    BOOST_CHECK_EXCEPTION(matched_flips(y, Attacked{before, after}, Attacked{before, five}), ValueError,
                          names("network 1", "5 predictions after"));
    BOOST_CHECK_THROW(matched_flips(y, Attacked{before, after}, Attacked{before, after}).rate(2), std::out_of_range);
}
