// Threads at the outer loop: the one place that starts them. With OpenMP or without, the same lanes and the same bits.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <thread>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// How many threads a default context uses: SKEWGRAD_THREADS, else OpenMP's setting, else the machine's cores.
inline int default_threads() {
    if (const char* wish = std::getenv("SKEWGRAD_THREADS")) {
        const int n = std::atoi(wish);
        if (n > 0) return n;
    }
#if defined(_OPENMP)
    return omp_get_max_threads();
#else
    return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
#endif
}

/// Half-open range of tasks that lane `lane` of `lanes` owns when `tasks` are dealt out evenly and in order.
struct Share {
    int begin, end;
};
constexpr Share share_of(int tasks, int lane, int lanes) {
    const auto cut = [&](int i) { return static_cast<int>(static_cast<long long>(tasks) * i / lanes); };
    return {cut(lane), cut(lane + 1)};
}

/// Calls body(lane, begin, end) once per lane, lanes running at the same time, and returns when all have ended.
/// `body` must not throw, and which lane does a task must not change its result.
template <class Body>
void parallel_ranges(int threads, int tasks, Body&& body) noexcept {
    const int lanes = std::max(1, std::min(threads, tasks));
    if (lanes == 1) {
        body(0, 0, tasks);
        return;
    }
#if defined(_OPENMP)
#pragma omp parallel num_threads(lanes)
    {
        // OpenMP may grant fewer threads than asked: each then takes several lanes.
        for (int lane = omp_get_thread_num(); lane < lanes; lane += omp_get_num_threads()) {
            const Share mine = share_of(tasks, lane, lanes);
            body(lane, mine.begin, mine.end);
        }
    }
#else
    std::vector<std::jthread> team;
    team.reserve(static_cast<std::size_t>(lanes - 1));
    for (int lane = 1; lane < lanes; ++lane)
        team.emplace_back([&body, lane, lanes, tasks] {
            const Share mine = share_of(tasks, lane, lanes);
            body(lane, mine.begin, mine.end);
        });
    const Share mine = share_of(tasks, 0, lanes);
    body(0, mine.begin, mine.end);
#endif
}

/// Calls body(task) for every task in [0, tasks), dealt out to `threads` lanes.
template <class Body>
void parallel_for(int threads, int tasks, Body&& body) noexcept {
    parallel_ranges(threads, tasks, [&body](int, int begin, int end) {
        for (int task = begin; task < end; ++task) body(task);
    });
}

}  // namespace SKEWGRAD_NAMESPACE
