// The seeded derangement of images within their classes: each one's lender is another image, no copy of it.
#pragma once
#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>

namespace SKEWGRAD_NAMESPACE::attack {

/// One number a position, the same for positions of one label whose images have the same pixels. `less(i, j)` orders
/// positions by their images' pixels.
template <class Less>
std::vector<std::uint32_t> copies(std::span<const Label> labels, Less less) {
    std::vector<std::uint32_t> order(labels.size()), numbers(labels.size());
    std::iota(order.begin(), order.end(), 0u);
    const auto before = [&](std::uint32_t i, std::uint32_t j) {
        return labels[i] != labels[j] ? labels[i] < labels[j] : less(i, j);
    };
    std::sort(order.begin(), order.end(), before);
    for (std::size_t i = 1; i < order.size(); ++i)
        numbers[order[i]] = numbers[order[i - 1]] + (before(order[i - 1], order[i]) ? 1 : 0);
    return numbers;
}

/// For each position another position of the same label whose image is no copy of its own; all are used once. A
/// class's images stand in the order of a keyed draw, copies behind the first of them, and each takes the one that is
/// as many places on as there are copies of one image at most. `copies` numbers images as above; `items` names them
/// (default: their positions).
/// @throws ValueError for a class where more than half of the images are copies of one, or whose image is alone.
inline std::vector<std::uint32_t> derangement(std::span<const Label> labels, Seed seed,
                                              std::span<const std::uint32_t> items,
                                              std::span<const std::uint32_t> copies) {
    struct Place {
        Label label;
        std::uint64_t first_draw;  // the least among the copies
        std::uint32_t number;
        std::uint64_t draw;
        std::uint32_t at;
        auto operator<=>(const Place&) const = default;
    };
    std::vector<Place> order(labels.size());
    std::vector<std::uint64_t> first(labels.size(), ~std::uint64_t{0});
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Stream stream{.seed = seed,
                            .purpose = Purpose::derangement,
                            .item = items.empty() ? static_cast<std::uint32_t>(i) : items[i]};
        order[i] = {labels[i], 0, copies[i], draw_long(stream), static_cast<std::uint32_t>(i)};
        first[copies[i]] = std::min(first[copies[i]], order[i].draw);
    }
    for (Place& p : order) p.first_draw = first[p.number];
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> from(labels.size());
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin, most = 0;
        while (end < order.size() && order[end].label == order[begin].label) {
            std::size_t last = end;
            while (last < order.size() && order[last].number == order[end].number) ++last;
            most = std::max(most, last - end);
            end = last;
        }
        const std::size_t count = end - begin;
        if (2 * most > count)
            throw ValueError("permuted_sign: class " + std::to_string(index(order[begin].label)) + " has " +
                             (count == 1 ? "one image"
                                         : std::to_string(count) + " images, " + std::to_string(most) +
                                               " of which have the same pixels") +
                             ": there is no other image to lend it a gradient");
        for (std::size_t i = 0; i < count; ++i) from[order[begin + i].at] = order[begin + (i + most) % count].at;
        begin = end;
    }
    return from;
}

}  // namespace SKEWGRAD_NAMESPACE::attack
