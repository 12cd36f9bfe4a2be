// The CPU policy: channels-last f32, SIMD kernels of the instruction set found at run time, threads over images.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <skewgrad/backend/cpu/kernels/table.hpp>
#include <skewgrad/backend/cpu/resources.hpp>
#include <skewgrad/backend/host/layout.hpp>
#include <skewgrad/backend/precision.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace host {
template <class B, class Tape, Shape Image>
struct Program;
}

namespace cpu {

/// How f32 convolutions are computed. fastest: by Winograd's method where it wins (relative error about 1e-6 an
/// operation); direct: product by product, where exactness matters more (about 3e-7).
enum class Convolutions : std::uint8_t { fastest, direct };

/// What the environment variable SKEWGRAD_CONVOLUTIONS (fastest or direct) asks for; the fastest where it is unset or
/// empty. Throws ValueError for another word.
inline Convolutions convolutions_from_environment() {
    const char* wish = std::getenv("SKEWGRAD_CONVOLUTIONS");
    if (wish == nullptr || *wish == '\0' || std::string_view(wish) == "fastest") return Convolutions::fastest;
    if (std::string_view(wish) == "direct") return Convolutions::direct;
    throw ValueError("environment variable SKEWGRAD_CONVOLUTIONS is '" + std::string(wish) +
                     "'; possible: fastest, direct");
}

}  // namespace cpu

/// The CPU policies, one a precision.
template <class Precision>
struct Cpu;

/// Cpu<f32>: the same bits for any number of threads and, in evaluation and attack, any batch composition, on one
/// instruction set and compiler. Images are stored compact, every other value with channels padded to 16.
template <>
struct Cpu<f32> {
    using Real = float;
    using Edge = float;
    using Value = float;
    using Sum = float;

    /// Resources, and how convolutions are computed: the fastest way unless told otherwise.
    class Context : public cpu::Resources {
    public:
        Context() = default;
        explicit Context(int threads) : Resources(threads) {}
        Context(int threads, cpu::InstructionSet set, cpu::Convolutions how = cpu::convolutions_from_environment())
            : Resources(threads, set), convolutions_(how) {}
        const cpu::KernelTable& kernels() const { return cpu::kernels(set()); }
        Context beside(int jobs) const {
            Context one = *this;
            one.share_threads(jobs);
            return one;
        }
        cpu::Convolutions convolutions() const { return convolutions_; }
        std::string description() const {
            return std::string(cpu::name(kernels().set)) +
                   (convolutions_ == cpu::Convolutions::direct ? ", direct convolutions" : "");
        }

    private:
        cpu::Convolutions convolutions_ = cpu::convolutions_from_environment();
    };

    static std::string name() { return "cpu-f32"; }
    static constexpr host::Layout layout(Shape s, bool image) {
        return host::channels_last(s, image ? s.c : cpu::blocks_of(s.c) * cpu::channel_block);
    }
    template <class Tape, Shape Image>
    using Program = host::Program<Cpu, Tape, Image>;
};

}  // namespace SKEWGRAD_NAMESPACE
