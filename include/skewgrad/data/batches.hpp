// The order in which an epoch visits its images and which of them it mirrors: functions of the image, not of the list.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/random.hpp>

namespace SKEWGRAD_NAMESPACE {

/// One visit of an image: its index in the whole data set, and how many entries of the list named it before.
struct Pick {
    std::uint32_t item = 0;
    std::uint8_t copy = 0;
    friend constexpr auto operator<=>(const Pick&, const Pick&) = default;
};

/// Visits of images outside training, where no draw asks which of several entries it is.
inline std::vector<Pick> picks_of(std::span<const std::uint32_t> items) {
    std::vector<Pick> picks(items.size());
    for (std::size_t i = 0; i < picks.size(); ++i) picks[i].item = items[i];
    return picks;
}

/// The entries of a list with their repeats numbered. Throws ValueError from the 257th occurrence of an item on:
/// a copy's number has 8 bits in the counter of a draw.
inline std::vector<Pick> numbered(std::span<const std::uint32_t> items) {
    std::vector<Pick> picks;
    picks.reserve(items.size());
    if (items.empty()) return picks;
    std::vector<std::uint16_t> seen(std::size_t{*std::max_element(items.begin(), items.end())} + 1);
    for (const std::uint32_t item : items) {
        if (seen[item] == 256) throw ValueError("item " + std::to_string(item) + " is in the list more than 256 times");
        picks.push_back({item, static_cast<std::uint8_t>(seen[item]++)});
    }
    return picks;
}

/// The visits of one epoch, sorted by (64-bit draw, item, copy), the draw being keyed on seed, item, copy and epoch:
/// images that two lists share keep their relative order (numerics: randomness). `epoch` has 24 bits.
inline std::vector<Pick> epoch_order(std::span<const std::uint32_t> items, Seed seed, std::uint32_t epoch) {
    if (epoch >> 24) throw ValueError("epoch " + std::to_string(epoch) + " does not fit in 24 bits");
    struct Ticket {
        std::uint64_t draw;
        Pick pick;
        auto operator<=>(const Ticket&) const = default;
    };
    std::vector<Ticket> tickets;
    tickets.reserve(items.size());
    for (const Pick pick : numbered(items)) {
        const Stream stream{
            .seed = seed, .purpose = Purpose::order, .item = pick.item, .epoch = epoch, .copy = pick.copy};
        tickets.push_back({draw_long(stream), pick});
    }
    std::sort(tickets.begin(), tickets.end());
    std::vector<Pick> order;
    order.reserve(tickets.size());
    for (const Ticket& ticket : tickets) order.push_back(ticket.pick);
    return order;
}

/// Whether this visit sees the image mirrored left to right: the top bit of the first word, one half.
SKEWGRAD_FN inline bool flipped(Seed seed, std::uint32_t item, std::uint8_t copy, std::uint32_t epoch) noexcept {
    const Stream stream{.seed = seed, .purpose = Purpose::flip, .item = item, .epoch = epoch, .copy = copy};
    return (draw(stream, 0)[0] >> 31) != 0;
}

}  // namespace SKEWGRAD_NAMESPACE
