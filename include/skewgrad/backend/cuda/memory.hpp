// Memory on a device: allocated once, released when its owner goes; and the context that all work is given to.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/data/dataset.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// `size` elements of a trivial type in the memory of device R, on a boundary of 256 bytes there. Not initialised.
template <class T, class R>
class Memory {
public:
    Memory() = default;
    Memory(std::shared_ptr<R> device, std::size_t size)
        : device_(std::move(device)), size_(size), at_(size ? device_->allocate(size * sizeof(T)) : nullptr) {}
    Memory(Memory&& other) noexcept
        : device_(std::move(other.device_)),
          size_(std::exchange(other.size_, 0)),
          at_(std::exchange(other.at_, nullptr)) {}
    Memory& operator=(Memory&& other) noexcept {
        std::swap(device_, other.device_);
        std::swap(size_, other.size_);
        std::swap(at_, other.at_);
        return *this;
    }
    ~Memory() {
        if (at_) device_->release(at_);
    }

    std::size_t size() const noexcept { return size_; }
    T* data() noexcept { return static_cast<T*>(at_); }
    const T* data() const noexcept { return static_cast<const T*>(at_); }

    void take(std::span<const T> values) { device_->to_device(at_, values.data(), values.size() * sizeof(T)); }
    /// The same for a few values: the caller need not keep them.
    void send(std::span<const T> values) { device_->send(at_, values.data(), values.size() * sizeof(T)); }
    void give(std::span<T> values) const { device_->to_host(values.data(), at_, values.size() * sizeof(T)); }
    void clear() { device_->clear(at_, size_ * sizeof(T)); }
    void copy(const Memory& from) { device_->within(at_, from.at_, size_ * sizeof(T)); }

private:
    std::shared_ptr<R> device_;
    std::size_t size_ = 0;
    void* at_ = nullptr;
};

/// A data set's bytes and labels on a device.
template <class R>
struct StoreOnDevice {
    Memory<std::uint8_t, R> pixels;
    Memory<Label, R> labels;
};

/// A device and the data sets that were brought to it. Copies share both; work of all copies is done in order.
template <class R>
class Context {
public:
    Context() : shared_(std::make_shared<Shared>()) {}
    explicit Context(int) : Context() {}  ///< host threads: one gives the work, whatever is asked for

    /// Streams and memory of its own, on the same GPU.
    Context beside(int) const { return Context(); }

    R& device() const { return *shared_->device; }
    int threads() const { return 1; }
    std::string description() const { return device().description(); }
    void wait() { device().wait(); }

    template <class T>
    Memory<T, R> memory(std::size_t size) const {
        return Memory<T, R>(shared_->device, size);
    }
    template <class T>
    Memory<T, R> zeros(std::size_t size) const {
        Memory<T, R> all = memory<T>(size);
        if (size) all.clear();
        return all;
    }
    /// The store on the device: brought there when first asked for, kept for as long as the store is in use elsewhere.
    std::shared_ptr<const StoreOnDevice<R>> resident(const std::shared_ptr<const ImageStore>& store) const {
        const std::scoped_lock lock(shared_->guard);
        auto& kept = shared_->stores;
        std::erase_if(kept, [](const Kept& k) { return k.store.expired(); });
        for (const Kept& k : kept)
            if (k.store.lock() == store) return k.resident;
        auto made = std::make_shared<StoreOnDevice<R>>();
        made->pixels = memory<std::uint8_t>(store->pixels().size());
        made->pixels.take(store->pixels());
        made->labels = memory<Label>(store->labels.size());
        made->labels.take(store->labels);
        kept.push_back({store, made});
        return made;
    }

private:
    struct Kept {
        std::weak_ptr<const ImageStore> store;
        std::shared_ptr<const StoreOnDevice<R>> resident;
    };
    struct Shared {
        std::shared_ptr<R> device = std::make_shared<R>();
        std::mutex guard;
        std::vector<Kept> stores;
    };
    std::shared_ptr<Shared> shared_;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
