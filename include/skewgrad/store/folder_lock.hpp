// One process at a time in a folder: an advisory lock that ends with the process, however that ends.
#pragma once
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/store/whole_file.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Holds the lock file at `path` for its lifetime. The file stays when the lock goes: it says nothing by being there.
class FolderLock {
public:
    /// Takes the lock. Throws FileError naming the process that has it, or with the system's reason.
    explicit FolderLock(const std::filesystem::path& path)
        : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
        if (!file_.is_open()) throw FileError(path.string(), "cannot open the lock: " + posix::words(errno));
        if (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK) throw FileError(path.string(), "cannot be locked: " + posix::words(errno));
            throw FileError(path.parent_path().parent_path().string(),
                            "another process works in this folder (" + holder(path) + ")");
        }
        char host[256] = "";
        ::gethostname(host, sizeof host - 1);
        const std::string me = "process " + std::to_string(::getpid()) + " on " + host;
        // What it says helps a reader only; the lock holds without it.
        if (::ftruncate(file_.number(), 0) == 0) (void)posix::write_all(file_.number(), std::as_bytes(std::span(me)));
    }

    /// Who holds the lock ("process 7 on host"), empty where nobody does. Changes nothing.
    static std::string holder_of(const std::filesystem::path& path) {
        const posix::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.is_open()) return {};
        // Closing the descriptor gives the shared lock back.
        if (::flock(file.number(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return {};
        return holder(path);
    }

private:
    static std::string holder(const std::filesystem::path& path) {
        const std::string text = read_whole_text(path);
        return text.empty() ? "an unknown process" : text;
    }
    posix::Descriptor file_;
};

}  // namespace SKEWGRAD_NAMESPACE
