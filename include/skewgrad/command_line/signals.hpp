// Handling of termination signals: the first requests a stop at a safe point, the second ends the process at once.
#pragma once
#include <atomic>
#include <csignal>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// While an object lives, SIGINT (Ctrl-C) and SIGTERM are recorded instead of ending the process. After the first
/// signal, both signals have their default action again. A signal that the process ignores stays ignored. Only one
/// object at a time.
class StopSignals {
public:
    StopSignals() {
        last().store(0);
        for (int i = 0; i < 2; ++i) {
            struct sigaction note{};
            note.sa_handler = came_in;
            note.sa_flags = SA_RESTART;
            ::sigemptyset(&note.sa_mask);
            ::sigaction(numbers[i], nullptr, &before_[i]);
            if (before_[i].sa_handler != SIG_IGN) ::sigaction(numbers[i], &note, nullptr);
        }
    }
    ~StopSignals() {
        for (int i = 0; i < 2; ++i) ::sigaction(numbers[i], &before_[i], nullptr);
    }
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// The last signal that arrived in this process while an object lived; 0: none.
    static int number() noexcept { return last().load(); }

private:
    static constexpr int numbers[2] = {SIGINT, SIGTERM};

    static std::atomic<int>& last() noexcept {
        static_assert(std::atomic<int>::is_always_lock_free);  // a signal handler requires lock-free atomics
        static std::atomic<int> number{0};
        return number;
    }
    static void came_in(int number) {
        last().store(number);
        for (const int each : numbers) ::signal(each, SIG_DFL);
    }
    struct sigaction before_[2]{};
};

}  // namespace SKEWGRAD_NAMESPACE
