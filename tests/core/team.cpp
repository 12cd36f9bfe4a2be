// Teams of threads: kept between calls, one a thread that calls, whole again after fork(), fewer where no more are
// made.
#define BOOST_TEST_MODULE core_team
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <skewgrad/core/jobs.hpp>
#include <skewgrad/core/parallel.hpp>

using namespace skewgrad;

namespace {

// It ends a child of fork() that makes threads.
#if defined(__SANITIZE_THREAD__)
constexpr bool under_thread_sanitizer = true;
#else
constexpr bool under_thread_sanitizer = false;
#endif

/// Runs `lanes` lanes that wait for each other a while, so that as many threads as there are come to one, and returns
/// these; false in `all` where a lane was not run once.
std::set<long> threads_of(int lanes, bool& all) {
    std::vector<std::atomic<int>> done(static_cast<std::size_t>(lanes));
    std::atomic<int> here = 0;
    std::mutex guard;
    std::set<long> threads;
    parallel_ranges(lanes, lanes, [&](int lane, int begin, int end) {
        for (int task = begin; task < end; ++task) ++done[static_cast<std::size_t>(lane)];
        {
            const std::scoped_lock lock(guard);
            threads.insert(::syscall(SYS_gettid));
        }
        ++here;
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
        while (here < lanes && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    });
    all = std::ranges::all_of(done, [](const auto& times) { return times == 1; });
    return threads;
}
std::set<long> threads_of(int lanes) {
    bool all = false;
    const auto threads = threads_of(lanes, all);
    BOOST_TEST(all);
    return threads;
}

/// The exit status of a child that ends with what `work` returns; 99 where it hangs.
template <class Work>
int in_child(const Work& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGALRM, [](int) { ::_exit(99); });
        ::alarm(20);
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

/// On a thread of its own, which has no team yet.
template <class Work>
void elsewhere(const Work& work) {
    std::jthread(work).join();
}

/// The system, as far as this program sees, makes `many` more threads.
std::atomic<int> more_threads = 0;
class OnlySoMany {
public:
    explicit OnlySoMany(int many) {
        more_threads = many;
        may_start_thread = [] { return more_threads-- > 0; };
    }
    OnlySoMany(const OnlySoMany&) = delete;
    OnlySoMany& operator=(const OnlySoMany&) = delete;
    ~OnlySoMany() { may_start_thread = nullptr; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(threads_are_kept_between_calls) {
    elsewhere([] {
        const auto first = threads_of(3);
        BOOST_TEST(first.size() == 3u);
        for (int call = 0; call < 5; ++call) {
            BOOST_TEST((threads_of(3) == first));
            parallel_for(3, 2, [](int) {});  // which one of them has nothing to do in
        }
    });
}

BOOST_AUTO_TEST_CASE(another_number_of_threads_is_another_team) {
    elsewhere([] {
        for (const int threads : {2, 5, 3, 16, 2, 64, 2})
            BOOST_TEST(static_cast<int>(threads_of(threads).size()) == threads);
    });
}

BOOST_AUTO_TEST_CASE(many_short_calls_do_every_task_once) {
    for (const int threads : {2, 3, 7}) {
        std::vector<int> done(64);
        for (int call = 0; call < 1500; ++call) {
            const int tasks = call % 64 + 1;
            parallel_for(threads, tasks, [&](int task) { ++done[static_cast<std::size_t>(task)]; });
        }
        std::vector<int> expected(64);
        for (int call = 0; call < 1500; ++call)
            for (int task = 0; task <= call % 64; ++task) ++expected[static_cast<std::size_t>(task)];
        BOOST_TEST(done == expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(members_sleep_and_are_woken) {
    for (int call = 0; call < 20; ++call) {
        std::atomic<int> done = 0;
        parallel_for(3, 9, [&](int) { ++done; });
        BOOST_TEST(done == 9);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

BOOST_AUTO_TEST_CASE(each_job_has_a_team_of_its_own) {
    std::array<std::atomic<int>, 4> done{};
    Jobs().run(4, 200, [&](std::size_t job, std::size_t) {
        parallel_for(2 + static_cast<int>(job) % 2, 10, [&](int) { ++done[job]; });
    });
    BOOST_TEST(done[0] + done[1] + done[2] + done[3] == 2000);
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_does_not_wait_for_its_parents_threads,
                     *boost::unit_test::enable_if<!under_thread_sanitizer>()) {
    elsewhere([] {
        BOOST_TEST(threads_of(3).size() == 3u);
        const auto works = [] {
            bool all = false;
            for (const int lanes : {3, 2, 5}) {
                threads_of(lanes, all);
                if (!all) return 1;
            }
            return 0;
        };
        BOOST_TEST(in_child(works) == 0);
        BOOST_TEST(in_child([&] { return in_child(works); }) == 0);
        BOOST_TEST(threads_of(3).size() == 3u);  // the parent's is as before
    });
}

BOOST_AUTO_TEST_CASE(fewer_threads_run_the_same_lanes_where_no_more_are_made) {
    for (const int many : {0, 1, 2, 6})
        elsewhere([many] {
            const OnlySoMany system(many);
            BOOST_TEST(static_cast<int>(threads_of(7).size()) == many + 1);
            BOOST_TEST(static_cast<int>(threads_of(7).size()) == many + 1);
        });
}

BOOST_AUTO_TEST_CASE(fewer_jobs_work_where_no_more_threads_are_made) {
    for (const int many : {0, 1, 2, 6}) {
        const OnlySoMany system(many);
        std::vector<std::atomic<int>> done(50);
        std::mutex guard;
        std::set<std::size_t> jobs;
        Jobs().run(5, 50, [&](std::size_t job, std::size_t task) {
            ++done[task];
            const std::scoped_lock lock(guard);
            jobs.insert(job);
        });
        BOOST_TEST(std::ranges::all_of(done, [](const auto& times) { return times == 1; }));
        BOOST_TEST(static_cast<int>(jobs.size()) <= many + 1);
    }
}

// The limit of the system itself, where a user may have one process more than none: no thread can be made.
BOOST_AUTO_TEST_CASE(no_thread_at_all_ends_no_process, *boost::unit_test::enable_if<!under_thread_sanitizer>()) {
    elsewhere([] {
        const int status = in_child([] {
            constexpr uid_t nobody_else = 54'321;  // root may make as many as it wants
            if (::getuid() == 0 && ::setuid(nobody_else) != 0) return 77;
            const rlimit none{1, 1};
            if (::setrlimit(RLIMIT_NPROC, &none) != 0) return 77;
            try {
                std::jthread([] {}).join();
                return 77;  // no limit
            } catch (const std::exception&) {
            }
            bool all = false;
            if (threads_of(4, all).size() != 1 || !all) return 1;
            std::atomic<int> done = 0;
            Jobs().run(3, 9, [&](std::size_t, std::size_t) { ++done; });
            return done == 9 ? 0 : 2;
        });
        BOOST_WARN_MESSAGE(status != 77, "this system limits no user's threads");
        BOOST_TEST((status == 0 || status == 77));
    });
}

BOOST_AUTO_TEST_CASE(startable_threads_counts_what_can_be_made) {
    BOOST_TEST(startable_threads(0) == 0);
    BOOST_TEST(startable_threads(5) == 5);
    const OnlySoMany system(3);
    BOOST_TEST(startable_threads(5) == 3);
}

namespace {

/// Calls when the main thread's team is no more.
struct AtTheEnd {
    ~AtTheEnd() {
        std::atomic<int> done = 0;
        parallel_for(3, 9, [&](int) { ++done; });
        if (done != 9) std::_Exit(3);
    }
} at_the_end;

}  // namespace

BOOST_AUTO_TEST_CASE(an_end_of_static_life_may_call) {
    parallel_for(3, 9, [](int) {});
}
