// The paper's numbers against what the paper says of them: its averages, and that its figures agree with each other.
#define BOOST_TEST_MODULE report_paper
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <set>
#include <skewgrad/report/paper.hpp>
#include <string>

using namespace skewgrad;

namespace {

double average(double paper::ClassAccuracy::* column) {
    double sum = 0;
    for (const auto& row : paper::class_accuracy) sum += row.*column;
    return sum / 10;
}

}  // namespace

// Section 4.2 prints 25.8 (which is the balanced column's), 53.8, and 44.2 and 83.1 follow from Table 1.
BOOST_AUTO_TEST_CASE(averages_over_the_classes) {
    using A = paper::ClassAccuracy;
    const auto close = boost::test_tools::tolerance(1e-9);
    BOOST_TEST(average(&A::same_balanced) == 25.8, close);
    BOOST_TEST(average(&A::same_under) == 14.17, close);
    BOOST_TEST(average(&A::same_over) == 44.2, close);
    BOOST_TEST(average(&A::different_under) == 53.8, close);
    BOOST_TEST(average(&A::different_over) == 83.1, close);
    BOOST_TEST(average(&A::clean_balanced) == 83.7, close);
    BOOST_TEST(average(&A::clean_under) == 66.0, close);
    BOOST_TEST(average(&A::clean_over) == 86.4, close);
}

// The measures between which the paper's headline changes: relative difference, and absolute drop, under minus
// balanced.
BOOST_AUTO_TEST_CASE(the_headline_depends_on_the_measure) {
    double relative = 0, absolute = 0;
    for (const auto& row : paper::class_accuracy) {
        relative += 100 * (row.clean_under - row.same_under) / row.clean_under -
                    100 * (row.clean_balanced - row.same_balanced) / row.clean_balanced;
        absolute += (row.clean_under - row.same_under) - (row.clean_balanced - row.same_balanced);
    }
    BOOST_TEST(relative / 10 == 10.2, boost::test_tools::tolerance(0.01));
    BOOST_TEST(absolute / 10 == -6.1, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(figures_1_and_2_agree) {
    for (std::size_t c = 0; c < 10; ++c) {
        double row = 0;
        for (const double share : paper::balanced_confusion[c]) {
            BOOST_TEST((share >= 0 && share <= 1));
            row += share;
        }
        BOOST_TEST((row > 0.99 && row < 1.01));
        BOOST_TEST(100 * paper::balanced_confusion[c][c] == paper::class_accuracy[c].clean_balanced,
                   boost::test_tools::tolerance(1e-9));
    }
    BOOST_TEST(paper::balanced_confusion[5][3] == 0.13);  // dogs taken for cats
    BOOST_TEST(paper::balanced_confusion[3][5] == 0.1);
}

BOOST_AUTO_TEST_CASE(classes) {
    BOOST_TEST(std::set<std::string>(paper::class_names.begin(), paper::class_names.end()).size() == 10u);
    BOOST_TEST(std::string(paper::class_names[3]) == "cat");
    BOOST_TEST(paper::class_accuracy[3].same_under == 0.5);
    BOOST_TEST(paper::class_accuracy[9].different_under == 46);
    BOOST_TEST(paper::epsilon == 0.01);
}
