// links: reference
// Small networks against PyTorch: strides, paddings, 5x5, pooling, normalisation, branches, on odd extents.
#define BOOST_TEST_MODULE oracle_small_networks
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "networks.hpp"
#include "subject.hpp"

using namespace skewgrad_tests;

namespace {

const skewgrad::TensorFile& file() {
    static const skewgrad::TensorFile read = fixture("small_networks");
    return read;
}

// Reference<float> is Reference<double>'s code: the paper's network tries it.
using Tried = boost::mpl::list<skewgrad::Reference<double>, skewgrad::Cpu<skewgrad::f32>>;

template <class Net, class B>
void check(const std::string& name) {
    const std::string prefix = name + "/";
    for (const typename B::Context& on : contexts<B>()) {
        const Subject<Net, B> subject(file(), prefix, on);
        const double limit = tolerance<Net, B>(static_cast<int>(subject.labels.size()));
        const std::string where = name + " on " + B::name() + ", " + on.description();
        BOOST_TEST_CONTEXT(where << ", limit " << limit) {
            // Both sides drew the same weights, to the bit.
            const auto parameters = subject.model.parameters();
            BOOST_TEST(largest_difference(parameters, stored<float>(file(), prefix + "parameters")) == 0);

            const auto& [model, images, labels] = subject;
            const double logits = relative_error(model.logits(images), stored<double>(file(), prefix + "logits"));
            const double losses = relative_error(subject.losses(), stored<double>(file(), prefix + "losses"));
            const double pixels =
                relative_error(model.input_gradient(images, labels), stored<double>(file(), prefix + "input_gradient"));
            const double weights = relative_error(model.parameter_gradient(images, labels),
                                                  stored<double>(file(), prefix + "parameter_gradient"));
            BOOST_TEST(logits <= limit);
            BOOST_TEST(losses <= limit);
            BOOST_TEST(pixels <= limit);
            BOOST_TEST(weights <= limit);
            std::printf("%s: logits %.1e, losses %.1e, input gradient %.1e, parameter gradient %.1e, limit %.1e\n",
                        where.c_str(), logits, losses, pixels, weights, limit);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(dense, B, Tried) { check<DenseOnly, B>("dense_only"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(same_3x3, B, Tried) { check<Same3, B>("same3"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(same_5x5, B, Tried) { check<Same5, B>("same5"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(valid_3x3, B, Tried) { check<Valid3, B>("valid3"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(valid_5x5, B, Tried) { check<Valid5, B>("valid5"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(pointwise, B, Tried) { check<Pointwise, B>("pointwise"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(stride_2, B, Tried) { check<Stride2, B>("stride2"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(stride_2_of_5x5, B, Tried) { check<Stride2Of5, B>("stride2_of_5"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(stride_3_valid, B, Tried) { check<Stride3Valid, B>("stride3_valid"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(average_pool, B, Tried) { check<AveragePooled, B>("average_pool"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(max_pool_3x3, B, Tried) { check<MaxPooled3, B>("max_pool3"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(normalized, B, Tried) { check<Normalized, B>("normalized"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(residual, B, Tried) { check<Branched, B>("residual"); }
BOOST_AUTO_TEST_CASE_TEMPLATE(batch_normalisation, B, Tried) { check<BatchNormed, B>("batch_norm"); }
