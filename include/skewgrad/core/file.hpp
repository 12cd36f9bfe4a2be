// Files as they are read: what stands at a path, descriptors, whole contents; every failure is a FileError.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace posix {

/// What the system says about an errno value ("No space left on device").
inline std::string words(int error) { return std::generic_category().message(error); }

/// An open file descriptor, closed at the end of its life.
class Descriptor {
public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    bool is_open() const noexcept { return number_ >= 0; }
    int number() const noexcept { return number_; }
    /// Closes now and returns 0 or errno: some file systems report a failed write no earlier.
    int close() noexcept { return ::close(release()) == 0 ? 0 : errno; }
    /// Whoever takes the number closes it.
    int release() noexcept { return std::exchange(number_, -1); }

private:
    int number_;
};

/// Opens a file; a relative path begins at the folder whose descriptor is given. The descriptor is never 0, 1 or 2,
/// also where a standard stream is closed: what is meant for people must not end in a file. -1 and errno where it
/// fails.
inline Descriptor open_at(int folder, const char* path, int flags, mode_t mode = 0) noexcept {
    int number = -1;
    do {
        number = ::openat(folder, path, flags | O_CLOEXEC, mode);
    } while (number < 0 && errno == EINTR);
    if (number < 0 || number > STDERR_FILENO) return Descriptor(number);
    const int above = ::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    const int error = errno;
    ::close(number);
    errno = error;
    return Descriptor(above);
}
inline Descriptor open(const std::filesystem::path& path, int flags, mode_t mode = 0) noexcept {
    return open_at(AT_FDCWD, path.c_str(), flags, mode);
}

/// Opens a regular file to read it, and nothing else: a named pipe would wait for a writer that never comes. `size`
/// becomes what its folder says of its length, which is only a hint. Throws FileError with the reason.
inline Descriptor open_to_read(const std::filesystem::path& path, std::size_t& size) {
    Descriptor in = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat about{};
    if (!in.is_open() || ::fstat(in.number(), &about) != 0)
        throw FileError(path.string(), "cannot read: " + words(errno));
    if (S_ISDIR(about.st_mode)) throw FileError(path.string(), "cannot read: " + words(EISDIR));
    if (!S_ISREG(about.st_mode)) throw FileError(path.string(), "cannot read: it is no regular file");
    size = static_cast<std::size_t>(about.st_size);
    return in;
}

template <class Buffer>
Buffer read_all(const std::filesystem::path& path) {
    std::size_t size = 0;
    const Descriptor in = open_to_read(path, size);
    Buffer buffer;
    if (size >= buffer.max_size() / 2)
        throw FileError(path.string(), "cannot read: " + std::to_string(size) + " bytes are more than memory holds");
    // One more than the size, so that the read which finds the end needs no growth.
    buffer.resize(size + 1);
    std::size_t have = 0;
    for (;;) {
        if (have == buffer.size()) buffer.resize(2 * have);
        const ssize_t got = ::read(in.number(), buffer.data() + have, buffer.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw FileError(path.string(), "cannot read: " + words(errno));
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    buffer.resize(have);
    return buffer;
}

}  // namespace posix

/// All bytes of a regular file. Throws FileError with the system's reason (missing, not ours to read, a folder).
inline std::vector<std::byte> read_whole_file(const std::filesystem::path& path) {
    return posix::read_all<std::vector<std::byte>>(path);
}

/// All of a file as text, byte for byte. Throws FileError as `read_whole_file` does.
inline std::string read_whole_text(const std::filesystem::path& path) { return posix::read_all<std::string>(path); }

/// What stands at a path, links followed.
enum class FileKind { none, file, folder, other };

/// Throws FileError where it cannot be told: a folder above is closed to us, links go round in a circle.
inline FileKind kind_of(const std::filesystem::path& path) {
    struct stat about{};
    if (::stat(path.c_str(), &about) == 0)
        return S_ISREG(about.st_mode) ? FileKind::file : S_ISDIR(about.st_mode) ? FileKind::folder : FileKind::other;
    if (errno != ENOENT && errno != ENOTDIR)
        throw FileError(path.string(), "cannot be looked at: " + posix::words(errno));
    return FileKind::none;
}
inline bool is_there(const std::filesystem::path& path) { return kind_of(path) != FileKind::none; }
inline bool is_folder(const std::filesystem::path& path) { return kind_of(path) == FileKind::folder; }

/// The paths of what a folder holds, in the order of their names. Throws FileError where it cannot be listed.
inline std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> all;
    std::error_code problem;
    std::filesystem::directory_iterator at(folder, problem);
    for (const std::filesystem::directory_iterator end; !problem && at != end; at.increment(problem))
        all.push_back(at->path());
    if (problem) throw FileError(folder.string(), "cannot be listed: " + problem.message());
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace SKEWGRAD_NAMESPACE
