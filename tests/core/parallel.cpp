// Lanes: every task once, in order within its lane, all lanes of one call, however many threads there are.
#define BOOST_TEST_MODULE core_parallel
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <limits>
#include <vector>

#include <skewgrad/core/parallel.hpp>

using namespace skewgrad;

BOOST_AUTO_TEST_CASE(shares_cover_all_tasks_in_order_and_evenly) {
    for (const int tasks : {0, 1, 2, 7, 64, 1000, std::numeric_limits<int>::max()})
        for (const int lanes : {1, 2, 3, 8, 61}) {
            int end = 0;
            for (int lane = 0; lane < lanes; ++lane) {
                const Share share = share_of(tasks, lane, lanes);
                BOOST_TEST(share.begin == end);
                const int size = share.end - share.begin;
                BOOST_TEST((size == tasks / lanes || size == tasks / lanes + 1));
                end = share.end;
            }
            BOOST_TEST(end == tasks);
        }
}

BOOST_AUTO_TEST_CASE(every_task_is_done_once) {
    for (const int threads : {1, 2, 3, 16})
        for (const int tasks : {0, 1, 2, 5, 100}) {
            std::vector<std::atomic<int>> done(100);
            parallel_for(threads, tasks, [&](int task) { ++done[static_cast<std::size_t>(task)]; });
            for (int task = 0; task < 100; ++task)
                BOOST_TEST(done[static_cast<std::size_t>(task)] == (task < tasks ? 1 : 0),
                           threads << " threads, task " << task << " of " << tasks);
        }
}

// Buffers that lanes own are sized by the number of lanes: it must not depend on how many threads are granted.
BOOST_AUTO_TEST_CASE(lanes_are_as_many_as_threads_asked_for_and_no_more_than_tasks) {
    for (const auto& [threads, tasks, lanes] : {std::array{4, 9, 4}, {9, 4, 4}, {1, 9, 1}, {64, 65, 64}}) {
        std::vector<std::atomic<int>> calls(100);
        std::vector<Share> ranges(100, {-1, -1});
        parallel_ranges(threads, tasks, [&](int lane, int begin, int end) {
            ++calls[static_cast<std::size_t>(lane)];
            ranges[static_cast<std::size_t>(lane)] = {begin, end};
        });
        for (int lane = 0; lane < 100; ++lane) {
            const auto l = static_cast<std::size_t>(lane);
            BOOST_TEST(calls[l] == (lane < lanes ? 1 : 0));
            if (lane >= lanes) continue;
            const Share share = share_of(tasks, lane, lanes);
            BOOST_TEST(ranges[l].begin == share.begin);
            BOOST_TEST(ranges[l].end == share.end);
        }
    }
}

BOOST_AUTO_TEST_CASE(lanes_within_lanes) {
    std::vector<std::atomic<int>> done(12);
    parallel_for(3, 3, [&](int outer) {
        parallel_for(4, 4, [&](int inner) { ++done[static_cast<std::size_t>(4 * outer + inner)]; });
    });
    for (const auto& count : done) BOOST_TEST(count == 1);
}
