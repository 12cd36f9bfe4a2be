// UTF-8 validation of text from outside, and escaping so that it cannot control a terminal.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace utf8 {

/// One UTF-8 code point and its number of bytes; 0 bytes if there is no valid one.
struct CodePoint {
    std::uint32_t value = 0;
    std::size_t bytes = 0;
};

/// The code point at the beginning of a non-empty text, by Unicode's table of well-formed sequences: no overlong form,
/// no surrogate, nothing above U+10FFFF.
constexpr CodePoint first_code_point(std::string_view text) {
    const auto byte = [text](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text[i])}; };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || text.size() < length) return {};
    std::uint32_t value = lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        value = value << 6 | (byte(i) & 0x3f);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value < 0xe000;
    if (value < least[length] || value > 0x10ffff || surrogate) return {};
    return {value, length};
}

/// Characters that move the cursor, start a terminal command, end a line or change the writing direction.
constexpr bool is_control(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

inline std::string escape(std::uint32_t value) {
    const int digits = value < 0x100 ? 2 : 4;
    std::string shown = digits == 2 ? "\\x" : "\\u";
    for (int i = digits - 1; i >= 0; --i) shown += "0123456789abcdef"[(value >> (4 * i)) & 15];
    return shown;
}

}  // namespace utf8

/// The position of the first byte that is not UTF-8; npos if the whole text is UTF-8.
constexpr std::size_t first_not_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const utf8::CodePoint c = utf8::first_code_point(text.substr(at));
        if (c.bytes == 0) return at;
        at += c.bytes;
    }
    return std::string_view::npos;
}

/// A text made safe for a terminal and for a one-line message. Control characters and bytes that are not UTF-8 become
/// escapes ("\x1b", "\u202e"). A text longer than `most` bytes is cut and ends in "...". Printable text is unchanged.
inline std::string printable(std::string_view text, std::size_t most = std::string_view::npos) {
    std::string shown;
    while (!text.empty()) {
        const utf8::CodePoint c = utf8::first_code_point(text);
        const std::size_t bytes = c.bytes == 0 ? 1 : c.bytes;
        const std::string one = c.bytes == 0                ? utf8::escape(static_cast<unsigned char>(text[0]))
                                : utf8::is_control(c.value) ? utf8::escape(c.value)
                                                            : std::string(text.substr(0, bytes));
        if (shown.size() + one.size() > most) return shown + "...";
        shown += one;
        text.remove_prefix(bytes);
    }
    return shown;
}

/// The same in double quotes, for text of unknown length: a name, a note.
inline std::string in_quotes(std::string_view text, std::size_t most = 60) { return '"' + printable(text, most) + '"'; }

}  // namespace SKEWGRAD_NAMESPACE
