// Several devices: shares of a context go round them, devices of another kind are left out, and a study's files are the
// same on any number.
#define BOOST_TEST_MODULE backend_cuda_devices
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include <skewgrad/backend/cuda/emulated.hpp>
#include <skewgrad/backend/cuda/operations.hpp>
#include "store/temporary_folder.hpp"
#include "study/small_study.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

/// The emulated device, and `visible()` of them; number 2 is of another kind.
struct Odd : cuda::Emulated {
    using cuda::Emulated::Emulated;
    static int visible() { return 4; }
    std::string description() const { return number() == 2 ? "an older device" : cuda::Emulated::description(); }
};

struct Devices {
    explicit Devices(int count) { cuda::Emulated::devices = count; }
    ~Devices() { cuda::Emulated::devices = 1; }
};

template <class R>
std::vector<int> devices_of_shares(const cuda::Context<R>& context, int shares) {
    std::vector<int> all;
    for (int i = 0; i < shares; ++i) all.push_back(context.share(shares).device().number());
    return all;
}

std::map<std::string, std::string> files_on(int devices, int jobs) {
    const Devices there(devices);
    using Learner = NetworkLearner<SmallNet, cuda::Policy<f32, cuda::Emulated>, RmsProp>;
    const TemporaryFolder folder;
    RunFolder run(folder / "run");
    small_study(Learner{.optimiser = {.learning_rate = 1e-2f}, .recipe = {.batch = 8, .rounds = 2}, .context = {}})
        .run(small_data(), run, {}, jobs);
    return results_in(folder / "run");
}

}  // namespace

BOOST_AUTO_TEST_CASE(shares_go_round_the_devices) {
    const Devices there(3);
    const cuda::Context<cuda::Emulated> context;
    BOOST_TEST(context.device().number() == 0);
    BOOST_TEST(context.jobs() == 24);
    BOOST_TEST((devices_of_shares(context, 7) == std::vector{0, 1, 2, 0, 1, 2, 0}));
}

BOOST_AUTO_TEST_CASE(one_device_has_all) {
    const cuda::Context<cuda::Emulated> context;
    BOOST_TEST(context.jobs() == 8);
    BOOST_TEST((devices_of_shares(context, 3) == std::vector{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(devices_of_another_kind_are_left_out) {
    const cuda::Context<Odd> context;
    BOOST_TEST(context.jobs() == 24);
    BOOST_TEST((devices_of_shares(context, 4) == std::vector{0, 1, 3, 0}));
}

BOOST_AUTO_TEST_CASE(a_study_on_several_devices_leaves_the_same_files) {
    const auto one = files_on(1, 1);
    BOOST_TEST(one.size() > 10u);
    BOOST_TEST((files_on(3, 3) == one));
    BOOST_TEST((files_on(2, 0) == one));
}
