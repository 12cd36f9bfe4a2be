// From tape to stages: the tape is cut greedily into runs that a host backend fuses, offsets are dealt out.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <skewgrad/backend/host/stages.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// A network as a host backend runs it, a constant of (backend, tape, image). `stages` rows are used.
template <class B, std::size_t Nodes>
struct Lowered {
    std::array<Site<B>, Nodes> sites{};
    std::array<Layout, Nodes + 1> values{};
    std::array<bool, Nodes + 1> exists{};  ///< interior values of a fused stage do not
    std::array<bool, Nodes + 1> edges{};   ///< stored in B::Edge
    int stages = 0, last_value = 0;
    std::size_t canonical = 0, masters = 0, packs = 0, lane_scratch = 0, shared_scratch = 0;
};

/// Which values are stored in B::Edge and laid out as the image is: the image, what is made of it before a stage that
/// `rounds` (the first convolution or dense layer), and the logits. Where there is one element type, the image alone.
template <class B, class... Nodes>
constexpr auto find_edges(Tape<Nodes...>) {
    std::array<bool, sizeof...(Nodes) + 1> edge{true};
    if constexpr (!std::is_same_v<typename B::Edge, typename B::Value>) {
        const auto decide = [&]<class N>(std::type_identity<N>) {
            bool exact = !requires { Stage<B, typename N::layer>::rounds; };
            for (const int in : N::in) exact = exact && edge[static_cast<std::size_t>(in)];
            edge[static_cast<std::size_t>(N::out)] = exact;
        };
        (decide(std::type_identity<Nodes>{}), ...);
        edge.back() = true;
    }
    return edge;
}
template <class B, class Tape>
inline constexpr auto edges_of = find_edges<B>(Tape{});
template <class B, class Tape, int value>
using ElementOf = Element<B, edges_of<B, Tape>[static_cast<std::size_t>(value)]>;

template <class B, class... Nodes>
constexpr auto lower(Tape<Nodes...>, Shape image) {
    using Tape = skewgrad::Tape<Nodes...>;
    constexpr std::size_t count = sizeof...(Nodes);
    const std::array<NodePlan, count> nodes = tape::plan(Tape{}, image);
    constexpr std::array<const Epilogue*, count> epilogues{
        epilogue_of<B, typename Nodes::layer, ElementOf<B, Tape, Nodes::out>>()...};
    // Asked of the type: with its null checks on, g++ does not take an address' comparison for a constant.
    constexpr std::array<bool, count> can_be_fused{fuses<B, typename Nodes::layer>...};
    constexpr std::array<bool, count> is_rectifier{std::is_same_v<typename Nodes::layer, Relu>...};
    constexpr auto round_up = [](std::size_t n) { return (n + 15) / 16 * 16; };

    Lowered<B, count> plan;
    std::array<int, count + 1> readers{};
    for (const NodePlan& node : nodes) {
        ++readers[static_cast<std::size_t>(node.in)];
        if (node.second >= 0) ++readers[static_cast<std::size_t>(node.second)];
    }
    plan.edges = edges_of<B, Tape>;
    plan.values[0] = B::layout(image, true);
    plan.exists[0] = true;
    for (const NodePlan& node : nodes) {
        const auto out = static_cast<std::size_t>(node.out);
        plan.values[out] = B::layout(node.out_shape, plan.edges[out]);
    }

    std::size_t i = 0;
    bool taken = false;  // by the stage before, as its epilogue
    std::array<bool, count> can_mask{};
    const auto add = [&]<class N>(std::type_identity<N>) {
        using L = typename N::layer;
        using In = ElementOf<B, Tape, N::in.front()>;
        using Second = ElementOf<B, Tape, N::in.back()>;
        const NodePlan& node = nodes[i];
        const std::size_t next = ++i;
        if (taken) {
            taken = false;
            return;
        }
        Site<B>& site = plan.sites[static_cast<std::size_t>(plan.stages++)];
        site.ops = &ops_of<B, L, In, Second, ElementOf<B, Tape, N::out>>;
        site.node = static_cast<std::uint16_t>(node.out);
        site.in_value = node.in;
        site.second_value = node.second;
        site.out_value = node.out;
        using S = Stage<B, L>;
        if constexpr (requires { S::can_finish; } && N::out < static_cast<int>(count)) {
            if (can_be_fused[next] && nodes[next].in == node.out && readers[static_cast<std::size_t>(node.out)] == 1) {
                site.ops = &ops_of<B, L, In, Second, ElementOf<B, Tape, N::out + 1>>;
                site.epilogue = epilogues[next];
                site.rectifies = is_rectifier[next];
                site.out_value = nodes[next].out;
                taken = true;
            }
        }
        site.in = plan.values[static_cast<std::size_t>(site.in_value)];
        if (site.second_value >= 0) site.second = plan.values[static_cast<std::size_t>(site.second_value)];
        site.out = plan.values[static_cast<std::size_t>(site.out_value)];
        site.in_edge = plan.edges[static_cast<std::size_t>(site.in_value)];
        site.out_edge = plan.edges[static_cast<std::size_t>(site.out_value)];
        plan.exists[static_cast<std::size_t>(site.out_value)] = true;
        if constexpr (requires { S::masks_input(site); })
            can_mask[static_cast<std::size_t>(plan.stages - 1)] = S::masks_input(site);
        site.canonical_offset = node.parameter_offset;
        site.canonical_size = node.parameter_size;
        if constexpr (requires { S::master_size(site); }) {
            site.master_offset = plan.masters;
            site.master_size = S::master_size(site);
            site.trained_size = site.master_size;
            if constexpr (requires { S::trained_size(site); }) site.trained_size = S::trained_size(site);
            plan.masters += round_up(site.master_size);
        }
        if constexpr (requires { S::pack_size(site); }) {
            site.pack_offset = plan.packs;
            site.pack_size = S::pack_size(site);
            plan.packs += round_up(site.pack_size);
        }
        if constexpr (requires { S::lane_scratch(site); }) site.lane_scratch = round_up(S::lane_scratch(site));
        if constexpr (requires { S::shared_scratch(site); }) site.shared_scratch = round_up(S::shared_scratch(site));
        plan.shared_scratch = site.shared_scratch > plan.shared_scratch ? site.shared_scratch : plan.shared_scratch;
        plan.lane_scratch = site.lane_scratch > plan.lane_scratch ? site.lane_scratch : plan.lane_scratch;
        plan.last_value = site.out_value;
        plan.canonical = node.parameter_offset + node.parameter_size;
    };
    (add(std::type_identity<Nodes>{}), ...);

    // In the backward pass the last reader of a value comes first and writes its gradient; the others add to it.
    std::array<bool, count + 1> written{};
    for (int s = plan.stages - 1; s >= 0; --s) {
        Site<B>& site = plan.sites[static_cast<std::size_t>(s)];
        bool& in = written[static_cast<std::size_t>(site.in_value)];
        site.adds_to_in = in;
        in = true;
        if (site.second_value >= 0) {
            bool& second = written[static_cast<std::size_t>(site.second_value)];
            site.adds_to_second = second;
            second = true;
        }
    }

    // A rectifier's slope is applied where its output's gradient is made, if one stage alone makes it and can do so.
    for (int s = 0; s < plan.stages; ++s) {
        Site<B>& site = plan.sites[static_cast<std::size_t>(s)];
        if (!can_mask[static_cast<std::size_t>(s)] || readers[static_cast<std::size_t>(site.in_value)] != 1) continue;
        for (int p = 0; p < s; ++p) {
            Site<B>& producer = plan.sites[static_cast<std::size_t>(p)];
            if (producer.out_value == site.in_value && producer.rectifies) site.masks_in = producer.masked = true;
        }
    }
    return plan;
}

}  // namespace SKEWGRAD_NAMESPACE::host
