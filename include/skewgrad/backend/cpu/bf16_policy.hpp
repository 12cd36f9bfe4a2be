// The bf16 CPU policy: activations, their gradients and packed weights in bf16, everything that is summed in f32.
#pragma once
#include <string>

#include <skewgrad/backend/bfloat16.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/table.hpp>
#include <skewgrad/backend/cpu/policy.hpp>
#include <skewgrad/backend/cpu/tile_permission.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Cpu<bf16>: promises the bits that Cpu<f32> does. Rounded to bf16 are the weights' packed copies, the outputs of
/// convolutions and dense layers and whatever is made of them, and gradients at all of these; the gradient at the
/// logits is rounded where it enters products. Masters, biases, sums, optimiser state, logits, loss and the gradient at
/// the pixels are f32. Of the image nothing is lost: what a product reads of an f32 value is two bf16 parts of it.
template <>
struct Cpu<bf16> {
    using Real = float;
    using Edge = float;
    using Value = Bfloat16;
    using Sum = float;

    /// Where the operating system refuses AMX, the set below it is used, and the description says why.
    class Context : public cpu::Resources {
    public:
        using Resources::Resources;
        /// With kernels of the caller's: for trying out what this machine cannot run.
        Context(int threads, const cpu::PairKernelTable& kernels)
            : Resources(threads, cpu::InstructionSet::portable), kernels_(&kernels) {}
        const cpu::PairKernelTable& kernels() const { return *kernels_; }
        Context beside(int jobs) const {
            Context one = *this;
            one.share_threads(jobs);
            return one;
        }
        std::string description() const {
            return cpu::name(kernels_->set) + (refusal_.empty() ? "" : ", AMX refused: " + refusal_);
        }

    private:
        std::string refusal_ = set() == cpu::InstructionSet::amx ? cpu::tile_refusal() : "";
        const cpu::PairKernelTable* kernels_ =
            &cpu::pair_kernels(refusal_.empty() ? set() : cpu::InstructionSet::avx512_bf16);
    };

    static std::string name() { return "cpu-bf16"; }
    /// f32 values are compact. Pixels of bf16 take 16 channels or a multiple of 32: a line of memory.
    static constexpr host::Layout layout(Shape s, bool edge) {
        constexpr int line = 2 * cpu::channel_block;
        const int padded = s.c <= cpu::channel_block ? cpu::channel_block : (s.c + line - 1) / line * line;
        return host::channels_last(s, edge ? s.c : padded);
    }
    template <class Tape, Shape Image>
    using Program = host::Program<Cpu, Tape, Image>;
};

}  // namespace SKEWGRAD_NAMESPACE
