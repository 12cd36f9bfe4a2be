// A heat map and a picture as SVG.
#pragma once
#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/report/figures/figure.hpp>
#include <skewgrad/report/figures/marks.hpp>
#include <skewgrad/report/markup/element.hpp>

namespace SKEWGRAD_NAMESPACE::report::svg {

/// White to dark blue, ever darker: in grey print the order stays. `share` in 0 .. 1.
inline std::string heat(double share) {
    const double t =
        std::pow(std::clamp(share, 0.0, 1.0), 0.7);  // small shares, of which there are most, can be told apart
    const auto mix = [&](int from, int to) { return static_cast<unsigned>(from + t * (to - from) + 0.5); };
    constexpr char digits[] = "0123456789abcdef";
    std::string code = "#";
    for (const unsigned c : {mix(255, 8), mix(255, 48), mix(255, 107)}) code += {digits[c / 16], digits[c % 16]};
    return code;
}

/// Room that a map's names take: rows' at its left, columns' above it.
inline double room_for(const std::vector<std::string>& names, double size) {
    double most = 0;
    for (const std::string& n : names) most = std::max(most, width_of(n, size));
    return std::min(most, 90.0) + 6;
}

inline constexpr double map_text = 10;
/// The height of a map that is given a width: its cells are as wide as high, at most 34 units.
struct MapLayout {
    double left, above, cell;
    MapLayout(const HeatMap& map, double width) {
        left = room_for(map.rows, map_text) + 16;
        above = 36 + room_for(map.columns, map_text);
        cell = std::min(34.0, (width - left - 6) / static_cast<double>(std::max<std::size_t>(1, map.columns.size())));
    }
    double height(const HeatMap& map) const { return above + cell * static_cast<double>(map.rows.size()) + 12; }
};

inline Markup draw(const HeatMap& map, const Box& box) {
    const MapLayout at(map, box.width);
    const double left = box.left + at.left, top = box.top + at.above;
    const auto places = static_cast<double>(map.columns.size());
    Markup all = text(box.left, box.top + 13, fitted(map.title, 11.5, box.width * 1.05),
                      {.size = 11.5, .anchor = "start", .bold = true});
    all += text(left + places * at.cell / 2, box.top + 29, map.column_title, {.size = map_text});
    all += text(box.left + 9, top + at.cell * static_cast<double>(map.rows.size()) / 2, map.row_title,
                {.size = map_text, .turned = -90});
    for (std::size_t c = 0; c < map.columns.size(); ++c)
        all += text(left + (static_cast<double>(c) + 0.5) * at.cell + 3.5, top - 5,
                    fitted(map.columns[c], map_text, 90), {.size = map_text, .anchor = "start", .turned = -90});
    const double size = std::min(10.0, at.cell * 0.46);
    for (std::size_t r = 0; r < map.rows.size(); ++r) {
        const double y = top + static_cast<double>(r) * at.cell;
        all += text(left - 4, y + at.cell / 2 + 3.5, fitted(map.rows[r], map_text, 90),
                    {.size = map_text, .anchor = "end"});
        for (std::size_t c = 0; c < map.columns.size(); ++c) {
            const auto& value = map.values.at(r * map.columns.size() + c);
            const double x = left + static_cast<double>(c) * at.cell, share = value ? *value / map.high : 0;
            const std::string shown = value ? fixed(*value, map.decimals) : "–";
            all += element("rect",
                           {{"class", "cell"},
                            {"x", x},
                            {"y", y},
                            {"width", at.cell},
                            {"height", at.cell},
                            {"fill", value ? heat(share) : "#ffffff"},
                            {"stroke", "#d0d0d0"},
                            {"stroke-width", 0.5}},
                           element("title", map.rows[r] + ", " + map.columns[c] + ": " +
                                                (value ? fixed(*value, std::max(1, map.decimals)) : "not there")));
            // Cells that round to nothing stay empty, so that what is there can be seen.
            if (!value || fixed(*value, map.decimals) != fixed(0, map.decimals))
                all += text(x + at.cell / 2, y + at.cell / 2 + size * 0.36, shown,
                            {.size = size, .colour = share > 0.42 ? "#ffffff" : "#222222"});
        }
    }
    const auto frame = [&](double y, double height, const char* colour, double width) {
        all += element("rect", {{"x", left},
                                {"y", y},
                                {"width", places * at.cell},
                                {"height", height},
                                {"fill", "none"},
                                {"stroke", colour},
                                {"stroke-width", width}});
    };
    frame(top, static_cast<double>(map.rows.size()) * at.cell, "#222222", 1);
    if (map.marked) frame(top + static_cast<double>(*map.marked) * at.cell, at.cell, palette::vermillion, 2);
    return all;
}

/// The bytes of a PNG file.
inline std::string png_of(const Picture& picture) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(picture.width);
    image.height = static_cast<png_uint_32>(picture.height);
    image.format = PNG_FORMAT_RGB;
    png_alloc_size_t size = 0;
    std::string bytes;
    const auto write = [&](void* to) {
        return png_image_write_to_memory(&image, to, &size, 0, picture.pixels.data(), 0, nullptr) != 0;
    };
    bool written = picture.pixels.size() == 3 * picture.width * picture.height && write(nullptr);
    bytes.resize(size);
    written = written && write(bytes.data());
    if (!written)
        throw ValueError("a picture of " + std::to_string(picture.width) + " x " + std::to_string(picture.height) +
                         " pixels cannot be written: " + image.message);
    bytes.resize(size);
    return bytes;
}

/// RFC 4648.
inline std::string base64(const std::string& bytes) {
    constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; ++k)
            three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : letters[three >> (18 - 6 * k) & 63];
    }
    return text;
}

inline Markup draw(const Picture& picture, const Box& box) {
    const double side = std::min(box.width - 8, box.height - 20);
    return text(box.left + box.width / 2, box.top + 12, fitted(picture.title, 10, box.width), {.size = 10}) +
           element("image", {{"x", box.left + (box.width - side) / 2},
                             {"y", box.top + 18},
                             {"width", side},
                             {"height", side},
                             {"style", "image-rendering:pixelated"},
                             {"href", "data:image/png;base64," + base64(png_of(picture))}});
}

}  // namespace SKEWGRAD_NAMESPACE::report::svg
