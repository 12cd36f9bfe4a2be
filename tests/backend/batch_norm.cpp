// Batch normalisation on the backends of the host: gradients against central differences, passes and steps against the
// reference, statistics against plain loops, and the same bits for any threads and blocks.
// links: reference
#define BOOST_TEST_MODULE backend_batch_norm
#include <algorithm>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <skewgrad/attack/fgsm.hpp>
#include <skewgrad/attack/pgd.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/model.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/batch_norm.hpp"
#include "backend/sets.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using namespace skewgrad_tests::batch_norms;

namespace {

using Networks = boost::mpl::list<OnImage, Joined, OnePixel, Branches>;
using Backends = boost::mpl::list<Reference<double>, Reference<float>, Cpu<f32>, Cpu<bf16>>;

// As for other layers (backend/gradients.cpp).
constexpr double step_size = 1e-5, of_differences = 1e-7;

/// Some of many: all of few, and no multiple of an extent apart.
std::vector<std::size_t> some_of(std::size_t count) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < count; i += count > 80 ? count / 79 * 2 + 1 : 1) all.push_back(i);
    return all;
}
double distance(const std::vector<double>& a, const std::vector<double>& b, double whole) {
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return std::sqrt(difference) / std::fmax(std::sqrt(size), 0.01 * whole);
}
double norm(const std::vector<double>& a) {
    double sum = 0;
    for (const double x : a) sum += x * x;
    return std::sqrt(sum);
}

// The loss is that of a pass with the same statistics, so that with the batch's each number goes through all images.
BOOST_AUTO_TEST_CASE_TEMPLATE(gradients_are_the_slopes_of_the_mean_loss, N, Networks) {
    using M = Model<N, Reference<double>>;
    constexpr int picks = 5;
    auto model = subject<N, Reference<double>>();
    const auto values = model.parameters();
    for (const Pass& pass : {of_running, of_batch, of_batch_in_two_views}) BOOST_TEST_CONTEXT(name_of(pass)) {
            WholePasses<M> passes(model, picks, pass);
            auto x = random_images<double>(N::image, static_cast<std::size_t>(picks * pass.views));
            passes.load(x);
            const auto left = passes.all(model);
            BOOST_TEST(passes.loss(model) == left.loss);

            const auto slope = [&](double& at, const auto& loss) {
                const double was = at;
                at = was + step_size;
                const double up = loss();
                at = was - step_size;
                const double down = loss();
                at = was;
                return (up - down) / (2 * step_size);
            };
            const auto check = [&](const auto& which, std::size_t first, const std::vector<double>& gradient,
                                   double* moved, const auto& loss) {
                std::vector<double> found, expected;
                for (const std::size_t i : which) {
                    found.push_back(gradient[first + i]);
                    expected.push_back(slope(moved[first + i], loss));
                }
                BOOST_TEST(distance(found, expected, norm(gradient)) < of_differences);
            };
            check(some_of(x.size()), 0, left.dx, x.data(), [&] {
                passes.load(x);
                return passes.loss(model);
            });
            passes.load(x);
            auto moved = values;
            std::size_t at = 0;
            for (const Parameter& p : N::parameters) {
                BOOST_TEST_CONTEXT(p.name << " at " << at)
                if (p.role == Role::trainable)
                    check(some_of(p.size()), at, left.gradients, moved.data(), [&] {
                        model.set_parameters(moved);
                        return passes.loss(model);
                    });
                at += p.size();
            }
            model.set_parameters(values);
        }
}

// In a batch an image's gradient is not its own: other images' losses depend on it.
BOOST_AUTO_TEST_CASE(a_batch_is_more_than_its_images) {
    using M = Model<Joined, Reference<double>>;
    const auto model = subject<Joined, Reference<double>>();
    WholePasses<M> one(model, 1, of_batch), two(model, 2, of_batch);
    const auto alone = one.all(model), together = two.all(model);
    BOOST_TEST(relative_distance(together.logits, alone.logits, 0, 3) > 0.01);
    WholePasses<M> one_running(model, 1, of_running), two_running(model, 2, of_running);
    BOOST_TEST(relative_distance(two_running.all(model).logits, one_running.all(model).logits, 0, 3) == 0);
}

template <class B>
std::vector<std::pair<std::string, typename B::Context>> contexts_here() {
    std::vector<std::pair<std::string, typename B::Context>> all;
    if constexpr (std::is_same_v<B, Reference<float>>)
        all.emplace_back("reference", typename B::Context());
    else
        for (const auto set : sets_here()) all.emplace_back(cpu::name(set), typename B::Context(2, set));
    return all;
}
BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree_with_the_reference, N, Networks) {
    passes_agree<N, Cpu<f32>>(contexts_here<Cpu<f32>>());
    passes_agree<N, Reference<float>>(contexts_here<Reference<float>>());
}
BOOST_AUTO_TEST_CASE_TEMPLATE(training_steps_agree_with_the_reference, N, Networks) {
    steps_agree<N, Cpu<f32>>(contexts_here<Cpu<f32>>());
    steps_agree<N, Reference<float>>(contexts_here<Reference<float>>());
}

// Sums of pixels are taken in double; bf16 rounds the second statistics' values and weights to 2^-9, a thousand at a
// time.
template <class B>
constexpr Limits limits_of = std::is_same_v<B, Cpu<bf16>>               ? Limits{3e-3, 2e-6}
                             : std::is_same_v<typename B::Real, double> ? Limits{1e-12, 1e-14}
                                                                        : Limits{1e-6, 2e-6};

BOOST_AUTO_TEST_CASE_TEMPLATE(running_statistics_follow_the_batches, B, Backends) {
    statistics_follow_the_batches<B>({}, limits_of<B>);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_pass_leaves_the_way_of_the_statistics, B, Backends) {
    statistics_stand_in_the_gradients<B>({}, limits_of<B>);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(one_value_has_no_variance, B, Backends) { one_value_is_its_own_mean<B>({}); }
BOOST_AUTO_TEST_CASE_TEMPLATE(a_loss_that_is_not_finite_leaves_statistics, B, Backends) {
    a_refused_step_changes_nothing<B>({});
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_users_layer_has_statistics, B, Backends) {
    a_users_statistics_follow_the_batches<B>({}, limits_of<B>);
    a_layer_may_have_statistics_alone<B>({}, limits_of<B>);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_view_makes_room_for_a_batch, B, Backends) { a_view_takes_the_batchs_statistics<B>({}); }

// An update after a pass with running statistics leaves them, weight decay and momentum too.
BOOST_AUTO_TEST_CASE_TEMPLATE(frozen_statistics_stay, B, Backends) {
    using M = Model<Followed, B>;
    using P = typename M::Operations;
    using Real = typename B::Real;
    auto model = subject<Followed, B>();
    const auto before = model.parameters();
    const Sgd optimiser{.learning_rate = 0.05f, .momentum = 0.9f, .weight_decay = 0.5f};
    auto training = P::make_training(model.context(), M::plan(), optimiser);
    auto own = P::make_workspace(model.context(), M::plan(), Mode::train, 8);
    const auto x = random_images<Real>(Followed::image, 8);
    const auto y = labels_in_turn(8, Followed::classes);
    const auto formula = CrossEntropy{}.at({});
    P::differentiate(model.context(), M::plan(), model.backend_parameters(), x.data(), 8, own, Pass{},
                     skewgrad::model::gradients_of<typename M::SpaceType, CrossEntropy>(&formula, y.data(), 0.125),
                     nullptr, training);
    const auto step = optimiser.at<Real>(0);
    const StepState state{};
    P::update(model.context(), M::plan(), model.backend_parameters(), training, &step, &state);
    const auto after = model.parameters();
    BOOST_TEST(chosen(positions<Followed>(Role::statistic), after) ==
               chosen(positions<Followed>(Role::statistic), before));
    for (const std::size_t k : positions<Followed>(Role::trainable)) BOOST_TEST(after[k] != before[k], "at " << k);
}

struct WithoutStatistics : Network<Image<3, 6, 6>, Conv<4>, Relu, Dense<3>> {};
BOOST_AUTO_TEST_CASE(a_batch_is_one_block_where_it_must_be) {
    using P = Cpu<f32>::Operations;
    const Pass two_views{.views = 2};
    BOOST_TEST(P::images_at_a_time(P::plan<Joined>(), of_batch, 500) == 500);
    BOOST_TEST(P::images_at_a_time(P::plan<Joined>(), of_batch, 7) == 7);
    BOOST_TEST(P::images_at_a_time(P::plan<Joined>(), of_running, 500) == 32);
    BOOST_TEST(P::images_at_a_time(P::plan<Joined>(), of_running, 7) == 7);
    BOOST_TEST(P::images_at_a_time(P::plan<Joined>(), two_views, 500) == 500);
    BOOST_TEST(P::images_at_a_time(P::plan<WithoutStatistics>(), of_batch, 500) == 32);
    BOOST_TEST(P::images_at_a_time(P::plan<WithoutStatistics>(), of_batch, 7) == 7);
    using R = Reference<double>::Operations;
    BOOST_TEST(R::images_at_a_time(R::plan<Joined>(), of_batch, 500) == 500);
    BOOST_TEST(R::images_at_a_time(R::plan<Joined>(), of_running, 500) == 32);
}

using Bits = boost::mpl::list<Cpu<f32>, Cpu<bf16>>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pass_does_not_depend_on_threads, B, Bits) {
    const auto check = [&]<class N>(std::type_identity<N>, int count) {
        for (const auto set : {cpu::InstructionSet::portable, cpu::best_instruction_set()})
            for (const Pass& pass : {of_running, of_batch, of_batch_in_two_views})
                BOOST_TEST_CONTEXT(cpu::name(set) << ", statistics: " << name_of(pass)) {
                    const auto on = [&](int threads) {
                        const auto model = subject<N, B>(typename B::Context(threads, set));
                        return WholePasses<Model<N, B>>(model, count, pass).all(model);
                    };
                    const auto one = on(1);
                    BOOST_TEST(std::isfinite(one.loss));
                    for (const int threads : {2, 3}) BOOST_TEST((on(threads) == one), threads << " threads");
                }
    };
    check(std::type_identity<Joined>{}, 80);
    check(std::type_identity<OnePixel>{}, 37);
    check(std::type_identity<Branches>{}, 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_running_statistics_an_image_stands_alone, B, Bits) {
    constexpr std::size_t images = 80;
    const auto model = subject<Joined, B>(typename B::Context(2));
    const auto x = random_images<float>(Joined::image, images);
    const auto y = labels_in_turn(images, Joined::classes);
    const std::size_t pixels = x.size() / images;
    const auto part = [&](std::size_t first, std::size_t count) {
        auto some = xt::xtensor<float, 4>::from_shape({count, 3, 6, 6});
        std::copy_n(x.data() + first * pixels, count * pixels, some.data());
        return some;
    };
    std::vector<std::uint32_t> items(images);
    for (std::size_t i = 0; i < images; ++i) items[i] = static_cast<std::uint32_t>(3 * i + 1);
    const Attack<FGSM, Ascent> fgsm{.epsilon = 0.05f};
    const Attack<PGD, Ascent> pgd{.epsilon = 0.05f, .alpha = 0.02f, .steps = 3, .restarts = 2};
    const auto z = model.logits(x);
    const auto dx = model.input_gradient(x, y), by_fgsm = fgsm(model, x, y),
               by_pgd = attack::adversarial_images(pgd, model, x, y, items);
    BOOST_TEST(!same_bits(by_fgsm, x));
    const auto same = [&](const auto& some, const auto& whole, std::size_t first) {
        const std::size_t row = whole.size() / images;
        return std::memcmp(some.data(), whole.data() + first * row, some.size() * sizeof(float)) == 0;
    };
    for (const auto& [first, count] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 3}, {4, images - 4}})
        BOOST_TEST_CONTEXT(count << " images from " << first) {
            const auto some = part(first, count);
            const auto labels = std::span(y).subspan(first, count);
            BOOST_TEST(same(model.logits(some), z, first));
            BOOST_TEST(same(model.input_gradient(some, labels), dx, first));
            BOOST_TEST(same(fgsm(model, some, labels), by_fgsm, first));
            BOOST_TEST(
                same(attack::adversarial_images(pgd, model, some, labels, std::span(items).subspan(first, count)),
                     by_pgd, first));
        }
    for (const int threads : {1, 3}) {
        const auto other = subject<Joined, B>(typename B::Context(threads));
        BOOST_TEST(same_bits(other.logits(x), z));
        BOOST_TEST(same_bits(other.input_gradient(x, y), dx));
    }
}

}  // namespace
