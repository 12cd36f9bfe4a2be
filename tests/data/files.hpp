// Small data files for the loaders to read, and the check that an error says what it must.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

namespace skewgrad_tests {

using Bytes = std::vector<std::uint8_t>;

inline void write_file(const std::filesystem::path& path, const Bytes& bytes) {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}
inline void write_text(const std::filesystem::path& path, const std::string& text) {
    write_file(path, Bytes(text.begin(), text.end()));
}

/// A byte that names its place: no two neighbours, rows, planes or images agree.
inline std::uint8_t pixel_at(int image, int position) {
    return static_cast<std::uint8_t>((image * 31 + position * 7 + position / 256 * 13) & 0xff);
}

/// Appends a record: the label bytes, then 3 x 32 x 32 pixels of the image numbered `image`.
inline void append_record(Bytes& file, const Bytes& labels, int image) {
    file.insert(file.end(), labels.begin(), labels.end());
    for (int i = 0; i < 3072; ++i) file.push_back(pixel_at(image, i));
}

/// An IDX file: magic of this type and rank, big-endian extents, then the bytes.
inline Bytes idx_file(std::uint8_t type, const std::vector<std::uint32_t>& extents, const Bytes& content) {
    Bytes file{0, 0, type, static_cast<std::uint8_t>(extents.size())};
    for (const std::uint32_t e : extents)
        for (const int shift : {24, 16, 8, 0}) file.push_back(static_cast<std::uint8_t>(e >> shift));
    file.insert(file.end(), content.begin(), content.end());
    return file;
}

/// For BOOST_CHECK_EXCEPTION: whether the message has all of these parts.
inline auto says(std::initializer_list<std::string> parts) {
    return [wanted = std::vector<std::string>(parts)](const std::exception& error) {
        const std::string message = error.what();
        for (const auto& part : wanted)
            if (message.find(part) == std::string::npos) return false;
        return true;
    };
}

}  // namespace skewgrad_tests
