// Max pooling in bf16; where a value is f32, as at a network's ends, by the shared loop.
#pragma once
#include <skewgrad/backend/cpu/bf16_packing.hpp>
#include <skewgrad/backend/cpu/pool_stage.hpp>

namespace SKEWGRAD_NAMESPACE {

template <int Side>
struct host::Stage<Cpu<bf16>, MaxPool<Side>> : host::GatherStage<Cpu<bf16>, MaxPool<Side>> {
    using Shared = host::GatherStage<Cpu<bf16>, MaxPool<Side>>;
    using Shared::forward, Shared::backward_data;
    static constexpr bool masks_input(const cpu::PairSite& site) { return !site.in_edge && !site.out_edge; }
    static void forward(const cpu::Bf16Call& call) { cpu::max_pool_forward(call, Side); }
    static void backward_data(const cpu::Bf16Call& call) { cpu::max_pool_backward(call, Side); }
};

}  // namespace SKEWGRAD_NAMESPACE
