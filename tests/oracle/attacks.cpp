// links: reference
// Attacks against PyTorch's gradients and plain arithmetic: one step, many, toward a label, unclipped, unprojected.
#define BOOST_TEST_MODULE oracle_attacks
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <skewgrad/attack/attacks.hpp>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "networks.hpp"
#include "subject.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

using Tried = boost::mpl::list<Reference<double>, Cpu<f32>>;

// A pixel that went the same way differs by f32's rounding of each step only: 10 times half a last place at 1, and
// the fixture's own. One that went the other way at some step differs by a step, 1e-3 or more.
constexpr double rounding = 11 * 0x1p-24;

/// How many pixels lie further away than rounding takes them.
template <class Images, class Stored>
std::size_t astray(const Images& ours, const std::vector<Stored>& theirs) {
    BOOST_TEST_REQUIRE(ours.size() == theirs.size());
    std::size_t count = 0;
    auto x = ours.begin();
    for (const auto there : theirs)
        count += std::fabs(static_cast<double>(*x++) - static_cast<double>(there)) > rounding;
    return count;
}

}  // namespace

// Eight ways to step on a network that normalises: epsilon is in pixels. No gradient of the fixture lies within 1e-6
// of zero (make_fixtures.py sees to it), so f32 steps the same way.
BOOST_AUTO_TEST_CASE_TEMPLATE(every_kind_of_step, B, Tried) {
    const TensorFile file = fixture("attacks");
    for (const typename B::Context& on : contexts<B>()) {
        const Subject<Normalized, B> subject(file, "", on);
        const auto& [model, images, labels] = subject;
        const auto check = [&](const auto& attack, const std::string& name) {
            BOOST_TEST_CONTEXT(name << " on " << B::name() << ", " << on.description())
            BOOST_TEST(astray(attack(model, images, labels), stored<double>(file, name + ".images")) == 0u);
        };
        constexpr float epsilon = 0.05f;
        check(Attack<FGSM, Ascent>{.epsilon = epsilon}, "fgsm.ascent");
        check(Attack<FGSM, Descent>{.epsilon = epsilon}, "fgsm.descent");
        check(Attack<FGSM, Ascent>{.epsilon = epsilon, .clip = false}, "fgsm.unclipped");
        check(Attack<FGSM, Ascent>{.epsilon = epsilon, .label = LabelSource::Predicted}, "fgsm.predicted");
        check(Attack<Iterative, Ascent>{.epsilon = epsilon}, "iterative");
        check(Attack<Iterative, Descent>{.epsilon = epsilon}, "iterative.descent");
        check(Attack<Iterative, Ascent>{.epsilon = epsilon, .steps = 5, .alpha = 0.03f}, "iterative.large_steps");
        check(Attack<Iterative, Ascent>{.epsilon = epsilon, .steps = 3, .project = false}, "iterative.unprojected");
    }
}

// The paper's network at the paper's epsilon. In f64 every pixel goes the way PyTorch's goes (the fixture has none
// within 1e-6 of a zero gradient). In f32 at most one in a thousand does not, and only one step is held to that: after
// a kink that f32 passes on the other side, later gradients are honestly others (peers.py compares each step from the
// peer's own iterate).
BOOST_AUTO_TEST_CASE_TEMPLATE(the_papers_attack, B, Tried) {
    const TensorFile file = fixture("paper_network");
    BOOST_TEST_REQUIRE(stored<std::int32_t>(file, "unsure").empty());
    for (const typename B::Context& on : contexts<B>()) {
        const Subject<PaperNetwork, B> subject(file, "", on);
        const auto& [model, images, labels] = subject;
        const bool wide = std::same_as<typename B::Real, double>;
        BOOST_TEST_CONTEXT(B::name() << ", " << on.description()) {
            const auto once = Attack<FGSM, Ascent>{.epsilon = 0.01f}(model, images, labels);
            BOOST_TEST(astray(once, stored<float>(file, "fgsm")) <= (wide ? 0 : images.size() / 1000));
            if (!wide) continue;
            const auto often = Attack<Iterative, Ascent>{.epsilon = 0.01f, .steps = 10}(model, images, labels);
            BOOST_TEST(astray(often, stored<float>(file, "iterative")) == 0u);
        }
    }
}
