// A team of threads that runs lanes again and again: it sleeps between calls, and one that is late is not waited for.
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

/// Belongs to the thread that made it, which is one of its members and the only one to call it.
///
/// A call opens its lanes; whoever comes takes an open one, its own before others'. So lanes are the same however many
/// threads there are, and however late one comes: the others have then taken its lane.
class Team {
public:
    /// Members wait awake for this long, since to wake one takes about as long; then they sleep.
    static constexpr std::chrono::microseconds awake{50};

    /// `threads`, the caller counted; fewer where the system makes no more.
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

    /// Runs lanes 0 to `lanes` - 1, no more than threads were wanted, and returns when all have ended.
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

    // Who has taken a lane may read what its call left for it: the call does not return before.
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
    const bool wait_awake_;  // not where processors are fewer than threads: another one could use its time
    LaneWork work_;
    int lanes_ = 0, tasks_ = 0;
    std::vector<std::atomic<bool>> open_;
    std::atomic<bool> over_ = false;
    alignas(64) std::atomic<std::uint32_t> calls_ = 0;
    alignas(64) std::atomic<int> left_ = 0;
    std::vector<std::jthread> members_;  // ends first
};

}  // namespace SKEWGRAD_NAMESPACE
