// Handling of termination signals: the first requests a stop at a safe point, the second ends the process at once.
#pragma once
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// While an object lives, SIGINT (Ctrl-C), SIGTERM and SIGUSR1 (schedulers' warnings) are recorded instead of ending
/// the process. After the first signal, all have their default action again. A signal that the process ignores stays
/// ignored. Only one object at a time.
class StopSignals {
public:
    StopSignals() {
        last().store(0);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            struct sigaction note{};
            note.sa_handler = came_in;
            note.sa_flags = SA_RESTART;
            ::sigemptyset(&note.sa_mask);
            ::sigaction(numbers[i], nullptr, &before_[i]);
            if (before_[i].sa_handler != SIG_IGN) ::sigaction(numbers[i], &note, nullptr);
        }
    }
    ~StopSignals() {
        for (std::size_t i = 0; i < numbers.size(); ++i) ::sigaction(numbers[i], &before_[i], nullptr);
    }
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// The last signal that arrived in this process while an object lived; 0: none.
    static int number() noexcept { return last().load(); }

private:
    static constexpr std::array numbers = {SIGINT, SIGTERM, SIGUSR1};

    static std::atomic<int>& last() noexcept {
        static_assert(std::atomic<int>::is_always_lock_free);  // a signal handler requires lock-free atomics
        static std::atomic<int> number{0};
        return number;
    }
    static void came_in(int number) {
        last().store(number);
        for (const int each : numbers) ::signal(each, SIG_DFL);
    }
    std::array<struct sigaction, numbers.size()> before_{};
};

}  // namespace SKEWGRAD_NAMESPACE
