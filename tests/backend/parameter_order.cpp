// Trainable parameters among statistics, in any order: on every backend they are trained as if they stood alone.
// links: reference
#define BOOST_TEST_MODULE backend_parameter_order
#include <array>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <vector>

#include "backend/cuda_device.hpp"
#include "backend/layers.hpp"
#include "backend/steps.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

/// Parameters by their roles, `extent` of each.
template <Role... roles>
constexpr Parameters<sizeof...(roles)> with_roles(int extent) {
    return {Parameter{"p", {extent, 1, 1, 1}, roles, Initial::ones}...};
}

/// ScaleAndShift, its scale and its shift being the trainable ones of more parameters.
template <Role... roles>
struct Among {
    static constexpr const char* name = "among";
    static constexpr Parameters<sizeof...(roles)> parameters(Shape in) { return with_roles<roles...>(in.c); }
    template <class View, class P>
    SKEWGRAD_FN static auto value(View in, P p, int c, int h, int w) {
        return p[first(0) * in.shape.c + c] * in(c, h, w) + p[first(1) * in.shape.c + c];
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto input_gradient(View in, Gradient d_out, P p, int c, int h, int w) {
        return p[first(0) * in.shape.c + c] * d_out(c, h, w);
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto parameter_gradient(View in, Gradient d_out, P p, int k) {
        const int c = k % in.shape.c, scale = k / in.shape.c == first(0);
        return ScaleAndShift::parameter_gradient(in, d_out, p, scale ? c : in.shape.c + c);
    }

private:
    /// The place of the i-th trainable one.
    SKEWGRAD_FN static constexpr int first(int i) {
        const Role all[] = {roles...};
        int at = 0;
        while (all[at] == Role::statistic || i-- > 0) ++at;
        return at;
    }
};
constexpr Role learnt = Role::trainable, seen = Role::statistic;

template <class... Layer>
struct Net : Network<Image<3, 6, 5>, Layer..., Conv<17>, Relu, Layer..., Dense<5>> {};
using Alone = Net<ScaleAndShift>;

/// Where the trainable parameters of a network lie in its canonical vector, in their order.
template <class N>
std::vector<std::size_t> trainable() {
    std::vector<std::size_t> all;
    std::size_t at = 0;
    for (const Parameter& p : N::parameters)
        for (std::size_t i = 0; i < p.size(); ++i, ++at)
            if (p.role == Role::trainable) all.push_back(at);
    return all;
}
template <class Values>
auto at(const std::vector<std::size_t>& which, const Values& values) {
    Values some;
    for (const std::size_t k : which) some.push_back(values[k]);
    return some;
}

/// What three steps make of a network: its parameters, an optimiser's slots, then the gradient of all parameters.
template <class N, class B, class O>
auto after_steps(typename B::Context on, std::vector<typename B::Real> start, const O& optimiser) {
    using Real = typename B::Real;
    Model<N, B> model(Seed{}, on);
    model.set_parameters(start);
    const auto picks = picks_of(std::array<std::uint32_t, 7>{0, 1, 2, 3, 4, 5, 6});
    Steps<Model<N, B>, O> step(model, noise_store<N>(7), optimiser, 7);
    StepSums sums;
    for (Batch batch{.picks = picks}; batch.epoch < 3; ++batch.epoch) step(batch, sums);
    std::vector<Real> slots(N::state_size);
    Model<N, B>::Operations::export_slot(model.context(), Model<N, B>::plan(), step.training(), 0, slots);
    const auto x = random_images<Real>(N::image, 7);
    return std::array{model.parameters(), slots, model.parameter_gradient(x, labels_in_turn(7, N::classes))};
}

template <class N, class B, class O>
void is_trained_as_if_alone(typename B::Context on, const O& optimiser) {
    using Real = typename B::Real;
    static_assert(N::parameter_count == Alone::parameter_count && N::state_size > Alone::state_size);
    std::vector<Real> start(Alone::state_size), mine(N::state_size, Real(-7));
    for (std::size_t i = 0; i < start.size(); ++i)
        start[i] = static_cast<Real>(random_number(4, static_cast<std::uint32_t>(i)) - 0.25f);
    const auto which = trainable<N>();
    for (std::size_t i = 0; i < which.size(); ++i) mine[which[i]] = start[i];

    const auto alone = after_steps<Alone, B>(on, start, optimiser);
    const auto among = after_steps<N, B>(on, mine, optimiser);
    for (const std::size_t i : {0, 1, 2}) BOOST_TEST(same_bits(at(which, among[i]), alone[i]));
    for (std::size_t i = 0; i < which.size(); ++i) BOOST_TEST(alone[0][i] != start[i]);  // moved
    std::vector<bool> trains(N::state_size, false);
    for (const std::size_t k : which) trains[k] = true;
    for (std::size_t k = 0; k < N::state_size; ++k)
        if (!trains[k]) {
            BOOST_TEST(among[0][k] == Real(-7));  // weight decay would move it
            BOOST_TEST(among[1][k] == Real(O::slot_start));
            BOOST_TEST(among[2][k] == Real(0));
        }
}

using Backends =
    boost::mpl::list<Cpu<f32>, Cpu<bf16>, Reference<float>, Reference<double>, OnDevice<f32>, OnDevice<bf16>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(every_order_is_trained, B, Backends) {
    const typename B::Context on{};
    const Sgd decaying{.learning_rate = 0.05f, .momentum = 0.9f, .weight_decay = 0.1f};
    is_trained_as_if_alone<Net<Among<seen, learnt, learnt>>, B>(on, decaying);
    is_trained_as_if_alone<Net<Among<learnt, seen, learnt>>, B>(on, decaying);
    is_trained_as_if_alone<Net<Among<learnt, learnt, seen>>, B>(on, decaying);
    is_trained_as_if_alone<Net<Among<seen, learnt, seen, seen, learnt, seen>>, B>(on, TensorFlowRmsProp{});
}

}  // namespace
