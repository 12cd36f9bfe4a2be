// A network of the fixtures on a backend, with their weights: what it answers, and how near to f64 that must be.
#pragma once
#include <array>
#include <boost/mpl/list.hpp>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/model.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "../backend/passes.hpp"
#include "fixture.hpp"

namespace skewgrad_tests {

/// Contexts to run a backend in: for the CPU one an instruction set that this machine has, with two threads.
template <class B>
std::vector<typename B::Context> contexts() {
    if constexpr (requires(typename B::Context on) { on.kernels(); }) {
        std::vector<typename B::Context> all;
        for (const auto set : skewgrad::cpu::instruction_sets)
            if (set <= skewgrad::cpu::best_instruction_set()) all.emplace_back(2, set);
        return all;
    } else {
        return std::vector<typename B::Context>(1);
    }
}

using Backends =
    boost::mpl::list<skewgrad::Reference<double>, skewgrad::Reference<float>, skewgrad::Cpu<skewgrad::f32>>;

/// Products in all the sums that a value passes through on its way from the pixels to the loss and back to the
/// pixels or into a weight.
template <class Net>
double products(int images) {
    double there = 0, back = 0, weights = 0;
    for (const auto& node : Net::nodes) {
        if (node.parameter_size == 0) continue;
        const double taps = static_cast<double>(node.parameter_size - static_cast<std::size_t>(node.out_shape.c)) /
                            (node.in_shape.c * node.out_shape.c);  // kernel area, or pixels of a flattened input
        const bool dense = std::string(node.layer) == "dense";
        there += node.in_shape.c * taps;
        back += node.out_shape.c * (dense ? 1 : taps);
        weights = std::fmax(weights, double{1} * images * node.out_shape.h * node.out_shape.w);
    }
    return there + back + weights;
}

/// Relative error allowed against f64 (numerics: tolerances): 2e-7 sqrt(t) in f32, whose roundings add up as a random
/// walk over the t products on the way. Two libraries in f64 differ by 1e-16 sqrt(t); 1e-11 leaves room for that and
/// none for anything else.
template <class Net, class B>
double tolerance(int images) {
    return std::same_as<typename B::Real, double> ? 1e-11 : 2e-7 * std::sqrt(products<Net>(images));
}

template <class Net, class B>
struct Subject {
    using Real = typename B::Real;
    skewgrad::Model<Net, B> model;
    xt::xtensor<Real, 4> images;
    std::vector<skewgrad::Label> labels;

    Subject(const skewgrad::TensorFile& file, const std::string& prefix = "", typename B::Context on = {})
        : model(skewgrad::Seed{}, std::move(on)), labels(stored_labels(file, prefix)) {
        const auto parameters = fixture_parameters<Net>(stored_seed(file, prefix));
        model.set_parameters(std::vector<Real>(parameters.begin(), parameters.end()));
        images = shaped(stored_pixels<Real>(file, prefix));
    }
    xt::xtensor<Real, 4> shaped(const std::vector<Real>& pixels) const {
        constexpr auto s = Net::image;
        auto x = xt::xtensor<Real, 4>::from_shape({labels.size(), static_cast<std::size_t>(s.c),
                                                   static_cast<std::size_t>(s.h), static_cast<std::size_t>(s.w)});
        std::copy(pixels.begin(), pixels.end(), x.begin());
        return x;
    }
    /// Each image's own loss, from the pass that also gives the gradient.
    std::vector<double> losses() const {
        ModelPasses<skewgrad::Model<Net, B>> passes(model, images, labels, static_cast<int>(labels.size()));
        passes.gradient(model);
        return passes.losses();
    }
};

}  // namespace skewgrad_tests
