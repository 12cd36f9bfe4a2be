// From tape to stages: the tape is cut greedily into runs that a host backend fuses, offsets are dealt out.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/host/stages.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// A network as a host backend runs it, a constant of (backend, tape, image). `stages` rows are used.
template <class B, std::size_t Nodes>
struct Lowered {
    std::array<Site<B>, Nodes> sites{};
    std::array<Layout, Nodes + 1> values{};
    std::array<bool, Nodes + 1> exists{};  ///< interior values of a fused stage do not
    int stages = 0, last_value = 0;
    std::size_t canonical = 0, masters = 0, packs = 0, lane_scratch = 0, shared_scratch = 0;
};

template <class B, class... Nodes>
constexpr auto lower(Tape<Nodes...>, Shape image) {
    constexpr std::size_t count = sizeof...(Nodes);
    const std::array<NodePlan, count> nodes = tape::plan(Tape<Nodes...>{}, image);
    constexpr std::array<const Epilogue<typename B::Value>*, count> epilogues{
        epilogue_of<B, typename Nodes::layer>()...};
    // Asked of the type: with its null checks on, g++ does not take an address' comparison for a constant.
    constexpr std::array<bool, count> can_be_fused{SlopeFromValue<typename Nodes::layer, typename B::Sum>...};
    constexpr auto round_up = [](std::size_t n) { return (n + 15) / 16 * 16; };

    Lowered<B, count> plan;
    std::array<int, count + 1> readers{};
    for (const NodePlan& node : nodes) {
        ++readers[static_cast<std::size_t>(node.in)];
        if (node.second >= 0) ++readers[static_cast<std::size_t>(node.second)];
    }
    plan.values[0] = B::layout(image, true);
    plan.exists[0] = true;
    for (const NodePlan& node : nodes)
        plan.values[static_cast<std::size_t>(node.out)] = B::layout(node.out_shape, false);

    std::size_t i = 0;
    bool taken = false;  // by the stage before, as its epilogue
    const auto add = [&]<class L>(std::type_identity<L>) {
        const NodePlan& node = nodes[i];
        const std::size_t next = ++i;
        if (taken) {
            taken = false;
            return;
        }
        Site<B>& site = plan.sites[static_cast<std::size_t>(plan.stages++)];
        site.ops = &ops_of<B, L>;
        site.node = static_cast<std::uint16_t>(node.out);
        site.in_value = node.in;
        site.second_value = node.second;
        site.out_value = node.out;
        using S = Stage<B, L>;
        if constexpr (requires { S::can_finish; }) {
            if (next < count && can_be_fused[next] && nodes[next].in == node.out &&
                readers[static_cast<std::size_t>(node.out)] == 1) {
                site.epilogue = epilogues[next];
                site.out_value = nodes[next].out;
                taken = true;
            }
        }
        site.in = plan.values[static_cast<std::size_t>(site.in_value)];
        site.out = plan.values[static_cast<std::size_t>(site.out_value)];
        plan.exists[static_cast<std::size_t>(site.out_value)] = true;
        site.canonical_offset = node.parameter_offset;
        site.canonical_size = node.parameter_size;
        if constexpr (requires { S::master_size(Shape{}); }) {
            site.master_offset = plan.masters;
            site.master_size = S::master_size(node.in_shape);
            site.trained_size = site.master_size;
            if constexpr (requires { S::trained_size(Shape{}); }) site.trained_size = S::trained_size(node.in_shape);
            plan.masters += round_up(site.master_size);
        }
        if constexpr (requires { S::pack_size(Shape{}); }) {
            site.pack_offset = plan.packs;
            site.pack_size = S::pack_size(node.in_shape);
            plan.packs += round_up(site.pack_size);
        }
        if constexpr (requires { S::lane_scratch(Shape{}); })
            site.lane_scratch = round_up(S::lane_scratch(node.in_shape));
        if constexpr (requires { S::shared_scratch(Shape{}); })
            site.shared_scratch = round_up(S::shared_scratch(node.in_shape));
        plan.shared_scratch = site.shared_scratch > plan.shared_scratch ? site.shared_scratch : plan.shared_scratch;
        plan.lane_scratch = site.lane_scratch > plan.lane_scratch ? site.lane_scratch : plan.lane_scratch;
        plan.last_value = site.out_value;
        plan.canonical = node.parameter_offset + node.parameter_size;
    };
    (add(std::type_identity<typename Nodes::layer>{}), ...);

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
    return plan;
}

}  // namespace SKEWGRAD_NAMESPACE::host
