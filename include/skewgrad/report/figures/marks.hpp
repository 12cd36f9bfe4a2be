// The pieces that SVG figures are drawn from: text, lines, and marks that tell series apart by shape as well as colour.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/figures/figure.hpp>
#include <skewgrad/report/markup/element.hpp>
#include <skewgrad/report/text_width.hpp>

namespace SKEWGRAD_NAMESPACE::report::svg {

/// Where a panel stands, in the figure's units.
struct Box {
    double left = 0, top = 0, width = 0, height = 0;
    double right() const { return left + width; }
    double bottom() const { return top + height; }
};

/// Width of text in units, as nearly as can be told without the font.
inline double width_of(std::string_view text, double size) { return 0.53 * size * text_width(text); }

/// `text` cut to what fits, with an ellipsis where it was.
inline std::string fitted(const std::string& text, double size, double width) {
    const int columns = std::max(2, static_cast<int>(width / (0.53 * size)));
    return text_width(text) <= columns ? text : std::string(cut_to_width(text, columns - 1)) + "…";
}

struct TextStyle {
    double size = 11;
    const char* anchor = "middle";  ///< start, middle, end
    const char* colour = "#222222";
    bool bold = false;
    double turned = 0;      ///< degrees, around its own place
    const char* role = "";  ///< its class attribute
};
inline Markup text(double x, double y, const std::string& words, const TextStyle& style = {}) {
    Attributes attributes{
        {"x", x}, {"y", y}, {"font-size", style.size}, {"text-anchor", style.anchor}, {"fill", style.colour}};
    if (style.bold) attributes.emplace_back("font-weight", "bold");
    if (style.turned != 0)
        attributes.emplace_back("transform",
                                "rotate(" + fixed(style.turned, 0) + " " + fixed(x, 2) + " " + fixed(y, 2) + ")");
    if (*style.role) attributes.emplace_back("class", style.role);
    return element("text", attributes, words);
}

inline Markup line(double x1, double y1, double x2, double y2, const char* colour, double width,
                   const char* dashes = "") {
    Attributes attributes{{"x1", x1}, {"y1", y1}, {"x2", x2}, {"y2", y2}, {"stroke", colour}, {"stroke-width", width}};
    if (*dashes) attributes.emplace_back("stroke-dasharray", dashes);
    return element("line", attributes);
}

inline const char* dashes_of(Line line) { return line == Line::dashed ? "7 4" : line == Line::dotted ? "1.5 3" : ""; }

/// The outline of a shape around the origin, as a path.
inline const char* path_of(Marker shape) {
    switch (shape) {
        case Marker::circle:
            return "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z";
        case Marker::square:
            return "M-3.6 -3.6H3.6V3.6H-3.6Z";
        case Marker::triangle:
            return "M0 4.4L4.4 -3.6H-4.4Z";
        case Marker::diamond:
            return "M0 -5L4.4 0L0 5L-4.4 0Z";
        case Marker::cross:
            return "M-3.6 -3.6L3.6 3.6M-3.6 3.6L3.6 -3.6";
        case Marker::plus:
            return "M0 -4.4V4.4M-4.4 0H4.4";
        case Marker::none:
            break;
    }
    return "M0 0";
}
/// A mark at a place. `says`: what a reader's pointer is told there; `role`: the class attribute.
inline Markup mark(double x, double y, const Style& style, const std::string& says, const std::string& role) {
    return element("path",
                   {{"class", role},
                    {"transform", "translate(" + fixed(x, 2) + " " + fixed(y, 2) + ")"},
                    {"d", path_of(style.shape)},
                    {"fill", style.filled ? style.colour : "#ffffff"},
                    {"stroke", style.colour},
                    {"stroke-width", 1.5}},
                   says.empty() ? Markup() : element("title", says));
}

}  // namespace SKEWGRAD_NAMESPACE::report::svg
