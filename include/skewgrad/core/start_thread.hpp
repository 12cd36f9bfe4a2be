// Threads where the system makes no more of them: one that is not there instead of an exception, and how many there
// could be.
#pragma once
#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace SKEWGRAD_NAMESPACE {

/// Asked before each thread is made, where one is set: false is what a system says that makes no more. Tests set it.
inline bool (*may_start_thread)() = nullptr;

/// A thread that runs `work`, or one that is not joinable where the system makes no more.
template <class Work>
std::jthread start_thread(Work work) noexcept {
    if (may_start_thread != nullptr && !may_start_thread()) return {};
    try {
        return std::jthread(std::move(work));
    } catch (const std::exception&) {  // of the system, or of its memory
        return {};
    }
}

/// How many threads, at most `wanted`, could be made now beside those that there are. For those whose maker does not
/// tell: it makes them, and ends them again.
inline int startable_threads(int wanted) {
    std::vector<std::jthread> made;
    made.reserve(static_cast<std::size_t>(wanted));
    std::vector<std::atomic<long>> numbers(static_cast<std::size_t>(wanted));
    std::atomic<bool> go = false;
    for (auto& number : numbers) {
        made.push_back(start_thread([&go, &number] {
#if defined(__linux__)
            number = ::syscall(SYS_gettid);
#endif
            go.wait(false);
        }));
        if (made.back().joinable()) continue;
        made.pop_back();
        break;
    }
    go = true;
    go.notify_all();
    const int count = static_cast<int>(made.size());
    made.clear();
#if defined(__linux__)
    // The system counts a thread for a moment after it was joined. A number can be another thread's by then: no waiting
    // for ever.
    for (const auto& number : numbers)
        for (int patience = 1000;
             patience > 0 && number != 0 && ::syscall(SYS_tgkill, ::getpid(), number.load(), 0) == 0; --patience)
            std::this_thread::yield();
#endif
    return count;
}

}  // namespace SKEWGRAD_NAMESPACE
