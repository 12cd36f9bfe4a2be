// Which instruction sets this processor and its operating system offer, and which one the CPU kernels shall use.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// Instruction sets that kernels are compiled for, each including the ones before it.
enum class InstructionSet : std::uint8_t {
    portable,  ///< the compiler's baseline for the target: SSE2 on x86-64, Advanced SIMD on aarch64
    avx2,      ///< AVX2 and FMA
    avx512,    ///< AVX-512 F, BW, VL, DQ
};
inline constexpr InstructionSet instruction_sets[] = {InstructionSet::portable, InstructionSet::avx2,
                                                      InstructionSet::avx512};

/// The name used in SKEWGRAD_ISA and in run records.
constexpr const char* name(InstructionSet set) noexcept {
    switch (set) {
        case InstructionSet::avx2:
            return "avx2";
        case InstructionSet::avx512:
            return "avx512";
        default:
            return "portable";
    }
}

/// The widest set that both the processor has and the operating system saves registers for.
inline InstructionSet best_instruction_set() noexcept {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return InstructionSet::portable;
    constexpr unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;
    if ((c & fma) == 0 || (c & osxsave) == 0 || (c & avx) == 0) return InstructionSet::portable;
    // XGETBV: the register states that the operating system switches between processes.
    unsigned saved = 0;
    __asm__ volatile("xgetbv" : "=a"(saved) : "c"(0u) : "edx");
    constexpr unsigned sse_and_ymm = 0x06, masks_and_zmm = 0xe0;
    if ((saved & sse_and_ymm) != sse_and_ymm) return InstructionSet::portable;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & (1u << 5)) == 0) return InstructionSet::portable;
    constexpr unsigned f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
    constexpr unsigned wanted = f | dq | bw | vl;
    if ((b & wanted) != wanted || (saved & masks_and_zmm) != masks_and_zmm) return InstructionSet::avx2;
    return InstructionSet::avx512;
#else
    return InstructionSet::portable;
#endif
}

/// The set that the environment variable SKEWGRAD_ISA (portable, avx2 or avx512) asks for; the best one where the
/// variable is unset or empty. Throws ValueError for an unknown name and for a set that this machine lacks.
inline InstructionSet instruction_set_from_environment() {
    const InstructionSet best = best_instruction_set();
    const char* wish = std::getenv("SKEWGRAD_ISA");
    if (wish == nullptr || *wish == '\0') return best;
    std::string possible;
    for (InstructionSet set : instruction_sets) {
        if (set > best) break;
        if (std::string_view(wish) == name(set)) return set;
        possible += (possible.empty() ? "" : ", ") + std::string(name(set));
    }
    throw ValueError("environment variable SKEWGRAD_ISA is '" + std::string(wish) +
                     "'; possible on this machine: " + possible);
}

/// The set that this process uses by default: instruction_set_from_environment(), asked once.
inline InstructionSet chosen_instruction_set() {
    static const InstructionSet chosen = instruction_set_from_environment();
    return chosen;
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
