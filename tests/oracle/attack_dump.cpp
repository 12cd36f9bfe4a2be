// links: reference
// attack_dump NETWORK QUESTION ANSWER: runs our attacks on the weights and images of a safetensors file, for peers.py
// to judge.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/store/network_file.hpp>
#include <skewgrad/store/safetensors.hpp>
#include <span>
#include <string>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "networks.hpp"

using namespace skewgrad;
using skewgrad_tests::PaperNetwork, skewgrad_tests::PoolsOf4;

namespace {

template <class Real>
xt::xtensor<Real, 4> images(const TensorFile& file, const std::string& name) {
    const Tensor& tensor = file.at(name);
    auto x = xt::xtensor<Real, 4>::from_shape(
        {static_cast<std::size_t>(tensor.shape.at(0)), static_cast<std::size_t>(tensor.shape.at(1)),
         static_cast<std::size_t>(tensor.shape.at(2)), static_cast<std::size_t>(tensor.shape.at(3))});
    std::size_t at = 0;
    for (const float value : tensor.values<float>()) x.data()[at++] = static_cast<Real>(value);
    return x;
}

std::vector<Label> labels(const TensorFile& file, const std::string& name) {
    std::vector<Label> all;
    for (const std::int64_t y : file.at(name).values<std::int64_t>()) all.push_back(static_cast<Label>(y));
    return all;
}

template <class Real>
void put(TensorFile& file, const std::string& name, const xt::xtensor<Real, 4>& x) {
    std::vector<std::int64_t> shape;
    for (const std::size_t extent : x.shape()) shape.push_back(static_cast<std::int64_t>(extent));
    file.tensors.push_back(make_tensor<Real>(name, shape, std::span<const Real>(x.data(), x.size())));
}

template <class Network>
void answer(const char* question, const char* to) {
    const TensorFile in = read_safetensors(question);
    TensorFile out;
    Model<Network, Cpu<f32>> narrow;
    load_parameters(narrow, question, {.strict = false});  // a PyTorch state_dict among other tensors
    const Model<Network, Reference<double>> wide(narrow);
    const float epsilon = in.at("epsilon").values<float>()[0], alpha = in.at("alpha").values<float>()[0];
    const int steps = static_cast<int>(in.at("steps").values<std::int64_t>()[0]);
    const auto y = labels(in, "labels"), targets = labels(in, "targets");

    const auto x = images<float>(in, "images");
    put(out, "fgsm.ascent.f32", Attack<FGSM, Ascent>{.epsilon = epsilon}(narrow, x, y));
    put(out, "fgsm.descent.f32", Attack<FGSM, Descent>{.epsilon = epsilon}(narrow, x, targets));

    const Attack<Iterative, Ascent> up{.epsilon = epsilon, .steps = steps, .alpha = alpha};
    const Attack<Iterative, Descent> down{.epsilon = epsilon, .steps = steps, .alpha = alpha};
    put(out, "iterative.ascent.f32", up(narrow, x, y));
    put(out, "iterative.descent.f32", down(narrow, x, targets));

    const auto from = images<float>(in, "iterates");
    const auto beside = labels(in, "iterate_labels");
    put(out, "away.f32", Attack<FGSM, Ascent>{.epsilon = alpha}(narrow, from, beside));
    put(out, "toward.f32", Attack<FGSM, Descent>{.epsilon = alpha}(narrow, from, beside));

    const auto x64 = images<double>(in, "images");
    put(out, "fgsm.ascent.f64", Attack<FGSM, Ascent>{.epsilon = epsilon}(wide, x64, y));
    put(out, "fgsm.descent.f64", Attack<FGSM, Descent>{.epsilon = epsilon}(wide, x64, targets));
    put(out, "iterative.ascent.f64", up(wide, x64, y));
    put(out, "iterative.descent.f64", down(wide, x64, targets));
    write_safetensors(to, out);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string network = count == 4 ? arguments[1] : "";
    if (network != "paper" && network != "pools_of_4")
        return std::fprintf(stderr, "usage: attack_dump paper|pools_of_4 QUESTION ANSWER\n"), 2;
    try {
        const auto run = network == "paper" ? &answer<PaperNetwork> : &answer<PoolsOf4>;
        run(arguments[2], arguments[3]);
    } catch (const std::exception& problem) {
        return std::fprintf(stderr, "attack_dump: %s\n", problem.what()), 1;
    }
    return 0;
}
