// Whole-file writing under every fault that can be staged: full disk, size limit, no permission, folder in the way.
#define BOOST_TEST_MODULE store_whole_file
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <skewgrad/store/whole_file.hpp>
#include <string>
#include <thread>

#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// What a FileError of `action` says, or nothing where none was thrown.
std::string complaint(const std::function<void()>& action) {
    try {
        action();
    } catch (const FileError& error) {
        return error.what();
    }
    return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Runs `action` in a child process, whose limits and rights may change without harm, and returns its complaint.
std::string complaint_of_child(const std::function<void()>& prepare, const std::function<void()>& action) {
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends[0]);
        std::string said = "the child could not be prepared";
        try {
            prepare();
            said = complaint(action);
        } catch (...) {
        }
        (void)posix::write_all(ends[1], std::as_bytes(std::span(said)));
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char buffer[512];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
    return said;
}

boost::test_tools::assertion_result has_full_device(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result result(fs::exists("/dev/full"));
    result.message() << "this system has no /dev/full";
    return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
    const TemporaryFolder folder;
    std::string every_byte(100'000, '\0');
    for (std::size_t i = 0; i < every_byte.size(); ++i) every_byte[i] = static_cast<char>(i * 7 + i / 256);
    write_whole_file(folder / "a", every_byte);
    BOOST_TEST((read_whole_text(folder / "a") == every_byte));
    write_whole_file(folder / "a", std::string_view());
    BOOST_TEST(read_whole_text(folder / "a").empty());
    const std::string left = "left ", right = "right";
    const std::array<Piece, 3> pieces{std::as_bytes(std::span(left)), Piece(), std::as_bytes(std::span(right))};
    write_whole_file(folder / "a", pieces);
    BOOST_TEST(read_whole_text(folder / "a") == "left right");
    BOOST_TEST(read_whole_file(folder / "a").size() == 10u);
    BOOST_TEST(folder.names().size() == 1u);  // no temporary file stays behind
}

BOOST_AUTO_TEST_CASE(a_bare_name_goes_into_the_current_folder) {
    const TemporaryFolder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    write_whole_file("bare", "x");
    fs::current_path(before);
    BOOST_TEST(read_whole_text(folder / "bare") == "x");
}

BOOST_AUTO_TEST_CASE(a_file_without_a_known_size_is_read_to_its_end) {
    BOOST_TEST(contains(read_whole_text("/proc/self/status"), "Pid:"));  // says it has 0 bytes
}

BOOST_AUTO_TEST_CASE(a_missing_file_or_folder_is_named_with_the_systems_words) {
    const TemporaryFolder folder;
    const fs::path missing = folder / "no-such-folder";
    const std::string reading = complaint([&] { (void)read_whole_file(missing / "a"); });
    BOOST_TEST(contains(reading, (missing / "a").string()));
    BOOST_TEST(contains(reading, "No such file or directory"));
    const std::string writing = complaint([&] { write_whole_file(missing / "a", "x"); });
    BOOST_TEST(contains(writing, (missing / "a").string()));
    BOOST_TEST(contains(writing, "No such file or directory"));
    BOOST_TEST(contains(complaint([&] { (void)read_whole_file(folder.path()); }), "Is a directory"));
}

BOOST_AUTO_TEST_CASE(a_folder_in_the_way_stays_a_folder) {
    const TemporaryFolder folder;
    fs::create_directory(folder / "taken");
    BOOST_TEST(contains(complaint([&] { write_whole_file(folder / "taken", "x"); }), "this is a folder"));
    BOOST_TEST(contains(complaint([&] { write_whole_file(folder.path().string() + "/", "x"); }), "names no file"));
    BOOST_TEST(fs::is_directory(folder / "taken"));
    BOOST_TEST(folder.names().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_device_is_not_replaced) {
    const TemporaryFolder folder;
    fs::create_symlink("/dev/null", folder / "sink");
    BOOST_TEST(contains(complaint([&] { write_whole_file(folder / "sink", "x"); }), "no regular file"));
    BOOST_TEST(fs::is_symlink(folder / "sink"));
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_is_replaced_and_its_target_kept) {
    const TemporaryFolder folder;
    write_whole_file(folder / "target", "old");
    fs::create_symlink("target", folder / "link");
    write_whole_file(folder / "link", "new");
    BOOST_TEST(read_whole_text(folder / "target") == "old");
    BOOST_TEST(read_whole_text(folder / "link") == "new");
    BOOST_TEST(!fs::is_symlink(folder / "link"));
}

BOOST_AUTO_TEST_CASE(a_full_device_is_reported, *boost::unit_test::precondition(has_full_device)) {
    const posix::Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    BOOST_REQUIRE(full.is_open());
    const std::string text(10'000, 'x');
    BOOST_TEST(posix::write_all(full.number(), std::as_bytes(std::span(text))) == ENOSPC);
    BOOST_TEST(posix::words(ENOSPC) == "No space left on device");
}

BOOST_AUTO_TEST_CASE(a_write_that_fails_midway_leaves_the_old_file_and_no_trace) {
    const TemporaryFolder folder;
    write_whole_file(folder / "a", "the old content");
    const std::string big(1 << 20, 'x');
    const std::string said = complaint_of_child(
        [] {
            ::signal(SIGXFSZ, SIG_IGN);  // the write then fails like one on a full disk: part of it is done
            const rlimit limit{100'000, 100'000};
            if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit");
        },
        [&] { write_whole_file(folder / "a", big); });
    BOOST_TEST(contains(said, (folder / "a").string()));
    BOOST_TEST(contains(said, posix::words(EFBIG)));
    BOOST_TEST(read_whole_text(folder / "a") == "the old content");
    BOOST_TEST(folder.names().size() == 1u);
}

// Text as it comes: many times what waits at once, and nothing is left of a file whose text ends in a fault.
BOOST_AUTO_TEST_CASE(text_is_written_as_it_comes) {
    const TemporaryFolder folder;
    const auto path = folder / "long.csv";
    std::string expected;
    write_text_file(path, [&](TextSink& text) {
        for (int line = 0; line < 50'000; ++line) {
            const std::string row = std::to_string(line) + ",x\n";
            text << row;
            expected += row;
        }
    });
    BOOST_TEST((read_whole_text(path) == expected));
    write_text_file(path, [](TextSink&) {});
    BOOST_TEST(read_whole_text(path).empty());
    const auto fails = [](TextSink& text) {
        text << std::string(1 << 20, 'x');
        throw ValueError("no row");
    };
    BOOST_CHECK_THROW(write_text_file(path, fails), ValueError);
    BOOST_TEST(read_whole_text(path).empty());
    BOOST_TEST(remove_partial_files(folder.path()) == 0);
}

BOOST_AUTO_TEST_CASE(a_folder_closed_to_us_is_reported) {
    const TemporaryFolder folder;
    fs::create_directory(folder / "closed");
    write_whole_file(folder / "closed" / "a", "old");
    fs::permissions(folder.path(), fs::perms::all);
    fs::permissions(folder / "closed",
                    fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
    const std::string said = complaint_of_child(
        [] {  // root may write anywhere: become nobody
            if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0))
                throw std::runtime_error("setuid");
        },
        [&] { write_whole_file(folder / "closed" / "a", "new"); });
    fs::permissions(folder / "closed", fs::perms::owner_all);
    BOOST_TEST(contains(said, "cannot create a file"));
    BOOST_TEST(contains(said, "Permission denied"));
    BOOST_TEST(read_whole_text(folder / "closed" / "a") == "old");
}

BOOST_AUTO_TEST_CASE(who_reads_while_others_write_sees_one_whole_file) {
    const TemporaryFolder folder;
    const std::string first(200'000, 'a'), second(300'000, 'b');
    write_whole_file(folder / "shared", first);
    std::atomic<int> writing{2};
    const auto write_often = [&](const std::string& own) {
        for (int i = 0; i < 25; ++i) write_whole_file(folder / "shared", own);
        --writing;
    };
    std::thread one(write_often, first), two(write_often, second);
    int torn = 0, seen = 0;
    while (writing > 0) {
        const std::string now = read_whole_text(folder / "shared");
        torn += now != first && now != second;
        ++seen;
    }
    one.join();
    two.join();
    BOOST_TEST(torn == 0);
    BOOST_TEST(seen > 0);
    BOOST_TEST(folder.names().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_taken_is_passed_over) {
    const TemporaryFolder folder;
    for (std::uint64_t i = 0; i < 300; ++i)
        std::ofstream(folder / posix::temporary_name(posix::this_writer(), i)) << "torn";
    write_whole_file(folder / "a", "x");
    BOOST_TEST(read_whole_text(folder / "a") == "x");
    BOOST_TEST(folder.names().size() == 301u);
}

BOOST_AUTO_TEST_CASE(a_writer_is_known_by_the_name_of_its_file) {
    const posix::Writer me = posix::this_writer();
    BOOST_TEST(me.process == static_cast<std::uint64_t>(::getpid()));
    BOOST_TEST((posix::writer_of(posix::temporary_name(me, 7)) == me));
    BOOST_TEST(!posix::is_gone(me, me));
    for (const char* name :
         {".skewgrad-12-3.partial", ".skewgrad-a-b-0-1-2.partial", ".skewgrad-a-b-4294967295-1-2.partial",
          ".skewgrad-a-b--1-1-2.partial", ".skewgrad-a-b-1-1-2-3.partial", "a.partial", ".partial"})
        BOOST_TEST_CONTEXT(name) BOOST_TEST(!posix::writer_of(name).has_value());
    posix::Writer other = me;
    other.began = me.began + 1;  // an earlier process of this number
    BOOST_TEST(posix::is_gone(other, me));
    other = me;
    other.boot = "another";
    BOOST_TEST(posix::is_gone(other, me));
    other.machine = "another";  // of which nothing is known
    BOOST_TEST(!posix::is_gone(other, me));
}

BOOST_AUTO_TEST_CASE(a_process_clears_away_what_the_ended_have_left_and_nothing_else) {
    const TemporaryFolder folder;
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {  // stands still in the middle of a write
        posix::before_step = [](posix::Step step) {
            if (step == posix::Step::flush) ::raise(SIGSTOP);
            return 0;
        };
        write_whole_file(folder / "theirs", "x");
        ::_exit(0);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
    BOOST_REQUIRE(WIFSTOPPED(status));
    const posix::Writer me = posix::this_writer();
    const std::string foreign = posix::temporary_name({"feed", me.boot, 1'999'999'999, 1}, 1);
    const std::string before_boot = posix::temporary_name({me.machine, "feed", 1, 1}, 1);
    for (const std::string& name :
         {foreign, before_boot, std::string(".skewgrad-7-1.partial"), std::string("kept.partial")})
        std::ofstream(folder / name) << "torn";
    BOOST_TEST(folder.names().size() == 5u);
    BOOST_TEST(remove_partial_files(folder.path()) == 1);
    BOOST_TEST(!fs::exists(folder / before_boot));
    BOOST_TEST(folder.names().size() == 4u);
    ::kill(child, SIGCONT);
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(read_whole_text(folder / "theirs") == "x");  // nobody took it away

    const pid_t killed = ::fork();
    if (killed == 0) {
        posix::before_step = [](posix::Step step) {
            if (step == posix::Step::rename) ::raise(SIGKILL);
            return 0;
        };
        write_whole_file(folder / "lost", "x");
        ::_exit(0);
    }
    BOOST_REQUIRE(::waitpid(killed, &status, 0) == killed);
    BOOST_TEST(folder.names().size() == 5u);
    BOOST_TEST(remove_partial_files(folder.path()) == 1);
    BOOST_TEST(!fs::exists(folder / "lost"));
    BOOST_TEST(remove_partial_files(folder.path()) == 0);
    BOOST_CHECK_THROW(remove_partial_files(folder / "missing"), FileError);
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_written_is_no_error) {
    const TemporaryFolder folder;
    BOOST_TEST(try_write_whole_file(folder / "log", "x"));
    BOOST_TEST(!try_write_whole_file(folder / "missing" / "log", "x"));
}

BOOST_AUTO_TEST_CASE(the_umask_decides_who_may_read_a_new_file) {
    const TemporaryFolder folder;
    const mode_t before = ::umask(027);
    write_whole_file(folder / "a", "x");
    ::umask(before);
    BOOST_TEST((fs::status(folder / "a").permissions() ==
                (fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read)));
}
