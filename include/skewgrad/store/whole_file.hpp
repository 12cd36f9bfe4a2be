// The one seam through which files are written and read whole: nothing half-written is ever seen under its name.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A run of bytes that goes into a file; a file is written from any number of them, one after the other.
using Piece = std::span<const std::byte>;

namespace posix {

/// What the system says about an errno value ("No space left on device").
inline std::string words(int error) { return std::generic_category().message(error); }

/// What a whole-file write is about to do: between any two of these the process may end, and each leaves another state
/// on disk.
enum class Step { create, write, flush, rename, flush_folder, remove };

/// Told of each step before it is taken, where one is set. Tests end the process in it, or let the step fail by
/// returning an errno other than 0.
inline int (*before_step)(Step) = nullptr;

/// 0, or the errno that a test wants this step to fail with.
inline int fault(Step step) { return before_step != nullptr ? before_step(step) : 0; }

/// An open file descriptor, closed at the end of its life.
class Descriptor {
public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    bool is_open() const noexcept { return number_ >= 0; }
    int number() const noexcept { return number_; }
    /// Closes now and returns 0 or errno: some file systems report a failed write no earlier.
    int close() noexcept { return ::close(std::exchange(number_, -1)) == 0 ? 0 : errno; }

private:
    int number_;
};

/// Writes all of `bytes`, however little one write takes. Returns 0 or errno.
inline int write_all(int descriptor, Piece bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t taken = ::write(descriptor, bytes.data(), bytes.size());
        if (taken < 0 && errno == EINTR) continue;
        if (taken <= 0) return taken < 0 ? errno : EIO;
        bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
    return 0;
}

/// The same for several runs of bytes, in as few writes as the system lets them be.
inline int write_all(int descriptor, std::span<const Piece> pieces) {
    constexpr std::size_t at_once = 1024;  // IOV_MAX of the systems that there are
    std::vector<iovec> rest;
    for (const Piece& piece : pieces)
        if (!piece.empty()) rest.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    for (std::size_t first = 0; first < rest.size();) {
        if (const int error = fault(Step::write)) return error;
        const ssize_t taken =
            ::writev(descriptor, &rest[first], static_cast<int>(std::min(at_once, rest.size() - first)));
        if (taken < 0 && errno == EINTR) continue;
        if (taken <= 0) return taken < 0 ? errno : EIO;
        auto left = static_cast<std::size_t>(taken);
        for (; first < rest.size() && left >= rest[first].iov_len; ++first) left -= rest[first].iov_len;
        if (left > 0)
            rest[first] = {static_cast<std::byte*>(rest[first].iov_base) + left, rest[first].iov_len - left};
    }
    return 0;
}

/// Makes what a descriptor holds survive a power cut, as far as its file system can. Returns 0 or errno.
inline int flush_to_disk(int descriptor) noexcept {
    if (::fsync(descriptor) == 0) return 0;
    return errno == EINVAL || errno == ENOTSUP ? 0 : errno;  // a file system that has no such promise to give
}

}  // namespace posix

/// Whether `path` is what a killed process can leave behind: the temporary file of a write that never ended.
inline bool is_partial_file(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name.starts_with(".skewgrad-") && name.ends_with(".partial");
}

/// Deletes such leftovers from a folder and returns how many there were. Only for a folder that nobody else is
/// writing to at the time (a run's folder, once its lock is held).
/// Throws FileError where the folder cannot be listed or a leftover cannot be deleted.
inline int remove_partial_files(const std::filesystem::path& folder) {
    try {
        std::vector<std::filesystem::path> leftovers;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (is_partial_file(entry.path()) && entry.symlink_status().type() == std::filesystem::file_type::regular)
                leftovers.push_back(entry.path());
        for (const auto& leftover : leftovers) std::filesystem::remove(leftover);
        return static_cast<int>(leftovers.size());
    } catch (const std::filesystem::filesystem_error& problem) {
        throw FileError(folder.string(), "cannot clear away unfinished files: " + problem.code().message());
    }
}

/// Writes a file so that whoever looks sees the old file or the new one, whole: a temporary file in the same folder,
/// its bytes flushed to disk, renamed over `path`, the folder flushed as well. On any failure the old file stays as
/// it was and the temporary one is deleted. A symbolic link at `path` is replaced, not followed.
/// Throws FileError with the system's reason: the folder is missing, closed to us or full; `path` names a folder or a
/// device.
inline void write_whole_file(const std::filesystem::path& path, std::span<const Piece> pieces) {
    const std::string shown = path.string();
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const std::string target = path.filename().string();
    if (target.empty()) throw FileError(shown, "cannot write: this names no file");
    const auto fail = [&shown](const std::string& what, int error) {
        throw FileError(shown, what + ": " + posix::words(error));
    };

    posix::Descriptor inside(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!inside.is_open()) fail("cannot open the folder " + folder.string(), errno);

    // Renaming over a device would replace it, which is never what a path like /dev/null was given for.
    struct stat there{};
    if (::fstatat(inside.number(), target.c_str(), &there, 0) == 0 && !S_ISREG(there.st_mode))
        throw FileError(
            shown, S_ISDIR(there.st_mode) ? "cannot write: this is a folder" : "cannot write: this is no regular file");

    static std::atomic<unsigned> written{0};
    std::string temporary;
    int number = -1;
    using posix::Step;
    if (const int error = posix::fault(Step::create)) fail("cannot create a file in the folder " + folder.string(), error);
    do {  // a name can be taken by another machine's process, or by one that was killed
        temporary = ".skewgrad-" + std::to_string(::getpid()) + "-" + std::to_string(written++) + ".partial";
        number = ::openat(inside.number(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (number < 0 && errno == EEXIST);
    posix::Descriptor out(number);
    if (!out.is_open()) fail("cannot create a file in the folder " + folder.string(), errno);

    int error = posix::write_all(out.number(), pieces);
    if (error == 0) error = posix::fault(Step::flush);
    if (error == 0) error = posix::flush_to_disk(out.number());
    const int closing = out.close();
    if (error == 0) error = closing;
    if (error == 0) error = posix::fault(Step::rename);
    if (error == 0 && ::renameat(inside.number(), temporary.c_str(), inside.number(), target.c_str()) != 0)
        error = errno;
    if (error != 0) {
        ::unlinkat(inside.number(), temporary.c_str(), 0);
        fail("cannot write", error);
    }
    error = posix::fault(Step::flush_folder);
    if (error == 0) error = posix::flush_to_disk(inside.number());
    if (error != 0) fail("written, but its folder cannot be flushed to disk", error);
}

inline void write_whole_file(const std::filesystem::path& path, Piece bytes) {
    write_whole_file(path, std::array<Piece, 1>{bytes});
}

inline void write_whole_file(const std::filesystem::path& path, std::string_view text) {
    write_whole_file(path, std::as_bytes(std::span(text)));
}

/// Deletes a file that is no longer needed; one that is not there is none to delete. Throws FileError with the system's
/// reason.
inline void remove_file(const std::filesystem::path& path) {
    int error = posix::fault(posix::Step::remove);
    if (error == 0 && ::unlink(path.c_str()) != 0 && errno != ENOENT) error = errno;
    if (error != 0) throw FileError(path.string(), "cannot be deleted: " + posix::words(error));
}

/// Makes a folder and those above it, where they are missing. Throws FileError with the system's reason.
inline void make_folder(const std::filesystem::path& path) {
    std::error_code problem;
    std::filesystem::create_directories(path, problem);
    if (problem) throw FileError(path.string(), "cannot be made: " + problem.message());
}

namespace posix {

template <class Buffer>
Buffer read_all(const std::filesystem::path& path) {
    const auto fail = [&path](int error) { throw FileError(path.string(), "cannot read: " + words(error)); };
    Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!in.is_open()) fail(errno);
    struct stat about{};
    if (::fstat(in.number(), &about) != 0) fail(errno);
    if (S_ISDIR(about.st_mode)) fail(EISDIR);
    Buffer buffer;
    std::size_t have = 0;
    // One more than the size, so that the read which finds the end needs no growth; sizes are only a hint anyway.
    buffer.resize(static_cast<std::size_t>(about.st_size) + 1);
    for (;;) {
        if (have == buffer.size()) buffer.resize(2 * have);
        const ssize_t got = ::read(in.number(), buffer.data() + have, buffer.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(errno);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    buffer.resize(have);
    return buffer;
}

}  // namespace posix

/// All bytes of a file. Throws FileError with the system's reason (missing, not ours to read, a folder).
inline std::vector<std::byte> read_whole_file(const std::filesystem::path& path) {
    return posix::read_all<std::vector<std::byte>>(path);
}

/// All of a file as text, byte for byte. Throws FileError as `read_whole_file` does.
inline std::string read_whole_text(const std::filesystem::path& path) { return posix::read_all<std::string>(path); }

}  // namespace SKEWGRAD_NAMESPACE
