// Aligned, zeroed host memory that is allocated once and never grows.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// `size` elements of a trivial type on a 64-byte boundary, zero at first. Copies are explicit.
template <class T>
class Buffer {
public:
    static constexpr std::size_t alignment = 64;

    Buffer() = default;
    explicit Buffer(std::size_t size)
        : size_(size), data_(static_cast<T*>(::operator new(bytes(size), std::align_val_t{alignment}))) {
        std::memset(static_cast<void*>(data_.get()), 0, bytes(size));
    }
    Buffer(Buffer&& other) noexcept : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        size_ = std::exchange(other.size_, 0);
        data_ = std::move(other.data_);
        return *this;
    }

    std::size_t size() const noexcept { return size_; }
    T* data() noexcept { return data_.get(); }
    const T* data() const noexcept { return data_.get(); }

private:
    static std::size_t bytes(std::size_t size) { return (size * sizeof(T) + alignment - 1) / alignment * alignment; }
    struct Free {
        void operator()(T* p) const noexcept { ::operator delete(p, std::align_val_t{alignment}); }
    };
    std::size_t size_ = 0;
    std::unique_ptr<T[], Free> data_;
};

}  // namespace SKEWGRAD_NAMESPACE::host
