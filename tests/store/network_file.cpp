// Loading a network's parameters: what is not this network's is refused, what is PyTorch's in another numbering is not.
#define BOOST_TEST_MODULE store_network_file
#include <array>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/store/network_file.hpp>
#include <string>
#include <vector>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Absolute {
    static constexpr const char* name = "absolute";
    template <class S>
    static constexpr S value(S x) {
        return x > S{} ? x : -x;
    }
    template <class S>
    static constexpr S slope(S x) {
        return x > S{} ? S{} + 1.0f : S{} - 1.0f;
    }
};
template <int Mean>
struct Grey {
    static constexpr std::array<float, 1> mean{Mean / 100.0f}, deviation{.25f};
};

template <class Activation = Relu, class Pool = MaxPool<2>, class First = Normalize<Grey<50>>>
struct Net : Network<Image<1, 4, 4>, First, Conv<2>, Activation, Pool, Dense<3>, Relu, Dropout<50>, Dense<2>> {};
using Small = Model<Net<>, Cpu<f32>>;

// The shapes of Net's parameters, which its entries 1, 4 and 7 have.
const std::array<std::vector<std::int64_t>, 3> weights{{{2, 1, 3, 3}, {3, 8}, {2, 3}}};
const std::array<std::vector<std::int64_t>, 3> biases{{{2}, {3}, {2}}};

std::vector<float> numbered() {
    std::vector<float> all(Net<>::state_size);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = 0.25f * (static_cast<float>(i) - 20);
    return all;
}

/// The numbered parameters as a state_dict whose modules are called so.
TensorFile state_dict(const std::array<std::string, 3>& modules) {
    TensorFile file;
    const std::vector<float> all = numbered();
    std::size_t at = 0;
    for (std::size_t m = 0; m < modules.size(); ++m)
        for (const bool bias : {false, true}) {
            const auto& shape = bias ? biases[m] : weights[m];
            std::size_t size = 1;
            for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
            file.tensors.push_back(
                make_tensor<float>(modules[m] + (bias ? ".bias" : ".weight"), shape, std::span(all).subspan(at, size)));
            at += size;
        }
    BOOST_REQUIRE(at == all.size());
    file.metadata["format"] = "pt";
    return file;
}

/// What a model of zeros is after loading.
std::vector<float> loaded(const TensorFile& file, const LoadOptions& options = {}) {
    const TemporaryFolder folder;
    write_safetensors(folder / "net", file);
    Small model;
    model.set_parameters(std::vector<float>(Net<>::state_size));
    load_parameters(model, folder / "net", options);
    return model.parameters();
}
std::string refusal(const TensorFile& file, const LoadOptions& options = {}) {
    try {
        loaded(file, options);
    } catch (const FileError& error) {
        BOOST_TEST(std::string(error.what()).size() < 1500u);
        return error.what();
    }
    return "accepted";
}
bool contains(const std::string& text, const std::string& part) {
    BOOST_TEST_INFO("it says: " << text);
    const bool found = text.find(part) != std::string::npos;
    BOOST_TEST(found, "no \"" << part << "\" in: " << text);
    return found;
}

template <class Stored>
Tensor stored_as(Dtype type, const Tensor& of, Stored (*convert)(float)) {
    std::vector<std::byte> bytes;
    for (const float x : of.values<float>()) {
        const auto stored = std::bit_cast<std::array<std::byte, sizeof(Stored)>>(convert(x));
        bytes.insert(bytes.end(), stored.begin(), stored.end());
    }
    return make_tensor(of.name, type, of.shape, bytes);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_sequentials_numbers_may_differ_where_its_entries_hold_nothing) {
    BOOST_TEST(loaded(state_dict({"1", "4", "7"})) == numbered());              // as save_parameters names them
    BOOST_TEST(loaded(state_dict({"0", "4", "7"})) == numbered());              // no Normalize, a Flatten
    BOOST_TEST(loaded(state_dict({"0", "4", "6"})) == numbered());              // no Dropout either
    BOOST_TEST(loaded(state_dict({"2", "9", "10"})) == numbered());             // ten behind nine
    BOOST_TEST(loaded(state_dict({"net.0", "net.4", "net.7"})) == numbered());  // a member of a module
    BOOST_TEST(loaded(state_dict({"0.0", "1.1", "1.4"})) == numbered());        // features, classifier
    BOOST_TEST(loaded(state_dict({"module.0", "module.4", "module.7"})) == numbered());  // DataParallel
}

BOOST_AUTO_TEST_CASE(modules_without_an_order_or_of_another_number_are_refused) {
    contains(refusal(state_dict({"conv", "fc1", "fc2"})), "lacks \"1.weight\", \"1.bias\", \"4.weight\"");
    contains(refusal(state_dict({"features.0", "classifier.0", "classifier.3"})), "lacks \"1.weight\"");
    TensorFile more = state_dict({"0", "4", "7"});
    more.tensors.push_back(make_tensor<float>("9.weight", {1}, std::array{1.0f}));
    contains(refusal(more), "besides \"0.bias\", \"0.weight\"");
    contains(refusal(state_dict({"4", "0", "7"})), "\"0.weight\" is F32 [3, 8], expected F32 [2, 1, 3, 3]");
}

BOOST_AUTO_TEST_CASE(one_error_lists_all_that_is_missing_unexpected_and_different) {
    TensorFile file = state_dict({"1", "4", "7"});
    std::erase_if(file.tensors, [](const Tensor& t) { return t.name == "4.bias"; });
    file.tensors.push_back(make_tensor<float>("9.weight", {1}, std::array{1.0f}));
    for (Tensor& t : file.tensors)
        if (t.name == "7.bias") t.shape = {2, 1};
    const std::string said = refusal(file);
    contains(said, "it lacks \"4.bias\"");
    contains(said, "it has besides \"9.weight\"");
    contains(said, "\"7.bias\" is F32 [2, 1], expected F32 [2]");
    for (int i = 0; i < 1000; ++i) file.tensors.push_back(make_tensor<float>("x" + std::to_string(i), {0}, {}));
    contains(refusal(file), "and 995 more");
}

BOOST_AUTO_TEST_CASE(another_network_of_the_same_tensors_is_refused) {
    const TemporaryFolder folder;
    const auto refused = [&]<class N>(std::type_identity<N>, const std::string& there, const std::string& here) {
        const Model<N, Cpu<f32>> other;
        save_parameters(other, folder / "other");
        Small model;
        const std::vector<float> before = model.parameters();
        BOOST_CHECK_EXCEPTION(load_parameters(model, folder / "other"), FileError, says({"network", there, here}));
        BOOST_TEST(model.parameters() == before);
        load_parameters(model, folder / "other", {.strict = false});
        BOOST_TEST(model.parameters() == other.parameters());
    };
    refused(std::type_identity<Net<Absolute>>{}, "layer 3 is \"absolute 2x4x4\"", "\"relu 2x4x4\"");
    refused(std::type_identity<Net<Relu, AveragePool<2>>>{}, "layer 4 is \"average_pool<2> 2x2x2\"", "max_pool<2>");
    refused(std::type_identity<Net<Relu, MaxPool<2>, Normalize<Grey<49>>>>{}, "layer 1 is \"normalize<", "1x4x4");
    const Small same(Seed{5});
    save_parameters(same, folder / "same");
    Small model;
    load_parameters(model, folder / "same");
    BOOST_TEST(model.parameters() == same.parameters());
}

BOOST_AUTO_TEST_CASE(leniency_takes_what_fits_and_leaves_the_rest) {
    TensorFile file = state_dict({"1", "4", "7"});
    std::erase_if(file.tensors, [](const Tensor& t) { return t.name.starts_with("7."); });
    file.tensors.push_back(make_tensor<float>("optimiser", {1}, std::array{1.0f}));
    std::vector<float> wanted = numbered();
    std::fill(wanted.end() - 8, wanted.end(), 0.0f);
    BOOST_TEST(loaded(file, {.strict = false}) == wanted);
    contains(refusal(state_dict({"a", "b", "c"}), {.strict = false}), "lacks");  // nothing at all fits
    for (Tensor& t : file.tensors)
        if (t.name == "4.weight") t.shape = {8, 3};
    contains(refusal(file, {.strict = false}), "\"4.weight\" is F32 [8, 3]");
    contains(refusal(state_dict({"1", "4", "7"}), {.notes = {{"made_by", "us"}}}), "no note \"made_by\"");
}

BOOST_AUTO_TEST_CASE(halves_and_doubles_are_taken_where_that_is_asked_for) {
    // Every number here, a quarter of a whole one, is one of each type.
    const auto half = [](float x) {
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
        if (x == 0) return static_cast<std::uint16_t>(bits >> 16);
        return static_cast<std::uint16_t>((bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10 |
                                          (bits >> 13 & 1023));
    };
    const auto bfloat16 = [](float x) { return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16); };
    const auto wide = [](float x) { return double{x}; };
    const auto all = [](auto convert) {
        TensorFile file = state_dict({"0", "4", "7"});
        for (Tensor& t : file.tensors) t = convert(t);
        return file;
    };
    const std::array<TensorFile, 3> files{
        all([&](const Tensor& t) { return stored_as<std::uint16_t>(Dtype::f16, t, half); }),
        all([&](const Tensor& t) { return stored_as<std::uint16_t>(Dtype::bf16, t, bfloat16); }),
        all([&](const Tensor& t) { return stored_as<double>(Dtype::f64, t, wide); })};
    for (const TensorFile& file : files) {
        BOOST_TEST(loaded(file, {.convert = true}) == numbered());
        contains(refusal(file), "expected F32 [2, 1, 3, 3]");
    }
    TensorFile integers = state_dict({"0", "4", "7"});
    integers.tensors[1] = make_tensor<std::int32_t>("0.bias", {2}, std::array{1, 2});
    contains(refusal(integers, {.convert = true}), "\"0.bias\" is I32 [2]");
    TensorFile far = files[2];
    far.tensors[1] = make_tensor<double>("0.bias", {2}, std::array{1e300, 1.0});
    contains(refusal(far, {.convert = true}), "\"0.bias\" holds a number beyond the range of F32");
}

BOOST_AUTO_TEST_CASE(every_half_is_the_number_that_ieee_754_gives_it) {
    static_assert(half_to_float(0x3c00) == 1 && half_to_float(0xc000) == -2 && half_to_float(0x7bff) == 65504);
    static_assert(half_to_float(0x0001) == 0x1p-24f && half_to_float(0x03ff) == 1023 * 0x1p-24f);
    static_assert(half_to_float(0x0400) == 0x1p-14f && half_to_float(0x3555) == 0x1.554p-2f);
    for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
        const int exponent = static_cast<int>(bits >> 10);
        const double wanted =
            exponent == 0 ? std::ldexp(bits & 1023, -24) : std::ldexp(1024 + (bits & 1023), exponent - 25);
        BOOST_REQUIRE(half_to_float(static_cast<std::uint16_t>(bits)) == wanted);
        BOOST_REQUIRE(half_to_float(static_cast<std::uint16_t>(bits | 0x8000)) == -wanted);
    }
    BOOST_TEST(std::isinf(half_to_float(0xfc00)));
    BOOST_TEST(std::isnan(half_to_float(0x7e00)));
    BOOST_TEST(std::signbit(half_to_float(0x8000)));
}
