// Reading files: regular ones only, never under the number of a standard stream, with errors of ours alone.
#define BOOST_TEST_MODULE core_file
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <functional>
#include <skewgrad/core/file.hpp>
#include <string>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
namespace fs = std::filesystem;

namespace {

/// The exit status of a process of its own in which `action` runs.
int in_a_child(const std::function<int()>& action) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        int status = 99;
        try {
            status = action();
        } catch (...) {
        }
        ::_exit(status);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_named_pipe_is_refused_and_not_waited_for) {
    const TemporaryFolder folder;
    BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    const int status = in_a_child([&] {
        ::alarm(20);  // ends the process, should it wait
        try {
            (void)read_whole_text(folder / "pipe");
        } catch (const FileError& error) {
            return std::string(error.what()).find("no regular file") == std::string::npos ? 2 : 0;
        }
        return 1;
    });
    BOOST_TEST(status == 0);
    BOOST_TEST((kind_of(folder / "pipe") == FileKind::other));
}

BOOST_AUTO_TEST_CASE(a_file_is_never_opened_as_a_standard_stream) {
    const TemporaryFolder folder;
    write_text(folder / "a", "x");
    const int status = in_a_child([&] {
        for (int stream = 0; stream <= 2; ++stream) ::close(stream);
        const posix::Descriptor one = posix::open(folder / "a", O_RDONLY), two = posix::open(folder / "a", O_RDONLY);
        if (one.number() <= 2 || two.number() <= 2 || one.number() == two.number()) return 1;
        for (int stream = 0; stream <= 2; ++stream)
            if (::fcntl(stream, F_GETFD) != -1) return 2;  // the number taken first was given back
        return (::fcntl(one.number(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 3;
    });
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(what_stands_at_a_path_is_told_or_an_error_of_ours) {
    const TemporaryFolder folder;
    write_text(folder / "a", "x");
    BOOST_TEST((kind_of(folder / "a") == FileKind::file));
    BOOST_TEST(is_folder(folder.path()));
    BOOST_TEST(!is_there(folder / "missing"));
    BOOST_TEST(!is_there(folder / "a" / "below a file"));
    fs::create_symlink("round", folder / "round");
    BOOST_CHECK_EXCEPTION(is_there(folder / "round"), FileError, says({"round", "symbolic links"}));
    BOOST_CHECK_EXCEPTION(is_there(folder / std::string(5000, 'x')), FileError, says({"File name too long"}));
    BOOST_TEST((entries_of(folder.path()) == std::vector<fs::path>{folder / "a", folder / "round"}));
    BOOST_CHECK_EXCEPTION(entries_of(folder / "missing"), FileError, says({"missing", "No such file"}));
    BOOST_CHECK_EXCEPTION(entries_of(folder / "a"), FileError, says({"Not a directory"}));
}

BOOST_AUTO_TEST_CASE(a_file_longer_than_memory_is_an_error_that_says_so) {
    const TemporaryFolder folder;
    write_text(folder / "sparse", "");
    if (::truncate((folder / "sparse").c_str(), 0x7fff'ffff'ffff'0000) != 0) return;  // no such files here
    BOOST_CHECK_EXCEPTION(read_whole_text(folder / "sparse"), FileError, says({"sparse", "more than memory holds"}));
}
