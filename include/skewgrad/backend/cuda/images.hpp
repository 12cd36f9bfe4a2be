// Images and data sets on a device, as attacks and training keep them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/images.hpp>
#include <skewgrad/backend/cuda/memory.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// A data set kept on the device as the bytes it was read as.
template <class R>
struct ByteImages {
    std::shared_ptr<const ImageStore> store;
    std::shared_ptr<const StoreOnDevice<R>> there;
};

/// What kernels are told of a batch, as bytes: header, then picks.
inline std::vector<std::byte> told(const Batch& batch, std::uint64_t update = 0) {
    const BatchOnDevice head{batch.seed, batch.epoch, batch.flips ? 1u : 0u, update};
    std::vector<std::byte> all(sizeof head + batch.picks.size_bytes());
    std::memcpy(all.data(), &head, sizeof head);
    if (!batch.picks.empty()) std::memcpy(all.data() + sizeof head, batch.picks.data(), batch.picks.size_bytes());
    return all;
}

/// n images in f32, channels last.
template <class R>
struct Images {
    host::Layout layout;
    int count = 0;
    Memory<float, R> memory;

    static Images make(const Context<R>& on, const host::Layout& layout, int n) {
        return {layout, n, on.template memory<float>(layout.size * static_cast<std::size_t>(n))};
    }
    float* at(int n) { return memory.data() + layout.size * static_cast<std::size_t>(n); }
    const float* at(int n) const { return memory.data() + layout.size * static_cast<std::size_t>(n); }

    Images copy(const Context<R>& on) const {
        Images all = make(on, layout, count);
        if (count) all.memory.copy(memory);
        return all;
    }
    Images select(const Context<R>& on, std::span<const std::uint32_t> which) const {
        Images some = make(on, layout, static_cast<int>(which.size()));
        if (which.empty()) return some;
        auto there = on.template memory<std::uint32_t>(which.size());
        there.take(which);
        each(on.device(), some.memory.size(),
             Select{Divide(static_cast<int>(layout.size)), there.data(), memory.data(), some.memory.data()});
        return some;
    }
    void load(const Context<R>& on, std::span<const float> canonical) {
        auto there = on.template memory<float>(canonical.size());
        if (canonical.empty()) return;
        there.take(canonical);
        each(on.device(), memory.size(), FromCanonical{Places(layout), layout.shape, there.data(), memory.data()});
    }
    void unload(const Context<R>& on, std::span<float> canonical) const {
        auto there = on.template memory<float>(canonical.size());
        if (canonical.empty()) return;
        each(on.device(), memory.size(), ToCanonical{Places(layout), layout.shape, memory.data(), there.data()});
        there.give(canonical);
    }
    void gather(const Context<R>& on, const ByteImages<R>& bytes, const Batch& batch) {
        const std::vector<std::byte> inputs = told(batch);
        auto there = on.template memory<std::byte>(inputs.size());
        there.take(inputs);
        each(on.device(), layout.size * batch.picks.size(),
             FromBytes{Places(layout), layout.shape, reinterpret_cast<const BatchOnDevice*>(there.data()),
                       bytes.there->pixels.data(), memory.data()});
    }
    void sign_step(const Context<R>& on, const Images& origin, const Images& gradient, SignStep step) {
        each(on.device(), memory.size(),
             SignStepOf{step, step.alpha * step.at_zero, memory.data(), origin.memory.data(), gradient.memory.data()});
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
