// Images and labels: one immutable store of bytes, and typed lists of items that look into it.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/shape.hpp>

namespace SKEWGRAD_NAMESPACE {

/// x / 255 for every byte x, correctly rounded: the one conversion from stored bytes to pixels (numerics: pixels).
inline constexpr std::array<float, 256> byte_to_float = [] {
    std::array<float, 256> table{};
    for (int x = 0; x < 256; ++x) table[static_cast<std::size_t>(x)] = static_cast<float>(x) / 255.0f;
    return table;
}();

/// A whole data set in memory: N x C x H x W planar bytes and one label an image. It is shared by every list of items
/// taken from it and never changes; `make_store` checks that its parts agree.
struct ImageStore {
    std::string name;                           ///< for messages and run records
    Shape shape;                                ///< of one image
    std::shared_ptr<const std::uint8_t> bytes;  ///< owns the pixels: a vector, a mapped file
    std::vector<Label> labels;                  ///< one an item, each below classes()
    std::vector<std::string> class_names;

    std::size_t size() const noexcept { return labels.size(); }
    int classes() const noexcept { return static_cast<int>(class_names.size()); }
    std::span<const std::uint8_t> pixels() const noexcept {
        return {bytes.get(), size() * static_cast<std::size_t>(shape.size())};
    }
    /// The C x H x W bytes of one item.
    std::span<const std::uint8_t> image(std::uint32_t item) const noexcept {
        const auto length = static_cast<std::size_t>(shape.size());
        return pixels().subspan(item * length, length);
    }
};

/// A store over a user's own images. `bytes` is N x C x H x W, N = labels.size(); without names the classes are
/// called "0", "1", ... up to the largest label. Throws ValueError where the sizes or a label disagree.
inline std::shared_ptr<const ImageStore> make_store(std::string name, Shape shape, std::vector<std::uint8_t> bytes,
                                                    std::vector<Label> labels,
                                                    std::vector<std::string> class_names = {}) {
    if (shape.c < 1 || shape.h < 1 || shape.w < 1)
        throw ValueError(name + ": the images' shape is " + to_string(shape) + ", every extent must be positive");
    if (labels.size() > std::numeric_limits<std::uint32_t>::max())
        throw ValueError(name + ": " + std::to_string(labels.size()) + " images are more than 32 bits can number");
    const std::size_t wanted = labels.size() * static_cast<std::size_t>(shape.size());
    if (bytes.size() != wanted)
        throw ValueError(name + ": " + std::to_string(bytes.size()) + " bytes of pixels, but " +
                         std::to_string(labels.size()) + " labels of " + to_string(shape) + " images need " +
                         std::to_string(wanted));
    if (class_names.empty() && !labels.empty()) {
        const int largest = index(*std::max_element(labels.begin(), labels.end()));
        for (int k = 0; k <= largest; ++k) class_names.push_back(std::to_string(k));
    }
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (static_cast<std::size_t>(index(labels[i])) >= class_names.size())
            throw ValueError(name + ": item " + std::to_string(i) + " has label " + std::to_string(index(labels[i])) +
                             ", but there are " + std::to_string(class_names.size()) + " classes");
    const auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
    return std::make_shared<const ImageStore>(ImageStore{std::move(name), shape,
                                                         std::shared_ptr<const std::uint8_t>(owner, owner->data()),
                                                         std::move(labels), std::move(class_names)});
}

/// What a list of items may be used for. Samplers take training data only, and the difference is a type.
enum class Split { training, held_out, test };

/// A list of items of a shared store. `items()` are indices into the whole store: an image keeps its identity, and
/// with it its random draws, in whatever list it appears. Items may repeat; a sampler's list is sorted.
template <Split S>
class Subset {
public:
    static constexpr Split split = S;

    /// Every item of the store, in order.
    explicit Subset(std::shared_ptr<const ImageStore> store) : store_(std::move(store)) {
        items_.resize(store_->size());
        for (std::size_t i = 0; i < items_.size(); ++i) items_[i] = static_cast<std::uint32_t>(i);
    }
    /// The items named. Throws ValueError for an index that the store does not have.
    Subset(std::shared_ptr<const ImageStore> store, std::vector<std::uint32_t> items)
        : store_(std::move(store)), items_(std::move(items)) {
        for (std::size_t i = 0; i < items_.size(); ++i)
            if (items_[i] >= store_->size())
                throw ValueError(store_->name + ": item " + std::to_string(items_[i]) + " at position " +
                                 std::to_string(i) + " of the list, but the store holds " +
                                 std::to_string(store_->size()) + " images");
    }

    std::size_t size() const noexcept { return items_.size(); }
    bool empty() const noexcept { return items_.empty(); }
    const std::vector<std::uint32_t>& items() const noexcept { return items_; }
    Shape shape() const noexcept { return store_->shape; }
    int classes() const noexcept { return store_->classes(); }
    const std::vector<std::string>& class_names() const noexcept { return store_->class_names; }
    const std::string& name() const noexcept { return store_->name; }
    const std::shared_ptr<const ImageStore>& store() const noexcept { return store_; }

    /// The label at position i of the list, i < size().
    Label label(std::size_t i) const noexcept { return store_->labels[items_[i]]; }
    std::vector<Label> labels() const {
        std::vector<Label> all(size());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = label(i);
        return all;
    }
    /// The C x H x W bytes at position i of the list, i < size().
    std::span<const std::uint8_t> bytes(std::size_t i) const noexcept { return store_->image(items_[i]); }

    /// How many entries of the list each class has; K values.
    std::vector<int> counts() const {
        std::vector<int> per_class(static_cast<std::size_t>(classes()));
        for (std::size_t i = 0; i < size(); ++i) ++per_class[static_cast<std::size_t>(index(label(i)))];
        return per_class;
    }

    /// All images as N x C x H x W floats in [0, 1].
    xt::xtensor<float, 4> images() const { return images(0, size()); }
    /// The images at positions first .. first + count - 1. Throws ValueError where the list is shorter.
    xt::xtensor<float, 4> images(std::size_t first, std::size_t count) const {
        if (first > size() || count > size() - first)
            throw ValueError(store_->name + ": images " + std::to_string(first) + " to " +
                             std::to_string(first + count) + " asked of a list of " + std::to_string(size()));
        const Shape s = shape();
        auto out = xt::xtensor<float, 4>::from_shape(
            {count, static_cast<std::size_t>(s.c), static_cast<std::size_t>(s.h), static_cast<std::size_t>(s.w)});
        float* to = out.data();
        for (std::size_t i = 0; i < count; ++i)
            for (const std::uint8_t x : bytes(first + i)) *to++ = byte_to_float[x];
        return out;
    }

    /// The entries at these positions of the list, in the order given. Throws ValueError for a position out of range.
    Subset select(const std::vector<std::uint32_t>& positions) const {
        std::vector<std::uint32_t> chosen;
        chosen.reserve(positions.size());
        for (const std::uint32_t p : positions) {
            if (p >= size())
                throw ValueError(store_->name + ": position " + std::to_string(p) + " asked of a list of " +
                                 std::to_string(size()));
            chosen.push_back(items_[p]);
        }
        return Subset(store_, std::move(chosen));
    }
    /// Every entry of one class, in the list's order. Throws ValueError for a class that the store does not have.
    Subset of_class(Label y) const {
        if (index(y) >= classes())
            throw ValueError(store_->name + ": class " + std::to_string(index(y)) + " asked for, but there are " +
                             std::to_string(classes()) + " classes");
        std::vector<std::uint32_t> chosen;
        for (std::size_t i = 0; i < size(); ++i)
            if (label(i) == y) chosen.push_back(items_[i]);
        return Subset(store_, std::move(chosen));
    }
    /// Another list of the same store and split, for what is saved as an index list. Throws ValueError as above.
    Subset of_items(std::vector<std::uint32_t> items) const { return Subset(store_, std::move(items)); }

private:
    std::shared_ptr<const ImageStore> store_;
    std::vector<std::uint32_t> items_;
};

using TrainingData = Subset<Split::training>;
using HeldOutData = Subset<Split::held_out>;
using TestData = Subset<Split::test>;

/// What a loader gives. Training and test images are two stores: their items are numbered apart.
struct Splits {
    TrainingData train;
    TestData test;
};

}  // namespace SKEWGRAD_NAMESPACE
