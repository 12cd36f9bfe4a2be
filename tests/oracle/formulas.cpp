// The formulas alone: initial weights, the loss and the optimisers' steps against PyTorch, Keras 2.0 and 60 digits.
#define BOOST_TEST_MODULE oracle_formulas
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <skewgrad/nn/losses.hpp>
#include <skewgrad/nn/optimisers.hpp>
#include <string>
#include <vector>

#include "../nn/cross_entropy.hpp"
#include "fixture.hpp"
#include "networks.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

BOOST_AUTO_TEST_CASE(initial_weights_are_glorots_from_the_counters) {
    static_assert(PaperNetwork::parameter_count == 1'525'738);
    const TensorFile file = fixture("paper_network");
    std::vector<float> all(PaperNetwork::state_size);
    initialise<PaperNetwork>(stored_seed(file), std::span<float>(all));
    const auto indices = stored<std::int32_t>(file, "initial_weights.indices");
    const auto entries = stored<float>(file, "initial_weights.entries");
    for (std::size_t i = 0; i < indices.size(); ++i)
        BOOST_TEST(all[static_cast<std::size_t>(indices[i])] == entries[i]);
    double sum = 0, size = 0;
    for (const float x : all) sum += double{x}, size += std::fabs(double{x});
    // The same f32 numbers, summed in f64 in another order: 1.5 million terms, 1e-16 each.
    const auto sums = stored<double>(file, "initial_weights.sum");
    BOOST_TEST(std::fabs(sum - sums[0]) < 1e-9 * sums[1]);
    BOOST_TEST(std::fabs(size - sums[1]) < 1e-9 * sums[1]);
}

// The gradient's every component keeps its digits at any margin: the fixture has 60 of them.
BOOST_AUTO_TEST_CASE(cross_entropy_and_its_gradient) {
    const TensorFile file = fixture("loss");
    const auto logits = stored<float>(file, "logits");
    const auto labels = stored_labels(file);
    const auto losses = stored<double>(file, "losses"), gradients = stored<double>(file, "gradients");
    constexpr int classes = 10;
    for (std::size_t row = 0; row < labels.size(); ++row) {
        BOOST_TEST_CONTEXT("row " << row) {
            const float* z = logits.data() + row * classes;
            const std::vector<double> wide(z, z + classes);
            std::vector<double> slope(classes);
            const double loss = CrossEntropyOfRow::gradient(wide.data(), classes, labels[row], 1.0, slope.data());
            BOOST_TEST(loss == CrossEntropyOfRow::value(wide.data(), classes, labels[row]));
            // log of a sum near 1 keeps 1e-16, not a relative error.
            BOOST_TEST(std::fabs(loss - losses[row]) <= 1e-14 * (1 + losses[row]));
            std::vector<float> narrow(classes);
            CrossEntropyOfRow::gradient(z, classes, labels[row], 1.0, narrow.data());
            for (std::size_t k = 0; k < classes; ++k) {
                const double expected = gradients[row * classes + k];
                // exp of up to 80 in f64: 80 * 2^-53 relative, a few times.
                BOOST_TEST(std::fabs(slope[k] - expected) <= 1e-13 * std::fabs(expected));
                BOOST_TEST(std::fabs(double{narrow[k]} - expected) <= 0x1p-23 * std::fabs(expected) + 1e-45);
                BOOST_TEST((narrow[k] > 0) == (expected > 0));
            }
        }
    }
}

namespace {

constexpr std::array<std::size_t, 3> rounds{1, 10, 50};

/// The parameters after 1, 10 and 50 steps, one after the other.
template <class S, class O>
std::vector<S> run(const O& optimiser, const TensorFile& file) {
    const auto start = stored<float>(file, "start"), gradients = stored<float>(file, "gradients");
    std::vector<S> w(start.begin(), start.end()), slots(w.size() * O::slots, S(O::slot_start)), seen;
    for (std::size_t t = 0; t < rounds.back(); ++t) {
        const auto step = optimiser.template at<S>(t);
        for (std::size_t i = 0; i < w.size(); ++i)
            step(w[i], static_cast<S>(gradients[t * w.size() + i]), slots.data() + i * O::slots);
        for (const std::size_t round : rounds)
            if (t + 1 == round) seen.insert(seen.end(), w.begin(), w.end());
    }
    return seen;
}

/// The largest |a - b| in units of how far the parameter had moved and of its own last place in f32.
template <class S>
double worst(const std::vector<S>& ours, const std::vector<S>& theirs, const std::vector<float>& start) {
    BOOST_TEST_REQUIRE(ours.size() == theirs.size());
    double most = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const double w = double{theirs[i]}, moved = std::fabs(w - double{start[i % start.size()]});
        most = std::fmax(most, std::fabs(double{ours[i]} - w) / (moved + 0x1p-4 * std::fabs(w) + 1e-30));
    }
    return most;
}

// f64: the same formula in another order of operations, 50 times 2^-53 and then some.
constexpr double f64_limit = 1e-13;
// f32: 50 steps of a few roundings of 2^-24 each, relative to the movement and a sixteenth of the parameter; an
// approximate reciprocal root (3e-4 of each step) fails by far.
constexpr double f32_limit = 50 * 0x1p-22;

template <class O>
void against_both(const O& optimiser, const std::string& name) {
    BOOST_TEST_CONTEXT(name) {
        const TensorFile file = fixture("optimisers");
        const auto start = stored<float>(file, "start");
        const double wide = worst(run<double>(optimiser, file), stored<double>(file, name + ".f64"), start);
        const double narrow = worst(run<float>(optimiser, file), stored<float>(file, name + ".f32"), start);
        BOOST_TEST_MESSAGE(name << ": f64 " << wide << ", f32 " << narrow);
        BOOST_TEST(wide <= f64_limit);
        BOOST_TEST(narrow <= f32_limit);
    }
}

template <class O>
void bit_for_bit(const O& optimiser, const std::string& name) {
    const TensorFile file = fixture("optimisers");
    const auto ours = run<float>(optimiser, file), theirs = stored<float>(file, name + ".f32");
    BOOST_TEST(ours == theirs, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(keras_rmsprop) {
    const RmsProp quick{.learning_rate = 1e-2f, .decay = 1e-2f}, paper{.learning_rate = 1e-4f, .decay = 1e-5f};
    against_both(quick, "keras_rmsprop");
    against_both(paper, "keras_rmsprop_paper");
    // The formula as written, every operation rounded to f32: the same bits.
    bit_for_bit(quick, "keras_rmsprop");
    bit_for_bit(paper, "keras_rmsprop_paper");
}

BOOST_AUTO_TEST_CASE(tensorflow_rmsprop) {
    const TensorFlowRmsProp optimiser{.learning_rate = 1e-3f};
    against_both(optimiser, "tensorflow_rmsprop");
    bit_for_bit(optimiser, "tensorflow_rmsprop");
}

BOOST_AUTO_TEST_CASE(torch_rmsprop) { against_both(TorchRmsProp{.learning_rate = 1e-2f}, "torch_rmsprop"); }

BOOST_AUTO_TEST_CASE(sgd) {
    against_both(Sgd{.learning_rate = 1e-2f}, "sgd");
    against_both(Sgd{.learning_rate = 1e-2f, .momentum = 0.9f}, "sgd_momentum");
    against_both(Sgd{.learning_rate = 1e-2f, .momentum = 0.9f, .nesterov = true}, "sgd_nesterov");
    against_both(Sgd{.learning_rate = 1e-2f, .weight_decay = 5e-2f}, "sgd_decay");
    against_both(Sgd{.learning_rate = 1e-2f, .momentum = 0.9f, .weight_decay = 5e-2f, .nesterov = true}, "sgd_all");
}

BOOST_AUTO_TEST_CASE(adam) { against_both(Adam{.learning_rate = 1e-2f}, "adam"); }
