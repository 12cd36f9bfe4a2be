// A model: its parameters in and out, between backends and files, its passes, and what it refuses.
// links: reference
#define BOOST_TEST_MODULE model_model
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/view_of.hpp>
#include <skewgrad/store/network_file.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "backend/layers.hpp"
#include "backend/passes.hpp"
#include "backend/subjects.hpp"
#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

// Every kind of parameters: convolutions, dense layers, a user's own and a statistic; no extent a multiple of 16.
struct Net : Network<Image<3, 7, 6>, Conv<17>, Relu, Depthwise, ScaleAndShift, Dense<19>, Relu, Dense<5>> {};
struct OtherNet : Network<Image<3, 7, 6>, Conv<17>, Relu, Depthwise, ScaleAndShift, Dense<18>, Relu, Dense<5>> {};
using Fast = Model<Net, Cpu<f32>>;
using Slow = Model<Net, Reference<double>>;

static_assert(PullsBack<Fast> && HasInputGradient<Fast> && PullsBack<Slow> && HasInputGradient<Slow>);
static_assert(std::is_same_v<Fast::Real, float> && std::is_same_v<Slow::Real, double>);
static_assert(Backend<Cpu<f32>> && Backend<Reference<float>> && Backend<Reference<double>>);

std::vector<float> numbered_parameters() {
    std::vector<float> all(Net::state_size);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(i) + 0.5f;
    return all;
}

BOOST_AUTO_TEST_CASE(parameters_come_back_as_they_were_given) {
    const auto given = numbered_parameters();
    Fast fast;
    fast.set_parameters(given);
    BOOST_TEST(same_bits(fast.parameters(), given));
    Slow slow;
    slow.set_parameters(std::vector<double>(given.begin(), given.end()));
    const auto back = slow.parameters();
    BOOST_TEST(std::equal(back.begin(), back.end(), given.begin(), given.end()));
}

BOOST_AUTO_TEST_CASE(a_tensor_in_another_layout_is_the_same_images) {
    const auto x = random_images<float>(Net::image, 3);
    const xt::xtensor<float, 4, xt::layout_type::column_major> by_columns(x);
    BOOST_TEST(by_columns.data()[1] != x.data()[1]);
    BOOST_TEST(same_bits(Fast{}.logits(by_columns), Fast{}.logits(x)));
}

BOOST_AUTO_TEST_CASE(a_seed_gives_every_backend_the_same_weights) {
    const auto fast = Fast(Seed{7}).parameters();
    const auto slow = Slow(Seed{7}).parameters();
    BOOST_TEST(std::equal(fast.begin(), fast.end(), slow.begin(), slow.end()));
    BOOST_TEST(!same_bits(Fast(Seed{8}).parameters(), fast));
    BOOST_TEST((Fast(Seed{8}).seed() == Seed{8}));
}

BOOST_AUTO_TEST_CASE(a_model_moves_between_backends_and_back) {
    Fast fast(Seed{7});
    fast.set_parameters(numbered_parameters());
    const Slow slow(fast);
    BOOST_TEST((slow.seed() == Seed{7}));
    const Fast again(slow);
    BOOST_TEST(same_bits(again.parameters(), fast.parameters()));
    const auto x = random_images<float>(Net::image, 3);
    BOOST_TEST(same_bits(again.logits(x), fast.logits(x)));
}

BOOST_AUTO_TEST_CASE(files_hold_parameters_by_name) {
    const TemporaryFolder folder;
    Fast model;
    model.set_parameters(numbered_parameters());
    save_parameters(model, folder / "net");
    const TensorFile file = read_safetensors(folder / "net");
    const auto shape = [&](const std::string& name) { return file.at(name).shape; };
    using Extents = std::vector<std::int64_t>;
    BOOST_TEST((shape("0.weight") == Extents{17, 3, 3, 3}));
    BOOST_TEST((shape("0.bias") == Extents{17}));
    BOOST_TEST((shape("2.seen") == Extents{17}));
    BOOST_TEST((shape("4.weight") == Extents{19, 17 * 42}));
    BOOST_TEST((shape("6.bias") == Extents{5}));
    BOOST_TEST(file.metadata.at("network") == describe<Net>());
    Fast other(Seed{3});
    load_parameters(other, folder / "net");
    BOOST_TEST(same_bits(other.parameters(), numbered_parameters()));
}

BOOST_AUTO_TEST_CASE(foreign_files_are_refused_and_change_nothing) {
    const TemporaryFolder folder;
    Fast model(Seed{3});
    const auto before = model.parameters();
    save_parameters(Model<OtherNet, Cpu<f32>>(), folder / "other");
    BOOST_CHECK_EXCEPTION(load_parameters(model, folder / "other"), FileError,
                          says({(folder / "other").string(), "4.weight", "18", "19"}));
    save_parameters(Slow(), folder / "wide");
    BOOST_CHECK_EXCEPTION(load_parameters(model, folder / "wide"), FileError, says({"0.weight", "F64", "F32"}));
    TensorFile file;
    write_safetensors(folder / "empty", file);
    BOOST_CHECK_EXCEPTION(load_parameters(model, folder / "empty"), FileError, says({"0.weight"}));
    write_text(folder / "text", "weights");
    BOOST_CHECK_EXCEPTION(load_parameters(model, folder / "text"), FileError, says({(folder / "text").string()}));
    BOOST_CHECK_EXCEPTION(load_parameters(model, folder / "none"), FileError, says({(folder / "none").string()}));
    BOOST_TEST(same_bits(model.parameters(), before));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_with_its_numbers) {
    Fast model;
    const auto before = model.parameters();
    BOOST_CHECK_EXCEPTION(model.set_parameters(std::vector<float>(3)), ValueError,
                          says({std::to_string(Net::state_size), "given 3"}));
    const auto x = random_images<float>(Net::image, 2);
    for (const Shape s : {Shape{1, 7, 6}, Shape{3, 6, 7}, Shape{3, 7, 7}})
        BOOST_CHECK_EXCEPTION(model.logits(random_images<float>(s, 2)), ValueError, says({"3x7x6", to_string(s)}));
    BOOST_CHECK_EXCEPTION(model.input_gradient(x, std::vector<Label>(3)), ValueError, says({"2 images", "3 labels"}));
    BOOST_CHECK_EXCEPTION(model.parameter_gradient(x, std::vector<Label>(1)), ValueError,
                          says({"2 images", "1 labels"}));
    const std::vector<Label> beyond{Label{4}, Label{5}};
    BOOST_CHECK_EXCEPTION(model.input_gradient(x, beyond), ValueError, says({"label 5", "position 1", "5 classes"}));
    const TestData data(make_store("tiny", {3, 2, 2}, std::vector<std::uint8_t>(12), {Label{0}}));
    BOOST_CHECK_EXCEPTION(model.logits(data), ValueError, says({"tiny", "3x2x2", "3x7x6"}));
    const TestData rich(make_store("rich", {3, 7, 6}, std::vector<std::uint8_t>(126), {Label{8}}));
    BOOST_CHECK_EXCEPTION(model.logits(rich), ValueError, says({"rich", "9 classes", "5"}));
    BOOST_TEST(same_bits(model.parameters(), before));
    BOOST_CHECK_EXCEPTION(Cpu<f32>::Context(0), ValueError, says({"0"}));
    BOOST_CHECK_EXCEPTION(Cpu<f32>::Context(-2), ValueError, says({"-2"}));
}

BOOST_AUTO_TEST_CASE(no_images_are_no_error) {
    const Fast model;
    const auto none = xt::xtensor<float, 4>::from_shape({0, 3, 7, 6});
    BOOST_TEST(model.logits(none).shape()[0] == 0u);
    BOOST_TEST(model.input_gradient(none, {}).size() == 0u);
}

// The passes that attacks use stay consistent with the plain calls, across blocks.
BOOST_AUTO_TEST_CASE(one_pass_gives_logits_losses_and_gradients) {
    const Fast model(Seed{3});
    const auto x = random_images<float>(Net::image, 70);
    const auto y = labels_in_turn(70, Net::classes);
    ModelPasses<Fast> passes(model, x, y);
    passes.gradient(model);
    BOOST_TEST(same_bits(passes.dx(), model.input_gradient(x, y)));
    const auto logits = model.logits(x);
    BOOST_TEST(same_bits(passes.logits(), std::vector<float>(logits.begin(), logits.end())));
    for (std::size_t n = 0; n < 70; ++n)
        BOOST_TEST(passes.losses()[n] == cross_entropy(&logits(n, 0), Net::classes, y[n]));
    passes.forward(model);
    BOOST_TEST(same_bits(passes.logits(), std::vector<float>(logits.begin(), logits.end())));
}

// J^T dz for any dz: a row of the Jacobian for a unit vector; the loss's gradient for the loss's own dz.
BOOST_AUTO_TEST_CASE(gradients_are_pulled_back_from_the_logits) {
    const Slow model(Seed{3});
    const auto x = random_images<double>(Net::image, 3);
    const auto y = labels_in_turn(3, Net::classes);
    const auto z = model.logits(x);
    xt::xtensor<double, 2> dz = xt::zeros<double>({3, Net::classes});
    for (std::size_t n = 0; n < 3; ++n) {
        const int label = index(y[n]);
        loss::CrossEntropyFormula{}(LossCase<double>{&z(n, 0), nullptr, Net::classes, label, label, nullptr}, 1.0,
                                    &dz(n, 0), static_cast<double*>(nullptr));
    }
    BOOST_TEST(same_bits(model.pull_back(x, dz), model.input_gradient(x, y)));

    dz = xt::zeros<double>({3, Net::classes});
    dz(1, 4) = 1;
    const auto row = model.pull_back(x, dz);
    const double step = 1e-5;
    for (const std::size_t e : {0u, 17u, 125u}) {
        auto up = x, down = x;
        up.data()[126 + e] += step, down.data()[126 + e] -= step;
        const double slope = (model.logits(up)(1, 4) - model.logits(down)(1, 4)) / (2 * step);
        BOOST_TEST(row.data()[126 + e] == slope, boost::test_tools::tolerance(1e-6));
        BOOST_TEST(row.data()[e] == 0);
    }
    BOOST_CHECK_THROW(model.pull_back(x, xt::zeros<double>({2, Net::classes})), ValueError);
}

}  // namespace
