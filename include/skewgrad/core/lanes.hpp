// Lanes: equal shares of a range of tasks, in order, and one lane's work as a type-erased function.
#pragma once
#include <utility>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Half-open range of tasks that lane `lane` of `lanes` owns when `tasks` are split evenly and in order.
struct Share {
    int begin, end;
};
constexpr Share share_of(int tasks, int lane, int lanes) {
    const auto cut = [&](int i) { return static_cast<int>(static_cast<long long>(tasks) * i / lanes); };
    return {cut(lane), cut(lane + 1)};
}

/// One lane's work, type-erased to a plain function, so that the code that starts threads is compiled once.
struct LaneWork {
    void (*call)(const void* body, int lane, int begin, int end) = nullptr;
    const void* body = nullptr;
    void operator()(int lane, Share mine) const { call(body, lane, mine.begin, mine.end); }
};

/// Whether this thread runs all lanes of a call by itself. It does so within a lane, since no thread is idle then.
inline constinit thread_local bool runs_lanes_alone = false;

/// Sets it to true for the object's lifetime.
class LanesAlone {
public:
    LanesAlone() noexcept : before_(std::exchange(runs_lanes_alone, true)) {}
    LanesAlone(const LanesAlone&) = delete;
    LanesAlone& operator=(const LanesAlone&) = delete;
    ~LanesAlone() { runs_lanes_alone = before_; }

private:
    bool before_;
};

}  // namespace SKEWGRAD_NAMESPACE
