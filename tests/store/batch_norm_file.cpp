// A network with batch normalisation in files: statistics are stored as PyTorch stores them, and its count of batches
// is passed over.
#define BOOST_TEST_MODULE store_batch_norm_file
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/store/network_file.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<1, 4, 4>, Conv<2>, BatchNorm, Relu, Dropout<25>, Dense<3>, BatchNorm, Dense<2>> {};
using Small = Model<Net, Cpu<f32>>;

std::vector<float> numbered() {
    std::vector<float> all(Net::state_size);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = 0.25f * static_cast<float>(i + 1);
    return all;
}
/// Net's numbered parameters as PyTorch stores a Sequential whose entries with parameters have these numbers.
TensorFile state_dict(const std::array<std::string, 5>& modules) {
    const std::array<std::vector<std::int64_t>, 5> weights{{{2, 1, 3, 3}, {2}, {3, 32}, {3}, {2, 3}}};
    const std::vector<float> all = numbered();
    TensorFile file;
    std::size_t at = 0;
    const auto append = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
        std::size_t size = 1;
        for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
        file.tensors.push_back(make_tensor<float>(name, shape, std::span(all).subspan(at, size)));
        at += size;
    };
    for (std::size_t m = 0; m < modules.size(); ++m) {
        append(modules[m] + ".weight", weights[m]);
        append(modules[m] + ".bias", {weights[m][0]});
        if (m != 1 && m != 3) continue;
        append(modules[m] + ".running_mean", {weights[m][0]});
        append(modules[m] + ".running_var", {weights[m][0]});
        file.tensors.push_back(
            make_tensor<std::int64_t>(modules[m] + ".num_batches_tracked", {}, std::array{std::int64_t{17}}));
    }
    BOOST_REQUIRE(at == all.size());
    file.metadata["format"] = "pt";
    return file;
}
std::vector<float> loaded(const TensorFile& file, const LoadOptions& options = {}) {
    const TemporaryFolder folder;
    write_safetensors(folder / "net", file);
    Small model;
    load_parameters(model, folder / "net", options);
    return model.parameters();
}

}  // namespace

BOOST_AUTO_TEST_CASE(files_hold_statistics_by_name) {
    const TemporaryFolder folder;
    Small model, again;
    model.set_parameters(numbered());
    save_parameters(model, folder / "net");
    load_parameters(again, folder / "net");
    BOOST_TEST(again.parameters() == numbered());

    const TensorFile file = read_safetensors(folder / "net");
    std::vector<std::string> names;
    for (const Tensor& tensor : file.tensors) names.push_back(tensor.name);
    std::ranges::sort(names);
    const std::vector<std::string> wanted{"0.bias",        "0.weight", "1.bias",   "1.running_mean", "1.running_var",
                                          "1.weight",      "4.bias",   "4.weight", "5.bias",         "5.running_mean",
                                          "5.running_var", "5.weight", "6.bias",   "6.weight"};
    BOOST_TEST(names == wanted, boost::test_tools::per_element());
    BOOST_TEST((file.at("1.running_var").shape == std::vector<std::int64_t>{2}));
    const auto stored = file.at("1.running_var").values<float>();
    BOOST_TEST(stored[0] == numbered()[20 + 3 * 2]);
    BOOST_TEST(stored[1] == numbered()[20 + 3 * 2 + 1]);
}

BOOST_AUTO_TEST_CASE(pytorchs_count_of_batches_is_passed_over) {
    BOOST_TEST(loaded(state_dict({"0", "1", "4", "5", "6"})) == numbered());  // by name
    BOOST_TEST(loaded(state_dict({"0", "1", "3", "4", "5"})) == numbered());  // no Dropout: in order
    BOOST_TEST(loaded(state_dict({"0.0", "0.1", "1.2", "1.3", "1.9"})) == numbered());
    BOOST_TEST(loaded(state_dict({"0", "1", "4", "5", "6"}), {.strict = false}) == numbered());
    BOOST_TEST(loaded(state_dict({"0", "1", "4", "5", "6"}), {.convert = true}) == numbered());
}

BOOST_AUTO_TEST_CASE(other_tensors_beside_statistics_are_refused) {
    const auto refused = [](const TensorFile& file, const std::string& what) {
        BOOST_CHECK_EXCEPTION(loaded(file), FileError, says({what}));
    };
    TensorFile more = state_dict({"0", "1", "4", "5", "6"});
    more.tensors.push_back(make_tensor<std::int64_t>("1.batches", {}, std::array{std::int64_t{17}}));
    refused(more, "besides \"1.batches\"");
    TensorFile without = state_dict({"0", "1", "4", "5", "6"});
    std::erase_if(without.tensors, [](const Tensor& t) { return t.name == "5.running_var"; });
    refused(without, "lacks \"5.running_var\"");
    TensorFile other = state_dict({"0", "1", "4", "5", "6"});
    for (Tensor& t : other.tensors)
        if (t.name == "1.running_mean") t.shape = {2, 1};
    refused(other, "\"1.running_mean\" is F32 [2, 1], expected F32 [2]");
}
