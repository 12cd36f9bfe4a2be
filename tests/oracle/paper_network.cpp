// links: reference
// The paper's network as written against PyTorch: logits, losses, gradients at the pixels and at the weights.
#define BOOST_TEST_MODULE oracle_paper_network
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "networks.hpp"
#include "subject.hpp"

using namespace skewgrad_tests;

namespace {

const skewgrad::TensorFile& file() {
    static const skewgrad::TensorFile read = fixture("paper_network");
    return read;
}

/// The whole gradient's error as the stored part shows it: its entries, and every tensor's norm and sum, which no
/// entry left out can hide from.
template <class Net, class Real>
double gradient_error(const std::vector<Real>& gradient) {
    const auto indices = stored<std::int32_t>(file(), "parameter_gradient.indices");
    const auto entries = stored<double>(file(), "parameter_gradient.entries");
    const auto norms = stored<double>(file(), "parameter_gradient.norms");
    const auto sums = stored<double>(file(), "parameter_gradient.sums");
    std::vector<double> picked;
    for (const std::int32_t i : indices) picked.push_back(static_cast<double>(gradient[static_cast<std::size_t>(i)]));
    double worst = relative_error(picked, entries);
    std::size_t at = 0, tensor = 0;
    for (const auto& parameter : Net::parameters) {
        double square = 0, sum = 0;
        for (const std::size_t end = at + parameter.size(); at < end; ++at) {
            const double g = static_cast<double>(gradient[at]);
            square += g * g;
            sum += g;
        }
        // A sum's terms cancel: its error is held against sqrt(n) times the norm, the most it could be.
        const double root = std::sqrt(static_cast<double>(parameter.size()));
        worst = std::max({worst, std::fabs(std::sqrt(square) - norms[tensor]) / norms[tensor],
                          std::fabs(sum - sums[tensor]) / (root * norms[tensor])});
        ++tensor;
    }
    return worst;
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(passes, B, Backends) {
    for (const typename B::Context& on : contexts<B>()) {
        const Subject<PaperNetwork, B> subject(file(), "", on);
        const auto& [model, images, labels] = subject;
        const double limit = tolerance<PaperNetwork, B>(static_cast<int>(labels.size()));
        const std::string where = B::name() + ", " + on.description();
        BOOST_TEST_CONTEXT(where << ", limit " << limit) {
            const double logits = relative_error(model.logits(images), stored<double>(file(), "logits"));
            const double losses = relative_error(subject.losses(), stored<double>(file(), "losses"));
            const double pixels =
                relative_error(model.input_gradient(images, labels), stored<double>(file(), "input_gradient"));
            const double weights = gradient_error<PaperNetwork>(model.parameter_gradient(images, labels));
            BOOST_TEST(logits <= limit);
            BOOST_TEST(losses <= limit);
            BOOST_TEST(pixels <= limit);
            BOOST_TEST(weights <= limit);
            // PyTorch's own f32 lies as near to f64: the limit asks for nothing that f32 cannot give.
            BOOST_TEST(relative_error(stored<float>(file(), "logits.f32"), stored<double>(file(), "logits")) <
                       2e-7 * std::sqrt(products<PaperNetwork>(4)));
            std::printf("%s: logits %.1e, losses %.1e, input gradient %.1e, parameter gradient %.1e, limit %.1e\n",
                        where.c_str(), logits, losses, pixels, weights, limit);
        }
    }
}
