// The lock of a folder: held by one, and harmless to whatever else stands under its name.
#define BOOST_TEST_MODULE store_folder_lock
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <skewgrad/store/folder_lock.hpp>
#include <string>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_CASE(one_holds_it_and_says_who) {
    const TemporaryFolder folder;
    BOOST_TEST(FolderLock::holder_of(folder / "lock") == "");
    {
        const FolderLock held(folder.path(), folder / "lock");
        BOOST_TEST(FolderLock::holder_of(folder / "lock").starts_with("process " + std::to_string(::getpid())));
        BOOST_CHECK_EXCEPTION(FolderLock(folder.path(), folder / "lock"), FileError, says({"another process works"}));
    }
    BOOST_TEST(FolderLock::holder_of(folder / "lock") == "");
    const FolderLock again(folder.path(), folder / "lock");
}

BOOST_AUTO_TEST_CASE(what_a_link_leads_to_is_left_alone) {
    const TemporaryFolder folder;
    write_text(folder / "letter", "dear");
    fs::create_symlink("letter", folder / "soft");
    fs::create_hard_link(folder / "letter", folder / "hard");
    for (const char* name : {"soft", "hard"}) {
        BOOST_CHECK_EXCEPTION(FolderLock(folder.path(), folder / name), FileError, says({name}));
        BOOST_TEST(read_whole_text(folder / "letter") == "dear");
    }
    fs::create_symlink("missing", folder / "dangling");
    BOOST_CHECK_THROW(FolderLock(folder.path(), folder / "dangling"), FileError);
    BOOST_TEST(!is_there(folder / "missing"));
    BOOST_TEST(FolderLock::holder_of(folder / "soft") == "");
}

BOOST_AUTO_TEST_CASE(a_pipe_or_a_folder_under_its_name_is_refused) {
    const TemporaryFolder folder;
    BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    fs::create_directory(folder / "taken");
    ::alarm(60);
    for (const char* name : {"pipe", "taken"}) {
        BOOST_CHECK_EXCEPTION(FolderLock(folder.path(), folder / name), FileError, says({name}));
        BOOST_TEST(FolderLock::holder_of(folder / name) == "");
    }
    ::alarm(0);
}

BOOST_AUTO_TEST_CASE(the_holders_words_are_shown_as_text_of_bounded_length) {
    const TemporaryFolder folder;
    const FolderLock held(folder.path(), folder / "lock");
    write_text(folder / "lock", "\x1b[2J" + std::string(100'000, 'x'));
    const std::string holder = FolderLock::holder_of(folder / "lock");
    BOOST_TEST(holder.starts_with("\\x1b[2Jxxx"));
    BOOST_TEST(holder.size() < 400u);
}
