// Aligned host memory that is allocated once and never grows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// What a buffer holds at first. Zeroing costs a pass over memory that was in use before.
enum class Start : std::uint8_t { zero, unset };

/// Memory fresh from the operating system: zero unless told otherwise, and paid for page by page by the thread that
/// touches it first, so that threads share that, too. Much of it is asked for in large pages, where there are such: a
/// workspace has thousands of small ones.
class FreshMemory {
public:
    FreshMemory() = default;
    explicit FreshMemory(std::size_t bytes, Start start = Start::zero) : bytes_(bytes) {
#if defined(__linux__)
        if (bytes >= large) {
            void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (at == MAP_FAILED) throw std::bad_alloc();
            ::madvise(at, bytes, MADV_HUGEPAGE);  // a wish: refused where the kernel knows no such pages
            at_ = at;
            return;
        }
#endif
        at_ = start == Start::zero ? std::calloc(bytes, 1) : std::malloc(bytes);
        if (!at_) throw std::bad_alloc();
    }
    FreshMemory(FreshMemory&& other) noexcept
        : at_(std::exchange(other.at_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    FreshMemory& operator=(FreshMemory&& other) noexcept {
        std::swap(at_, other.at_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~FreshMemory() {
#if defined(__linux__)
        if (bytes_ >= large) {
            ::munmap(at_, bytes_);
            return;
        }
#endif
        std::free(at_);
    }
    void* data() const noexcept { return at_; }

private:
    static constexpr std::size_t large = std::size_t{4} << 20;
    void* at_ = nullptr;
    std::size_t bytes_ = 0;
};

/// `size` elements of a trivial type on a 64-byte boundary. Copies are explicit.
template <class T>
class Buffer {
public:
    static constexpr std::size_t alignment = 64;

    Buffer() = default;
    explicit Buffer(std::size_t size, Start start = Start::zero)
        : size_(size), memory_(size * sizeof(T) + 2 * alignment, start) {
        void* at = memory_.data();
        std::size_t room = size * sizeof(T) + 2 * alignment;
        data_ = static_cast<T*>(std::align(alignment, size * sizeof(T) + alignment, at, room));
    }
    Buffer(Buffer&& other) noexcept
        : size_(std::exchange(other.size_, 0)),
          memory_(std::move(other.memory_)),
          data_(std::exchange(other.data_, nullptr)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        size_ = std::exchange(other.size_, 0);
        memory_ = std::move(other.memory_);
        data_ = std::exchange(other.data_, nullptr);
        return *this;
    }

    std::size_t size() const noexcept { return size_; }
    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }

private:
    std::size_t size_ = 0;
    FreshMemory memory_;
    T* data_ = nullptr;
};

}  // namespace SKEWGRAD_NAMESPACE::host
