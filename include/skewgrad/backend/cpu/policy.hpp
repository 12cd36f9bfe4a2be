// The CPU policy: channels-last f32, SIMD kernels of the instruction set found at run time, threads over images.
#pragma once
#include <string>
#include <utility>

#include <skewgrad/backend/cpu/kernels/table.hpp>
#include <skewgrad/backend/host/layout.hpp>
#include <skewgrad/backend/precision.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace host {
template <class B, class Tape, Shape Image>
struct Program;
}

/// The CPU policies, one a precision.
template <class Precision>
struct Cpu;

/// Cpu<f32>: the same bits for any number of threads and, in evaluation and attack, any batch composition, on one
/// instruction set and compiler. Images are stored compact, every other value with channels padded to 16.
template <>
struct Cpu<f32> {
    using Real = float;
    using Value = float;
    using Sum = float;

    /// A thread count and an instruction set. Default: SKEWGRAD_THREADS or all cores; SKEWGRAD_ISA or the best the
    /// machine has. Throws ValueError for an instruction set that this machine lacks.
    class Context {
    public:
        Context() : Context(default_threads()) {}
        explicit Context(int threads) : Context(threads, cpu::chosen_instruction_set()) {}
        Context(int threads, cpu::InstructionSet set) : threads_(threads), kernels_(&cpu::kernels(checked(set))) {
            if (threads < 1)
                throw ValueError("a CPU context needs at least one thread, not " + std::to_string(threads));
        }
        int threads() const { return threads_; }
        const cpu::KernelTable& kernels() const { return *kernels_; }
        std::string description() const { return cpu::name(kernels_->set); }
        void wait() {}

    private:
        static cpu::InstructionSet checked(cpu::InstructionSet set) {
            if (set > cpu::best_instruction_set())
                throw ValueError(std::string("this machine does not have the instruction set ") + cpu::name(set));
            return set;
        }
        int threads_;
        const cpu::KernelTable* kernels_;
    };

    static std::string name() { return "cpu-f32"; }
    static constexpr host::Layout layout(Shape s, bool image) {
        return host::channels_last(s, image ? s.c : cpu::blocks_of(s.c) * cpu::channel_block);
    }
    template <class Tape, Shape Image>
    using Program = host::Program<Cpu, Tape, Image>;
};

}  // namespace SKEWGRAD_NAMESPACE
