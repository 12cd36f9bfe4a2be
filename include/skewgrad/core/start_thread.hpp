// Thread creation without exceptions: it returns a non-joinable thread if the system makes no more. It also counts the
// threads that could be made.
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

/// A test hook, called before each thread is made if set; false simulates a system that makes no more threads.
inline bool (*may_start_thread)() = nullptr;

/// Starts a thread that runs `work`; it is not joinable if the system makes no more threads.
template <class Work>
std::jthread start_thread(Work work) noexcept {
    if (may_start_thread != nullptr && !may_start_thread()) return {};
    try {
        return std::jthread(std::move(work));
    } catch (const std::exception&) {  // from the system, or out of memory
        return {};
    }
}

/// The number of threads, at most `wanted`, that could be made now in addition to the existing ones. It makes them and
/// ends them again, for thread libraries that do not report a failure.
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
    // The system counts a thread for a moment after join. The wait is bounded, since another thread may have its number
    // by then.
    for (const auto& number : numbers)
        for (int patience = 1000;
             patience > 0 && number != 0 && ::syscall(SYS_tgkill, ::getpid(), number.load(), 0) == 0; --patience)
            std::this_thread::yield();
#endif
    return count;
}

}  // namespace SKEWGRAD_NAMESPACE
