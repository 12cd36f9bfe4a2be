// Claims: one owner at a time, given up at the end, taken over from owners that are gone or silent.
#define BOOST_TEST_MODULE store_claim_file
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <skewgrad/store/claim_file.hpp>
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// As if the last sign of life had been so long ago.
void make_older(const fs::path& file, int seconds) {
    struct stat now{};
    BOOST_REQUIRE(::stat(file.c_str(), &now) == 0);
    timespec times[2]{{.tv_sec = now.st_atim.tv_sec, .tv_nsec = 0},
                      {.tv_sec = now.st_mtim.tv_sec - seconds, .tv_nsec = 0}};
    BOOST_REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}
/// Makes a claim one of a process on another machine.
void give_to_another_machine(const fs::path& claim) {
    nlohmann::json owner = nlohmann::json::parse(read_whole_text(claim));
    owner["machine"] = "another";
    std::ofstream(claim) << owner.dump();  // in place: it stays the same file
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_owner_at_a_time) {
    const TemporaryFolder folder;
    {
        const auto mine = ClaimFile::take(folder / "part");
        BOOST_TEST(mine.has_value());
        BOOST_TEST(fs::exists(folder / "part"));
        BOOST_TEST(!ClaimFile::take(folder / "part"));
        BOOST_TEST(ClaimFile::take(folder / "other").has_value());
        BOOST_TEST(folder.names().size() == 1u);  // no temporary file, and the other one is given up
    }
    BOOST_TEST(folder.names().empty());
    BOOST_TEST(ClaimFile::take(folder / "part").has_value());
}

BOOST_AUTO_TEST_CASE(of_a_process_that_has_ended_it_is_taken_over_at_once) {
    const TemporaryFolder folder;
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        const auto claim = ClaimFile::take(folder / "part");
        ::_exit(claim ? 0 : 1);  // without giving it up
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
    BOOST_TEST(fs::exists(folder / "part"));
    BOOST_TEST(!ClaimFile::is_held(folder / "part"));
    BOOST_TEST(ClaimFile::take(folder / "part").has_value());
}

BOOST_AUTO_TEST_CASE(of_another_machine_it_is_taken_over_after_long_silence_by_the_clock_of_the_files) {
    const TemporaryFolder folder;
    const auto theirs = ClaimFile::take(folder / "part");
    give_to_another_machine(folder / "part");
    BOOST_TEST(!ClaimFile::take(folder / "part"));
    make_older(folder / "part", static_cast<int>(ClaimFile::patience) - 60);
    BOOST_TEST(!ClaimFile::take(folder / "part"));
    make_older(folder / "part", 120);
    BOOST_TEST(ClaimFile::take(folder / "part").has_value());
}

BOOST_AUTO_TEST_CASE(who_was_taken_over_does_not_give_up_the_others_claim) {
    const TemporaryFolder folder;
    {
        const auto mine = ClaimFile::take(folder / "part");
        give_to_another_machine(folder / "part");
    }
    BOOST_TEST(fs::exists(folder / "part"));
}

BOOST_AUTO_TEST_CASE(a_copy_of_a_claim_is_nobodys) {
    const TemporaryFolder folder;
    const auto mine = ClaimFile::take(folder / "part");
    give_to_another_machine(folder / "part");
    fs::copy_file(folder / "part", folder / "copy");
    BOOST_TEST(ClaimFile::is_held(folder / "part"));
    BOOST_TEST(!ClaimFile::is_held(folder / "copy"));
}

BOOST_AUTO_TEST_CASE(a_sign_of_life_is_seen) {
    const TemporaryFolder folder;
    auto mine = ClaimFile::take(folder / "part");
    make_older(folder / "part", 2 * static_cast<int>(ClaimFile::patience));
    BOOST_TEST(!ClaimFile::is_held(folder / "part"));
    mine->renew(std::chrono::seconds(0));
    BOOST_TEST(ClaimFile::is_held(folder / "part"));
}

BOOST_AUTO_TEST_CASE(where_no_claim_can_be_written_everybody_has_it) {
    const TemporaryFolder folder;
    BOOST_TEST(ClaimFile::take(folder / "missing" / "part").has_value());
    BOOST_TEST(ClaimFile::take(folder / "missing" / "part").has_value());
    write_whole_file(folder / "part", "no owner");  // somebody's file, or another program's
    BOOST_TEST(!ClaimFile::take(folder / "part"));
    make_older(folder / "part", 2 * static_cast<int>(ClaimFile::patience));
    BOOST_TEST(ClaimFile::take(folder / "part").has_value());
}
