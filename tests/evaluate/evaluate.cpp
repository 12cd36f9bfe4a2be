// A model on images and on a data set: the same matrix and records, whatever classes the data set names.
#define BOOST_TEST_MODULE evaluate_evaluate
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/evaluate/evaluate.hpp>
#include <skewgrad/model/model.hpp>
#include <string>
#include <vector>

#include "backend/subjects.hpp"
#include "data/files.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

constexpr std::size_t count = 40;

/// Images of two classes, in a store that names `classes` of them.
TestData data_of(std::size_t classes) {
    std::vector<std::uint8_t> bytes(count * 12);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = pixel_at(static_cast<int>(i / 12), static_cast<int>(i));
    std::vector<std::string> names;
    for (std::size_t k = 0; k < classes; ++k) names.push_back("class " + std::to_string(k));
    return TestData(make_store("few", {3, 2, 2}, std::move(bytes), labels_in_turn(count, 2), names));
}

/// A user's model, which cannot stream: four logits, the brightness of one pixel each.
struct Brightest {
    xt::xtensor<float, 2> logits(const xt::xtensor<float, 4>& x) const {
        auto z = xt::xtensor<float, 2>::from_shape({x.shape()[0], std::size_t{4}});
        for (std::size_t n = 0; n < x.shape()[0]; ++n)
            for (std::size_t k = 0; k < 4; ++k) z(n, k) = x.data()[n * 12 + k];
        return z;
    }
    xt::xtensor<float, 4> input_gradient(const xt::xtensor<float, 4>& x, std::span<const Label>) const { return x; }
};
static_assert(Classifier<Brightest> && !is_network<Brightest>);

/// A rectifier makes 0 of not-a-number.
struct Hiding : Brightest {
    xt::xtensor<float, 2> logits(xt::xtensor<float, 4> x) const {
        for (float& pixel : x) pixel = pixel > 0 ? pixel : 0;
        return Brightest::logits(x);
    }
};

struct Net : Network<Image<3, 2, 2>, Dense<7>, Relu, Dense<4>> {};

template <class M>
void agree(const M& model) {
    for (const std::size_t classes : {2, 3, 4}) {
        const TestData data = data_of(classes);
        const Confusion by_list = evaluate(model, data), by_images = evaluate(model, data.images(), data.labels());
        BOOST_TEST((by_list == by_images));
        BOOST_TEST(by_list.classes() == 4);
        BOOST_TEST(by_list.total() == static_cast<std::int64_t>(count));
        // Some answers are classes that the shortest list does not name.
        BOOST_TEST(by_list.counts()(0, 2) + by_list.counts()(0, 3) > 0);
        BOOST_TEST((outcomes(model, data) == outcomes(model, data.images(), data.labels())));
        Confusion sum = by_list;
        sum += by_images;
        BOOST_TEST(sum.total() == static_cast<std::int64_t>(2 * count));
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_list_and_its_images_give_the_same_matrix) {
    agree(Brightest{});
    Model<Net, Cpu<f32>> model(Seed{3}, Cpu<f32>::Context(1));
    shake(model);
    agree(model);
}

BOOST_AUTO_TEST_CASE(more_classes_than_logits_are_refused_either_way) {
    const Model<Net, Cpu<f32>> model(Seed{3}, Cpu<f32>::Context(1));
    const TestData data(make_store("rich", {3, 2, 2}, std::vector<std::uint8_t>(12), {Label{6}}));
    BOOST_CHECK_EXCEPTION(evaluate(model, data), ValueError, says({"rich", "7 classes", "4"}));
    BOOST_CHECK_EXCEPTION(evaluate(model, data.images(), data.labels()), ValueError, says({"label 6", "0 to 3"}));
    BOOST_CHECK_EXCEPTION(evaluate(Brightest{}, data), ValueError, says({"label 6", "0 to 3"}));
}

BOOST_AUTO_TEST_CASE(a_pixel_that_is_no_number_cannot_hide_behind_a_rectifier) {
    auto x = data_of(2).images();
    const auto y = data_of(2).labels();
    BOOST_TEST(evaluate(Hiding{}, x, y).total() == static_cast<std::int64_t>(count));
    x.data()[31 * 12 + 9] = std::numeric_limits<float>::quiet_NaN();
    const auto refused = says({"image 31, channel 2, row 0, column 1", "nan"});
    BOOST_CHECK_EXCEPTION(evaluate(Hiding{}, x, y), ValueError, refused);
    BOOST_CHECK_EXCEPTION(outcomes(Hiding{}, x, y), ValueError, refused);
    struct Rectified : Network<Image<3, 2, 2>, Relu, Dense<4>> {};
    const Model<Rectified, Cpu<f32>> network(Seed{3}, Cpu<f32>::Context(1));
    BOOST_CHECK_EXCEPTION(evaluate(network, x, y), ValueError, refused);
    BOOST_CHECK_EXCEPTION(network.logits(x), ValueError, refused);
}
