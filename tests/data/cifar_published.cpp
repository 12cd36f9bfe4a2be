// The real CIFAR-10, where SKEWGRAD_CIFAR10 names its folder: 5,000 and 1,000 images of each class.
#define BOOST_TEST_MODULE data_cifar_published
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <vector>

#include <skewgrad/data/cifar.hpp>
#include <skewgrad/data/hold_out.hpp>

using namespace skewgrad;

namespace {

boost::test_tools::assertion_result there(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result answer(std::getenv("SKEWGRAD_CIFAR10") != nullptr);
    answer.message() << "SKEWGRAD_CIFAR10 does not name a folder";
    return answer;
}

}  // namespace

BOOST_AUTO_TEST_CASE(its_classes_are_balanced, *boost::unit_test::precondition(there)) {
    const auto data = Cifar10::load(std::getenv("SKEWGRAD_CIFAR10"));
    BOOST_TEST(data.train.counts() == std::vector<int>(10, 5000), boost::test_tools::per_element());
    BOOST_TEST(data.test.counts() == std::vector<int>(10, 1000), boost::test_tools::per_element());
    BOOST_TEST(data.train.class_names()[3] == "cat");
    // Natural images: each plane's mean is near the published 0.491, 0.482, 0.447.
    const float published[3] = {0.491f, 0.482f, 0.447f};
    for (std::size_t c = 0; c < 3; ++c) {
        double sum = 0;
        for (std::size_t i = 0; i < data.train.size(); ++i)
            for (const auto x : data.train.bytes(i).subspan(c * 1024, 1024)) sum += x;
        BOOST_TEST(sum / (255.0 * 1024 * 50000) == published[c], boost::test_tools::tolerance(0.005));
    }
    const auto parts = hold_out(data.train, {.per_class = 500, .seed = Seed{7}});
    BOOST_TEST(parts.fit.counts() == std::vector<int>(10, 4500), boost::test_tools::per_element());
    BOOST_TEST(parts.validation.counts() == std::vector<int>(10, 500), boost::test_tools::per_element());
}
