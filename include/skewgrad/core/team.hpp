// A team of threads that runs lanes repeatedly. It sleeps between calls, and no call waits for a late thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/lanes.hpp>
#include <skewgrad/core/processors.hpp>
#include <skewgrad/core/start_thread.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Belongs to the thread that made it. That thread is a member, and only it calls the team.
///
/// A call opens its lanes. Each thread that arrives takes an open lane, its own before others'. So the lanes do not
/// depend on the number of threads, and nothing waits for a late thread: the others have then taken its lane.
class Team {
public:
    /// Members spin for this long before they sleep, since waking a thread takes about as long.
    static constexpr std::chrono::microseconds awake{50};

    /// Makes `threads` members, including the caller; fewer if the system makes no more threads.
    explicit Team(int threads)
        : wanted_(threads), wait_awake_(threads <= cpu::usable_processors()), open_(static_cast<std::size_t>(threads)) {
        members_.reserve(static_cast<std::size_t>(threads - 1));
        for (int member = 1; member < threads; ++member) {
            members_.push_back(start_thread([this, member] { serve(member); }));
            if (members_.back().joinable()) continue;
            members_.pop_back();
            break;
        }
    }
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;
    ~Team() {
        over_ = true;
        call_members();
    }

    int wanted() const { return wanted_; }
    int threads() const { return 1 + static_cast<int>(members_.size()); }

    /// Runs lanes 0 to `lanes` - 1, at most as many as threads were wanted, and returns when all have ended.
    void run(int lanes, int tasks, LaneWork work) noexcept {
        work_ = work;
        lanes_ = lanes;
        tasks_ = tasks;
        left_.store(lanes, std::memory_order_relaxed);
        for (int lane = 0; lane < lanes; ++lane)
            open_[static_cast<std::size_t>(lane)].store(true, std::memory_order_release);
        call_members();
        const LanesAlone alone;
        take_lanes(0);
        for (int left = left_; left != 0; left = left_) wait_while(left_, left);
    }

private:
    void call_members() noexcept {
        ++calls_;
        calls_.notify_all();
    }

    void serve(int member) noexcept {
        const LanesAlone alone;
        for (std::uint32_t seen = 0; !over_; seen = calls_) {
            take_lanes(member);
            wait_while(calls_, seen);
        }
    }

    // A thread that has taken a lane may read the call's data: the call does not return before the lane ends.
    void take_lanes(int first) noexcept {
        for (std::size_t i = 0; i < open_.size(); ++i) {
            const std::size_t lane = (static_cast<std::size_t>(first) + i) % open_.size();
            if (!open_[lane].load(std::memory_order_relaxed) || !open_[lane].exchange(false, std::memory_order_acquire))
                continue;
            work_(static_cast<int>(lane), share_of(tasks_, static_cast<int>(lane), lanes_));
            if (--left_ == 0) left_.notify_one();
        }
    }

    template <class T>
    void wait_while(const std::atomic<T>& changes, T seen) const noexcept {
        using Clock = std::chrono::steady_clock;
        for (const auto until = Clock::now() + awake; wait_awake_ && Clock::now() < until;)
            for (int i = 0; i < 32; ++i) {
                if (changes.load(std::memory_order_acquire) != seen) return;
#if defined(__x86_64__)
                __builtin_ia32_pause();
#endif
            }
        changes.wait(seen);
    }

    const int wanted_;
    const bool wait_awake_;  // false with fewer processors than threads: another thread could use the time
    LaneWork work_;
    int lanes_ = 0, tasks_ = 0;
    std::vector<std::atomic<bool>> open_;
    std::atomic<bool> over_ = false;
    alignas(64) std::atomic<std::uint32_t> calls_ = 0;
    alignas(64) std::atomic<int> left_ = 0;
    std::vector<std::jthread> members_;  // destroyed first
};

}  // namespace SKEWGRAD_NAMESPACE
