// The order in which a process's jobs do parts: what is ready, what waits, what others do, what is lost.
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <skewgrad/study/parts.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Where a part stands. done: its files are there. lost: it cannot be done, because a training failed. here: a job of
/// this process does it. elsewhere: another process seems to do it.
enum class PartState { waiting, here, elsewhere, done, lost };

/// Gives parts to jobs: of those that are ready, one of the first stage, the most expensive one, so that the last parts
/// are short. A part is ready once all that it needs are done or lost, unless it is lost then itself. Thread-safe.
class PartQueue {
public:
    using IsLost = std::function<bool(std::size_t part)>;

    /// `wanted`: the parts to give out; the states of all parts, wanted or not, decide what is ready. `is_lost`:
    /// whether failed trainings made a part impossible, asked again whenever a part is lost. The span must outlive the
    /// queue.
    PartQueue(std::span<const Part> parts, std::vector<PartState> states, const std::vector<std::size_t>& wanted,
              IsLost is_lost)
        : parts_(parts),
          states_(std::move(states)),
          wanted_(parts.size()),
          again_(parts.size()),
          is_lost_(std::move(is_lost)) {
        for (const std::size_t p : wanted) wanted_[p] = true;
        lose();
    }

    PartState state(std::size_t p) const {
        const std::scoped_lock lock(guard_);
        return states_[p];
    }
    /// The number of wanted parts that can be begun now.
    std::size_t ready() const {
        const std::scoped_lock lock(guard_);
        std::size_t count = 0;
        for (std::size_t p = 0; p < parts_.size(); ++p) count += is_ready(p, PartState::waiting);
        return count;
    }

    /// The next part for a job, now `here`; waits while others may make one ready. None if no part is left, or after
    /// `close`. A part that was `elsewhere` is given out again after a while. Calls `meanwhile()` several times a
    /// second while it waits.
    template <class Meanwhile>
    std::optional<std::size_t> next(Meanwhile meanwhile) {
        std::unique_lock lock(guard_);
        while (!closed_) {
            const auto now = Clock::now();
            bool is_left = false;
            std::optional<std::size_t> found;
            for (std::size_t p = 0; p < parts_.size(); ++p) {
                is_left = is_left || (wanted_[p] && states_[p] < PartState::done);
                if (is_ready(p, PartState::waiting) && (!found || comes_before(p, *found))) found = p;
            }
            for (std::size_t p = 0; p < parts_.size() && !found; ++p)
                if (is_ready(p, PartState::elsewhere) && again_[p] <= now) found = p;
            if (found) {
                states_[*found] = PartState::here;
                return found;
            }
            if (!is_left) return std::nullopt;
            changed_.wait_for(lock, moment);
            lock.unlock();
            meanwhile();
            lock.lock();
        }
        return std::nullopt;
    }
    /// What came of a part that was given out.
    void set(std::size_t p, PartState state) {
        const std::scoped_lock lock(guard_);
        states_[p] = state;
        if (state == PartState::elsewhere) again_[p] = Clock::now() + until_looked_at_again;
        if (state == PartState::lost) lose();
        changed_.notify_all();
    }
    /// No part is given out any more.
    void close() {
        const std::scoped_lock lock(guard_);
        closed_ = true;
        changed_.notify_all();
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds moment{200}, until_looked_at_again{1000};

    bool is_ready(std::size_t p, PartState state) const {
        return wanted_[p] && states_[p] == state &&
               std::ranges::all_of(parts_[p].needs, [&](std::size_t n) { return states_[n] >= PartState::done; });
    }
    bool comes_before(std::size_t p, std::size_t other) const {
        const Part &a = parts_[p], &b = parts_[other];
        return a.stage < b.stage || (a.stage == b.stage && a.cost > b.cost);
    }
    void lose() {
        for (std::size_t p = 0; p < parts_.size(); ++p)
            if (states_[p] == PartState::waiting && is_lost_(p)) states_[p] = PartState::lost;
    }

    std::span<const Part> parts_;
    std::vector<PartState> states_;
    std::vector<bool> wanted_;
    std::vector<Clock::time_point> again_;
    IsLost is_lost_;
    bool closed_ = false;
    mutable std::mutex guard_;
    std::condition_variable changed_;
};

}  // namespace SKEWGRAD_NAMESPACE::study
