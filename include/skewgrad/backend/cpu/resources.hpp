// What of the machine a CPU context uses: a number of threads, and an instruction set that is there.
#pragma once
#include <algorithm>
#include <string>

#include <skewgrad/core/cpu_features.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// Default: SKEWGRAD_THREADS or all cores; SKEWGRAD_ISA or the best the machine has. Throws ValueError for an
/// instruction set that this machine lacks.
class Resources {
public:
    Resources() : Resources(default_threads()) {}
    explicit Resources(int threads) : Resources(threads, chosen_instruction_set()) {}
    Resources(int threads, InstructionSet set) : threads_(threads), set_(set) {
        if (threads < 1) throw ValueError("a CPU context needs at least one thread, not " + std::to_string(threads));
        if (set > best_instruction_set())
            throw ValueError(std::string("this machine does not have the instruction set ") + name(set));
    }
    int threads() const { return threads_; }
    InstructionSet set() const { return set_; }
    void wait() {}

protected:
    /// A context like `one`, with its share of the threads where `jobs` work at the same time: at least one.
    template <class Context>
    static Context sharing(Context one, int jobs) {
        one.threads_ = std::max(1, one.threads_ / jobs);
        return one;
    }

private:
    int threads_;
    InstructionSet set_;
};

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
