// links: reference
// Fifty updates against PyTorch: order of visits, flips, dropout's masks, batch means and Keras' RMSprop together, and
// batch normalisation's statistics with SGD.
#define BOOST_TEST_MODULE oracle_training
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <skewgrad/data/batches.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/nn/optimisers.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../backend/steps.hpp"
#include "fixture.hpp"
#include "networks.hpp"
#include "subject.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

constexpr std::size_t steps = 50, batch = 5;

/// Image 3 is in the list twice; the last batch of an epoch is short.
std::vector<std::uint32_t> items() { return {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3}; }

template <class B>
struct Outcome {
    std::vector<double> loss_sums;
    std::vector<std::int32_t> visits;  // epoch, item, copy of each
    std::vector<typename B::Real> parameters;
};

template <class N, class B, class O>
Outcome<B> train(const TensorFile& file, typename B::Context on, const O& optimiser) {
    Subject<N, B> subject(file, "", on);
    const Seed seed = stored_seed(file);
    const auto store = make_store("fixture", N::image, stored<std::uint8_t>(file, "images"), stored_labels(file));
    Steps<Model<N, B>, O> step(subject.model, store, optimiser, batch, true);
    StepSums state;
    Outcome<B> out;
    double before = 0;
    for (std::uint32_t epoch = 0; state.updates < steps; ++epoch) {
        const std::vector<std::uint32_t> list = items();
        const std::vector<Pick> order = epoch_order(list, seed, epoch);
        for (std::size_t first = 0; first < order.size() && state.updates < steps; first += batch) {
            const auto picks = std::span(order).subspan(first, std::min(batch, order.size() - first));
            step(Batch{.picks = picks, .epoch = epoch, .seed = seed}, state);
            out.loss_sums.push_back(state.loss_sum - before);
            before = state.loss_sum;
            for (const Pick& pick : picks)
                for (const std::uint32_t part : {epoch, pick.item, std::uint32_t{pick.copy}})
                    out.visits.push_back(static_cast<std::int32_t>(part));
        }
    }
    out.parameters = subject.model.parameters();
    return out;
}

template <class N, class B, class O>
void check(const char* name, const O& optimiser) {
    const TensorFile file = fixture(name);
    // Differences of one step are carried on and RMSprop divides by small roots: ten times the limits of one pass
    // that subject.hpp derives, 1e-11 and 5e-6 here.
    const bool wide = std::same_as<typename B::Real, double>;
    const double limit = wide ? 1e-10 : 5e-5;
    for (const typename B::Context& on : contexts<B>()) {
        const Outcome<B> ours = train<N, B>(file, on, optimiser);
        const std::string where = B::name() + ", " + on.description();
        BOOST_TEST_CONTEXT(where) {
            BOOST_TEST(ours.visits == stored<std::int32_t>(file, "visits"), boost::test_tools::per_element());
            const double losses = relative_error(ours.loss_sums, stored<double>(file, "loss_sums"));
            const double parameters = relative_error(ours.parameters, stored<double>(file, "parameters"));
            BOOST_TEST(losses <= limit);
            BOOST_TEST(parameters <= limit);
            std::printf("%s: losses %.1e, parameters %.1e, limit %.1e\n", where.c_str(), losses, parameters, limit);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(fifty_updates, B, Backends) {
    check<Trained, B>("training", RmsProp{.learning_rate = 1e-3f, .decay = 1e-2f});
}

// The running statistics are among the parameters.
BOOST_AUTO_TEST_CASE_TEMPLATE(fifty_updates_with_batch_normalisation, B, Backends) {
    check<BatchNormed, B>("batch_norm", Sgd{.learning_rate = 0.05f, .momentum = 0.9f, .weight_decay = 5e-4f});
}
