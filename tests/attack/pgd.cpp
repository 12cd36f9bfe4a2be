// PGD and momentum: the definitions in plain loops, restarts, the best of all, L2; no result depends on batches or
// spaces.
#define BOOST_TEST_MODULE attack_pgd
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda_device.hpp"
#include "backend/subjects.hpp"
#include "nn/cross_entropy.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<3, 6, 6>, Conv<5>, Relu, MaxPool<2>, Dense<4>> {};
using Kept = Model<Net, Cpu<f32>>;
using Images = xt::xtensor<float, 4>;
constexpr std::size_t pixels = 108;

struct Subject {
    Kept model{Seed{3}, Cpu<f32>::Context(1)};
    std::size_t count = 70;  // more than a part
    Images x = random_images<float>(Net::image, count);
    std::vector<Label> y = labels_in_turn(count, 4);
    Subject() { shake(model); }

    std::vector<double> losses(const Images& at) const {
        const auto z = model.logits(at);
        std::vector<double> all(count);
        for (std::size_t n = 0; n < count; ++n) all[n] = CrossEntropyOfRow::value(&z(n, 0), 4, y[n]);
        return all;
    }
    std::vector<bool> right(const Images& at) const {
        const auto z = model.logits(at);
        std::vector<bool> all(count);
        for (std::size_t n = 0; n < count; ++n)
            all[n] = correct(prediction_of(std::span<const float>(&z(n, 0), 4)), y[n]);
        return all;
    }
    /// Element i's number among the draws of its image: (h W + w) C + c.
    static std::uint32_t draw_of(std::size_t i) {
        const std::size_t e = i % pixels, c = e / 36, p = e % 36;
        return static_cast<std::uint32_t>(p * 3 + c);
    }
    Images uniform_start(Seed seed, int restart, float epsilon, std::span<const std::uint32_t> items) const {
        Images start = x;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const Pick pick{.item = items[i / pixels]};
            const Stream stream = stream_of(seed, Purpose::start, pick, 0, static_cast<std::uint16_t>(restart));
            const float u = 2 * uniform(draw_word(stream, draw_of(i))) - 1;
            const volatile float moved = epsilon * u;  // rounded by itself
            start.data()[i] = std::clamp(x.data()[i] + moved, 0.0f, 1.0f);
        }
        return start;
    }
    Images sign_step(const Images& from, const Images& g, float alpha, float epsilon) const {
        Images to = from;
        for (std::size_t i = 0; i < to.size(); ++i) {
            const float step = g.data()[i] > 0 ? alpha : g.data()[i] < 0 ? -alpha : 0, at = x.data()[i];
            to.data()[i] = std::clamp(std::clamp(from.data()[i] + step, at - epsilon, at + epsilon), 0.0f, 1.0f);
        }
        return to;
    }
    std::vector<std::uint32_t> numbers() const {
        std::vector<std::uint32_t> all(count);
        for (std::size_t n = 0; n < count; ++n) all[n] = static_cast<std::uint32_t>(n);
        return all;
    }
};

BOOST_FIXTURE_TEST_CASE(from_the_image_without_choices_it_is_the_iterative_method, Subject) {
    const Attack<PGD> pgd{.epsilon = 0.05f, .alpha = 0.02f, .steps = 4, .start = images::Start::image};
    const Attack<Iterative> iterative{.epsilon = 0.05f, .steps = 4, .alpha = 0.02f};
    BOOST_TEST(same_bits(pgd(model, x, y), iterative(model, x, y)));
    const Attack<PGD, Descent> down{.epsilon = 0.05f, .alpha = 0.02f, .steps = 4, .start = images::Start::image};
    BOOST_TEST(same_bits(down(model, x, y),
                         Attack<Iterative, Descent>{.epsilon = 0.05f, .steps = 4, .alpha = 0.02f}(model, x, y)));
}

BOOST_FIXTURE_TEST_CASE(starts_are_uniform_in_the_ball_and_keyed_on_items, Subject) {
    std::vector<std::uint32_t> items = numbers();
    for (auto& item : items) item = 5 * item + 2;
    Images moved = uniform_start(Seed{8}, 0, 0.05f, items);
    for (int t = 0; t < 3; ++t) moved = sign_step(moved, model.input_gradient(moved, y), 0.02f, 0.05f);
    const Attack<PGD> pgd{.epsilon = 0.05f, .alpha = 0.02f, .steps = 3, .seed = Seed{8}};
    BOOST_TEST(same_bits(pgd(model, x, y, items), moved));
    BOOST_TEST(!same_bits(pgd(model, x, y), moved));
    Attack<PGD> other = pgd;
    other.seed = Seed{9};
    BOOST_TEST(!same_bits(other(model, x, y, items), moved));
}

// Each restart's last image and, with Keep::best, every iterate: the first that is wrong, else the highest loss.
BOOST_FIXTURE_TEST_CASE(the_best_of_all_is_kept, Subject) {
    for (const Keep keep : {Keep::last, Keep::best}) {
        const Attack<PGD> pgd{.epsilon = 0.01f, .alpha = 0.006f, .steps = 3, .restarts = 3, .keep = keep};
        Images best = x;
        std::vector<double> score(count);
        std::vector<bool> reached(count), any(count);
        const auto compare = [&](const Images& at) {
            const auto loss = losses(at);
            const auto still = right(at);
            for (std::size_t n = 0; n < count; ++n) {
                if (any[n] && (reached[n] || !(!still[n] || loss[n] > score[n]))) continue;
                any[n] = true, score[n] = loss[n], reached[n] = !still[n];
                std::copy_n(at.data() + n * pixels, pixels, best.data() + n * pixels);
            }
        };
        for (int r = 0; r < 3; ++r) {
            Images at = uniform_start(Seed{}, r, 0.01f, numbers());
            for (int t = 0; t < 3; ++t) {
                if (keep == Keep::best) compare(at);
                at = sign_step(at, model.input_gradient(at, y), 0.006f, 0.01f);
            }
            compare(at);
        }
        const Images found = pgd(model, x, y);
        BOOST_TEST(same_bits(found, best));
        BOOST_TEST(pgd.passes().backward == 9);
        BOOST_TEST(pgd.passes().forward == 3);
    }
    // More restarts are never worse.
    const Attack<PGD> one{.epsilon = 0.02f, .alpha = 0.01f, .steps = 3, .keep = Keep::best};
    Attack<PGD> many = one;
    many.restarts = 4;
    const auto few = right(one(model, x, y)), more = right(many(model, x, y));
    for (std::size_t n = 0; n < count; ++n) BOOST_TEST(!(more[n] && !few[n]));
}

BOOST_FIXTURE_TEST_CASE(in_l2_it_stays_in_the_ball_and_moves_along_the_gradient, Subject) {
    const auto distance = [&](const Images& a, const Images& b, std::size_t n) {
        double sum = 0;
        for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e)
            sum += std::pow(static_cast<double>(a.data()[e]) - static_cast<double>(b.data()[e]), 2);
        return std::sqrt(sum);
    };
    Attack<PGD> pgd{
        .epsilon = 0.5f, .alpha = 0.2f, .steps = 1, .start = images::Start::image, .norm = Norm::l2, .clip = false};
    const Images once = pgd(model, x, y), g = model.input_gradient(x, y);
    for (std::size_t n = 0; n < count; ++n) {
        double norm = 0;
        for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e)
            norm += static_cast<double>(g.data()[e]) * static_cast<double>(g.data()[e]);
        norm = std::sqrt(norm);
        for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e)
            BOOST_TEST(std::abs(once.data()[e] - x.data()[e] - 0.2 * g.data()[e] / norm) < 1e-6);
    }
    pgd.steps = 6;
    pgd.start = images::Start::uniform;
    pgd.clip = true;
    const Images moved = pgd(model, x, y);
    const auto before = losses(x), after = losses(moved);
    for (std::size_t n = 0; n < count; ++n) {
        BOOST_TEST(distance(moved, x, n) <= 0.5 * (1 + 1e-5));
        BOOST_TEST(after[n] > before[n]);
    }
    BOOST_TEST(std::all_of(moved.begin(), moved.end(), [](float v) { return v >= 0 && v <= 1; }));
}

BOOST_FIXTURE_TEST_CASE(momentum_is_its_definition, Subject) {
    const Attack<Momentum> attack{.epsilon = 0.06f, .steps = 4, .mu = 0.75f};
    Images moved = x;
    std::vector<float> m(x.size());
    for (int t = 0; t < 4; ++t) {
        const Images g = model.input_gradient(moved, y);
        for (std::size_t n = 0; n < count; ++n) {
            double sums[8] = {};
            // The space's fold: eight sums over channels-last elements, then these in order.
            for (std::size_t k = 0; k < pixels; ++k) {
                const std::size_t c = k % 3, p = k / 3;
                sums[k % 8] += std::abs(static_cast<double>(g.data()[n * pixels + c * 36 + p]));
            }
            double norm = 0;
            for (const double s : sums) norm += s;
            const float by = static_cast<float>(1 / norm);
            for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e) {
                const volatile float kept = t > 0 ? 0.75f * m[e] : 0.0f, added = by * g.data()[e];
                m[e] = kept + added;
            }
        }
        Images direction = x;
        std::copy(m.begin(), m.end(), direction.data());
        moved = sign_step(moved, direction, 0.06f / 4, 0.06f);
    }
    BOOST_TEST(same_bits(attack(model, x, y), moved));
}

// Any part, subset or order of images, any number of threads; a device's emulation takes the same decisions.
BOOST_FIXTURE_TEST_CASE(results_are_each_images_own, Subject) {
    const auto alone = [&](const auto& attack, const Kept& on, std::size_t n) {
        Images one = Images::from_shape({1, 3, 6, 6});
        std::copy_n(x.data() + n * pixels, pixels, one.data());
        const std::uint32_t item[] = {static_cast<std::uint32_t>(n)};
        if constexpr (requires { attack(on, one, std::span(y).subspan(n, 1), item); })
            return attack(on, one, std::span(y).subspan(n, 1), item);
        else
            return attack(on, one, std::span(y).subspan(n, 1));
    };
    Kept threads(Seed{3}, Cpu<f32>::Context(3));
    threads.set_parameters(model.parameters());
    const auto check = [&](const auto& attack) {
        const Images all = attack(model, x, y);
        BOOST_TEST(same_bits(attack(threads, x, y), all));
        for (const std::size_t n : {std::size_t{0}, std::size_t{33}, count - 1})
            BOOST_TEST(
                std::equal(all.data() + n * pixels, all.data() + (n + 1) * pixels, alone(attack, model, n).data()));
    };
    check(Attack<PGD>{.steps = 3, .restarts = 2, .keep = Keep::best});
    check(Attack<PGD>{.epsilon = 0.5f, .alpha = 0.1f, .steps = 3, .norm = Norm::l2});
    check(Attack<PGD, Descent>{.steps = 2, .start = images::Start::normal});
    check(Attack<Momentum>{.steps = 3});

    Model<Net, OnDevice<f32>> there(Seed{3}, device<f32>());
    there.set_parameters(model.parameters());
    const Attack<PGD> pgd{.epsilon = 0.05f, .alpha = 0.02f, .steps = 2, .restarts = 2};
    const Images a = pgd(model, x, y), b = pgd(there, x, y);
    std::size_t same = 0;
    for (std::size_t i = 0; i < a.size(); ++i) same += std::abs(a.data()[i] - b.data()[i]) < 1e-6f;
    BOOST_TEST(static_cast<double>(same) > 0.97 * static_cast<double>(a.size()));
}

BOOST_FIXTURE_TEST_CASE(values_that_cannot_be_are_refused, Subject) {
    const auto refused = [&](const auto& attack, const std::string& what) {
        BOOST_CHECK_EXCEPTION(attack(model, x, y), ValueError, [&](const ValueError& e) {
            return std::string(e.what()).find(what) != std::string::npos;
        });
    };
    refused(Attack<PGD>{.epsilon = -1}, "epsilon");
    refused(Attack<PGD>{.epsilon = 2}, "epsilon");
    refused(Attack<PGD>{.alpha = -0.1f}, "alpha");
    refused(Attack<PGD>{.steps = 0}, "steps");
    refused(Attack<PGD>{.restarts = 0}, "restarts");
    refused(Attack<PGD>{.restarts = 65536}, "restarts is 65536");
    refused(Attack<PGD>{.start_deviation = -1}, "start_deviation");
    refused(Attack<Momentum>{.mu = -1}, "mu");
    refused(Attack<Momentum>{.steps = 0}, "steps");
    BOOST_CHECK_NO_THROW((Attack<PGD>{.epsilon = 2, .norm = Norm::l2}(model, x, y)));
    BOOST_TEST((Attack<PGD>{}(model, Images::from_shape({0, 3, 6, 6}), {}).size()) == 0u);
}

}  // namespace
