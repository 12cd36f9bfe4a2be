// Replicate, Step, LongTail and Profile: the literature's class counts, and the paper's cuts in file order.
#define BOOST_TEST_MODULE sampling_other_samplers
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/sampling/samplers.hpp>

#include "sampling/labelled.hpp"

using namespace skewgrad;
using namespace labelled;

namespace {

const std::vector<Label> labels = in_turn(40, 3);

template <class S>
std::vector<int> class_counts(const S& sampler, const std::vector<Label>& of, int k) {
    return counts(of, sampler(of, k, Seed{7}), k);
}

}  // namespace

BOOST_AUTO_TEST_CASE(replicate_makes_whole_copies_and_draws_the_rest) {
    const auto chosen = Sampler<Replicate>{.skewed_class = cat, .count = 93}(labels, 3, Seed{7});
    BOOST_TEST(counts(labels, chosen, 3) == (std::vector{40, 93, 40}), boost::test_tools::per_element());
    BOOST_TEST(std::is_sorted(chosen.begin(), chosen.end()));
    std::map<std::uint32_t, int> times;
    for (const auto p : chosen) ++times[p];
    BOOST_TEST(times.size() == 120u);
    Positions thrice;
    for (const auto& [p, n] : times) {
        if (labels[p] != cat)
            BOOST_TEST(n == 1);
        else
            BOOST_TEST((n == 2 || n == 3));
        if (n == 3) thrice.push_back(p);
    }
    // 93 = 2 * 40 + 13, and the thirteen are those that Under would keep.
    BOOST_TEST(thrice.size() == 13u);
    const auto under = Sampler<Under>{.skewed_class = cat, .count = 13}(labels, 3, Seed{7});
    BOOST_TEST(std::includes(under.begin(), under.end(), thrice.begin(), thrice.end()));
}

BOOST_AUTO_TEST_CASE(replicate_to_what_there_is_changes_nothing_and_to_less_is_refused) {
    BOOST_TEST((Sampler<Replicate>{.skewed_class = cat, .count = 40}(labels, 3, Seed{7}) ==
                Sampler<Balanced>{}(labels, 3, Seed{7})));
    BOOST_CHECK_EXCEPTION((Sampler<Replicate>{.skewed_class = cat, .count = 39}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<Replicate>", "39 images of class 1", "40 available"}));
    BOOST_CHECK_EXCEPTION((Sampler<Replicate>{.skewed_class = Label{3}, .count = 9}(labels, 4, Seed{7})), ValueError,
                          says({"9 images of class 3", "0 available"}));
    BOOST_CHECK_EXCEPTION((Sampler<Replicate>{.count = 90}(labels, 3, Seed{7})), ValueError,
                          says({".skewed_class was not given"}));
}

BOOST_AUTO_TEST_CASE(step_cuts_the_last_classes) {
    const auto ten = in_turn(50, 10);
    BOOST_TEST(class_counts(Sampler<Step>{.share = 0.5, .ratio = 10}, ten, 10) ==
                   (std::vector{50, 50, 50, 50, 50, 5, 5, 5, 5, 5}),
               boost::test_tools::per_element());
    // floor(50 / 3) = 16; 0.26 * 10 rounds to 3 classes.
    BOOST_TEST(class_counts(Sampler<Step>{.share = 0.26, .ratio = 3}, ten, 10) ==
                   (std::vector{50, 50, 50, 50, 50, 50, 50, 16, 16, 16}),
               boost::test_tools::per_element());
    BOOST_TEST(class_counts(Sampler<Step>{.share = 0, .ratio = 3}, ten, 10) == std::vector<int>(10, 50),
               boost::test_tools::per_element());
    BOOST_TEST(class_counts(Sampler<Step>{.share = 1, .ratio = 25}, ten, 10) == std::vector<int>(10, 2),
               boost::test_tools::per_element());
    BOOST_TEST(class_counts(Sampler<Step>{.ratio = 51}, ten, 10) == (std::vector{50, 50, 50, 50, 50, 0, 0, 0, 0, 0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(step_refuses_what_is_no_share_and_no_ratio) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_EXCEPTION((Sampler<Step>{.share = 1.5, .ratio = 2}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<Step>", ".share is 1.5"}));
    BOOST_CHECK_THROW((Sampler<Step>{.share = nan, .ratio = 2}(labels, 3, Seed{7})), ValueError);
    BOOST_CHECK_EXCEPTION(Sampler<Step>{}(labels, 3, Seed{7}), ValueError, says({".ratio is 0"}));
    BOOST_CHECK_THROW((Sampler<Step>{.ratio = nan}(labels, 3, Seed{7})), ValueError);
}

// CIFAR-10-LT as Cao et al. 2019 and those after them use it: 12,406 images at ratio 100.
BOOST_AUTO_TEST_CASE(long_tail_has_the_published_counts) {
    const auto cifar = in_turn(5000, 10);
    BOOST_TEST(class_counts(Sampler<LongTail>{.ratio = 100}, cifar, 10) ==
                   (std::vector{5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50}),
               boost::test_tools::per_element());
    const auto chosen = Sampler<LongTail>{.ratio = 100}(cifar, 10, Seed{7});
    BOOST_TEST(chosen.size() == 12'406u);
    BOOST_TEST(strictly_ascending(chosen));
    // As Sampler<Profile> would draw them: the same keys.
    BOOST_TEST((Sampler<Profile>{.counts = {{Label{1}, 2997},
                                            {Label{2}, 1796},
                                            {Label{3}, 1077},
                                            {Label{4}, 645},
                                            {Label{5}, 387},
                                            {Label{6}, 232},
                                            {Label{7}, 139},
                                            {Label{8}, 83},
                                            {Label{9}, 50}}}(cifar, 10, Seed{7}) == chosen));
}

BOOST_AUTO_TEST_CASE(long_tail_hits_whole_numbers_exactly) {
    // 3 classes: n, n / sqrt(rho), n / rho; no power's last bit may cost an image.
    for (int root = 1; root <= 30; ++root) {
        const auto three = in_turn(root * root, 3);
        BOOST_TEST(class_counts(Sampler<LongTail>{.ratio = static_cast<double>(root * root)}, three, 3) ==
                       (std::vector{root * root, root, 1}),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(long_tail_at_its_edges) {
    BOOST_TEST(class_counts(Sampler<LongTail>{.ratio = 1}, labels, 3) == (std::vector{40, 40, 40}),
               boost::test_tools::per_element());
    BOOST_TEST(class_counts(Sampler<LongTail>{.ratio = 1000}, labels, 3) == (std::vector{40, 1, 0}),
               boost::test_tools::per_element());
    BOOST_TEST(class_counts(Sampler<LongTail>{.ratio = 9}, in_turn(5, 1), 1) == std::vector{5},
               boost::test_tools::per_element());
    BOOST_CHECK_EXCEPTION(Sampler<LongTail>{}(labels, 3, Seed{7}), ValueError,
                          says({"Sampler<LongTail>", ".ratio is 0"}));
    BOOST_CHECK_THROW((Sampler<LongTail>{.ratio = std::numeric_limits<double>::infinity()}(labels, 3, Seed{7})),
                      ValueError);
}

BOOST_AUTO_TEST_CASE(profile_sets_the_classes_it_names) {
    BOOST_TEST(class_counts(Sampler<Profile>{.counts = {{cat, 9}, {dog, 0}}}, labels, 3) == (std::vector{40, 9, 0}),
               boost::test_tools::per_element());
    BOOST_TEST(class_counts(Sampler<Profile>{}, labels, 3) == (std::vector{40, 40, 40}),
               boost::test_tools::per_element());
    BOOST_TEST((Sampler<Profile>{.counts = {{cat, 9}}}(labels, 3, Seed{7}) ==
                Sampler<Under>{.skewed_class = cat, .count = 9}(labels, 3, Seed{7})));
    BOOST_CHECK_EXCEPTION((Sampler<Profile>{.counts = {{dog, 41}}}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<Profile>", "41 images of class 2", "40 available"}));
    BOOST_CHECK_EXCEPTION((Sampler<Profile>{.counts = {{dog, -1}}}(labels, 3, Seed{7})), ValueError,
                          says({"-1 images of class 2"}));
    BOOST_CHECK_EXCEPTION((Sampler<Profile>{.counts = {{Label{3}, 1}}}(labels, 3, Seed{7})), ValueError,
                          says({".counts names class 3", "0 to 2"}));
}

BOOST_AUTO_TEST_CASE(under_in_file_order_cuts_the_first) {
    // cats stand at 1, 4, .., 118; the last three are 112, 115, 118.
    const auto chosen = Sampler<UnderInFileOrder>{.skewed_class = cat, .count = 3}(labels, 3, Seed{7});
    BOOST_TEST(counts(labels, chosen, 3) == (std::vector{40, 3, 40}), boost::test_tools::per_element());
    BOOST_TEST(strictly_ascending(chosen));
    Positions cats;
    for (const auto p : chosen)
        if (labels[p] == cat) cats.push_back(p);
    BOOST_TEST(cats == (Positions{112, 115, 118}), boost::test_tools::per_element());
    BOOST_TEST((chosen == Sampler<UnderInFileOrder>{.skewed_class = cat, .count = 3}(labels, 3, Seed{8})));
    BOOST_CHECK_EXCEPTION((Sampler<UnderInFileOrder>{.skewed_class = cat, .count = 41}(labels, 3, Seed{7})), ValueError,
                          says({"Sampler<UnderInFileOrder>", "41 images of class 1", "40 available"}));
}

BOOST_AUTO_TEST_CASE(over_in_file_order_cuts_the_first_of_all_others_together) {
    // b d b d ... in the others' list only where each class takes its turn; here birds come first, so they pay.
    std::vector<Label> rows(4, bird);
    rows.insert(rows.end(), {cat, dog, dog, cat, dog, bird, dog, cat});
    // others: 0 1 2 3 5 6 8 9 10; count 2 keeps the last 4: 6 8 9 10
    const auto chosen = Sampler<OverInFileOrder>{.skewed_class = cat, .count = 2}(rows, 3, Seed{7});
    BOOST_TEST(chosen == (Positions{4, 6, 7, 8, 9, 10, 11}), boost::test_tools::per_element());
    BOOST_TEST((chosen == Sampler<OverInFileOrder>{.skewed_class = cat, .count = 2}(rows, 3, Seed{8})));
    BOOST_CHECK_EXCEPTION((Sampler<OverInFileOrder>{.skewed_class = cat, .count = 5}(rows, 3, Seed{7})), ValueError,
                          says({"Sampler<OverInFileOrder>", "10 images of all classes but class 1", "9 available"}));
    BOOST_CHECK_EXCEPTION((Sampler<OverInFileOrder>{.count = 5}(rows, 3, Seed{7})), ValueError,
                          says({".skewed_class was not given"}));
}

BOOST_AUTO_TEST_CASE(file_order_is_the_order_of_items) {
    // The same four cats, listed in another order than the file's.
    const std::vector<Label> rows{cat, cat, bird, cat, cat, bird};
    const Positions items{90, 10, 5, 70, 30, 20};
    const Population all{.labels = rows, .classes = 2, .items = items};
    BOOST_TEST(
        (Sampler<UnderInFileOrder>{.skewed_class = cat, .count = 2}.positions(all, Seed{})) == (Positions{0, 2, 3, 5}),
        boost::test_tools::per_element());
    BOOST_TEST(
        (Sampler<OverInFileOrder>{.skewed_class = bird, .count = 1}.positions(all, Seed{})) == (Positions{0, 2, 5}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_as_run_set_sizes) {
    const auto cifar = in_turn(5000, 10);
    const auto under = Sampler<UnderInFileOrder>{.skewed_class = cat, .count = 1000}(cifar, 10, Seed{});
    const auto over = Sampler<OverInFileOrder>{.skewed_class = cat, .count = 1000}(cifar, 10, Seed{});
    BOOST_TEST(under.size() == 46'000u);
    BOOST_TEST(over.size() == 14'000u);
    // Classes in turn: the first 36,000 of the others are the first 4,000 of each.
    BOOST_TEST(counts(cifar, over, 10) == (std::vector{1000, 5000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000}),
               boost::test_tools::per_element());
}
