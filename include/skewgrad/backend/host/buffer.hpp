// Aligned, zeroed host memory that is allocated once and never grows.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// `size` elements of a trivial type on a 64-byte boundary, zero at first. Copies are explicit. Memory fresh from the
/// operating system is zero already: whoever touches a page first pays for it, which may be many threads at once.
template <class T>
class Buffer {
public:
    static constexpr std::size_t alignment = 64;

    Buffer() = default;
    explicit Buffer(std::size_t size) : size_(size), memory_(std::calloc(size * sizeof(T) + 2 * alignment, 1)) {
        if (!memory_) throw std::bad_alloc();
        void* at = memory_.get();
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
    struct Free {
        void operator()(void* p) const noexcept { std::free(p); }
    };
    std::size_t size_ = 0;
    std::unique_ptr<void, Free> memory_;
    T* data_ = nullptr;
};

}  // namespace SKEWGRAD_NAMESPACE::host
