// A network as a type: an image entry and layers, checked and planned at compile time.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <skewgrad/nn/layers.hpp>
#include <skewgrad/nn/tape.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The first entry of a network: what one image is, C x H x W with pixels in [0, 1].
template <int C, int H, int W>
struct Image {
    static_assert(C > 0 && H > 0 && W > 0, "skewgrad: an image has at least one channel, row and column");
    static constexpr Shape shape{C, H, W};
};

// Spelled out in a compiler's message when a network cannot be.
template <int>
struct Position {};
template <int C, int H, int W>
struct MeetsShape {};
template <class Layer, class Where, Fault Why, class What>
struct LayerCannotStandHere {
    static_assert(Why == Fault::none,
                  "skewgrad: a layer cannot stand where it stands. The template arguments of LayerCannotStandHere name "
                  "the layer, its position (the Image is 0), the reason, and the shape that met it.");
};

namespace tape {

template <class T>
struct Plan;

/// Everything the compiler knows of a tape on an image, computed once per (tape, image).
template <class... Nodes>
struct Plan<Tape<Nodes...>> {
    template <Shape S>
    static constexpr auto nodes = plan(Tape<Nodes...>{}, S);

    template <Shape S>
    static constexpr int first_fault() {
        for (std::size_t i = 0; i < sizeof...(Nodes); ++i)
            if (nodes<S>[i].fault != Fault::none) return static_cast<int>(i);
        return -1;
    }
    template <int I>
    using LayerAt = typename decltype(pick<static_cast<std::size_t>(I)>(
        IndexedPack<std::index_sequence_for<Nodes...>, Nodes...>{}))::type::layer;

    // What the compiler says of the first fault; empty where there is none.
    template <Shape S, int At>
    struct Verdict {
        static constexpr NodePlan bad = nodes<S>[static_cast<std::size_t>(At)];
        using type = LayerCannotStandHere<LayerAt<At>, Position<At + 1>, bad.fault,
                                          MeetsShape<bad.in_shape.c, bad.in_shape.h, bad.in_shape.w>>;
    };
    template <Shape S>
    struct Verdict<S, -1> {
        using type = Position<0>;
    };
    template <Shape S>
    static constexpr auto parameters() {
        constexpr std::size_t count = [] {
            std::size_t n = 0, i = 0;
            ((n += parameters_of<typename Nodes::layer>(nodes<S>[i++].in_shape).size()), ...);
            return n;
        }();
        std::array<Parameter, count> all{};
        std::size_t at = 0, i = 0;
        const auto add = [&](const auto& tensors) {
            for (const Parameter& p : tensors) all[at++] = p;
        };
        (add(parameters_of<typename Nodes::layer>(nodes<S>[i++].in_shape)), ...);
        return all;
    }
};

}  // namespace tape

/// A network: `struct MyNet : Network<Image<3, 32, 32>, Conv<32>, Relu, ...> {};`. Shapes are inferred; a layer that
/// cannot stand where it stands is one error that names it, its position, the reason and the shape. Kernels are keyed
/// on `tape`, never on MyNet.
template <class Input, class... Entries>
struct Network {
    using tape = skewgrad::tape::Of<Entries...>;
    static constexpr Shape image = Input::shape;

private:
    using Plan = skewgrad::tape::Plan<tape>;
    static_assert(sizeof(typename Plan::template Verdict<image, Plan::template first_fault<image>()>::type) > 0);

public:
    static_assert(sizeof...(Entries) > 0, "skewgrad: a network needs at least one layer");
    /// One row a node: layer, values, logical shapes, parameter offsets.
    static constexpr const auto& nodes = Plan::template nodes<image>;
    /// Every parameter tensor in canonical order, with extents, role and initial law.
    static constexpr auto parameters = Plan::template parameters<image>();
    static constexpr Shape output = nodes.back().out_shape;
    static constexpr int classes = output.size();
    /// All parameters, statistics included, as one canonical vector would hold them.
    static constexpr std::size_t state_size = nodes.back().parameter_offset + nodes.back().parameter_size;
    /// Trainable parameters.
    static constexpr std::size_t parameter_count = [] {
        std::size_t n = 0;
        for (const Parameter& p : parameters)
            if (p.role == Role::trainable) n += p.size();
        return n;
    }();
};

/// Anything that derives from (or is) a Network.
template <class N>
concept ANetwork = requires {
    typename N::tape;
    { N::image } -> std::convertible_to<Shape>;
    { N::parameter_count } -> std::convertible_to<std::size_t>;
};

/// A one-line canonical description: "3x32x32 > conv<32,3,1,1,0> 32x32x32 > relu 32x32x32 > ...", equal exactly when
/// networks of the library's layers have the same layers on the same shapes.
template <ANetwork N>
std::string describe() {
    std::string text = to_string(N::image);
    for (const NodePlan& node : N::nodes) {
        text += std::string(" > ") + node.layer;
        for (int i = 0; i < node.value_count; ++i)
            text += (i == 0 ? "<" : ",") + std::to_string(node.values[static_cast<std::size_t>(i)]);
        text += (node.value_count > 0 ? "> " : " ") + to_string(node.out_shape);
        if (node.second >= 0) text += " +" + std::to_string(node.second);
    }
    return text;
}

}  // namespace SKEWGRAD_NAMESPACE
