// File reading: file kinds, descriptors, whole contents, folder listings. Every failure is a FileError.
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

/// The system's message for an errno value ("No space left on device").
inline std::string words(int error) { return std::generic_category().message(error); }

/// An open file descriptor; the destructor closes it.
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
    /// Closes now and returns 0 or errno: some file systems report a failed write only on close.
    int close() noexcept { return ::close(release()) == 0 ? 0 : errno; }
    /// Gives up ownership: the caller must close the number.
    int release() noexcept { return std::exchange(number_, -1); }

private:
    int number_;
};

/// Opens a file; a relative path starts at the folder whose descriptor is given. The descriptor is never 0, 1 or 2,
/// even if a standard stream is closed: output meant for people must not end up in a file. On failure the number is -1
/// and errno is set.
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

/// Opens a regular file for reading. It refuses every other kind: a named pipe would wait for a writer that never
/// comes. `size` becomes the length that the file system reports, which is only a hint. Throws FileError with the
/// reason.
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
    // One byte more than the size, so that the read that finds the end needs no larger buffer.
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

/// All bytes of a regular file. Throws FileError with the system's reason (missing, no permission, a folder).
inline std::vector<std::byte> read_whole_file(const std::filesystem::path& path) {
    return posix::read_all<std::vector<std::byte>>(path);
}

/// The whole text of a file, byte for byte. Throws FileError as `read_whole_file` does.
inline std::string read_whole_text(const std::filesystem::path& path) { return posix::read_all<std::string>(path); }

/// The kind of a path's target; links are followed.
enum class FileKind { none, file, folder, other };

/// Throws FileError if the kind cannot be determined: a folder above is not accessible, or links form a cycle.
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

/// Whether a file can be opened for reading. Asked again and again about a file that another machine may make, since a
/// network file system remembers for a while that a name was not there when it is only looked at.
/// Throws FileError if it is there and cannot be opened.
inline bool can_be_opened(const std::filesystem::path& path) {
    if (posix::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY).is_open()) return true;
    if (errno != ENOENT && errno != ENOTDIR)
        throw FileError(path.string(), "cannot be looked at: " + posix::words(errno));
    return false;
}

/// The paths of a folder's entries, sorted by name. Throws FileError if the folder cannot be listed.
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
