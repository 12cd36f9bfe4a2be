// The safetensors format: named tensors and notes in one file that other programs of the field read too.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/store/digest.hpp>
#include <skewgrad/store/tensor.hpp>
#include <skewgrad/store/whole_file.hpp>

// The file: 8 bytes, the header's length, little-endian; the header, JSON that gives every tensor's type, shape and
// place in the data, padded with spaces to a multiple of 8; the data, every byte of it owned by exactly one tensor.
namespace SKEWGRAD_NAMESPACE {

/// The note under which our files carry a digest of everything else in them; files without it are read unchecked.
inline constexpr std::string_view digest_note = "skewgrad.digest";

namespace safetensors {

inline constexpr std::size_t prefix_bytes = 8;
inline constexpr std::uint64_t longest_header = 100'000'000;  // the format's own limit

/// A name as it may stand in a one-line message: escaped, and not longer than the message deserves.
inline std::string in_quotes(const std::string& name) {
    const std::string text = nlohmann::json(name).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    return text.size() <= 80 ? text : text.substr(0, 76) + "...\"";
}

/// Digest of all that a file holds, whatever the order of its tensors.
inline std::string digest_of(const TensorFile& file) {
    Digest digest;
    for (const auto& [key, value] : file.metadata)
        if (key != digest_note) digest.text(key).text(value);
    std::map<std::string_view, const Tensor*> by_name;
    for (const Tensor& tensor : file.tensors) by_name.emplace(tensor.name, &tensor);
    for (const auto& [name, tensor] : by_name) {
        digest.text(tensor->name).text(name_of(tensor->dtype)).number(tensor->shape.size());
        for (const std::int64_t extent : tensor->shape) digest.number(static_cast<std::uint64_t>(extent));
        digest.bytes(tensor->bytes);
    }
    return digest.hex();
}

/// Reads the header as JSON in which no object has a key twice.
inline nlohmann::json parse_header(std::string_view text, const std::string& source) {
    std::vector<std::set<std::string>> open_objects;
    std::string twice;
    bool found_twice = false;
    const auto watch = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        using enum nlohmann::json::parse_event_t;
        if (event == object_start) open_objects.emplace_back();
        if (event == object_end) open_objects.pop_back();
        if (event == key && !open_objects.back().insert(parsed.get<std::string>()).second && !found_twice) {
            twice = parsed.get<std::string>();
            found_twice = true;
        }
        return true;
    };
    if (!text.starts_with('{')) throw FileError(source, "is no safetensors file: its header does not begin with '{'");
    nlohmann::json header;
    try {
        header = nlohmann::json::parse(text.begin(), text.end(), watch);
    } catch (const nlohmann::json::parse_error& problem) {
        throw FileError(source, "its header is no JSON from its byte " + std::to_string(problem.byte) + " on");
    } catch (const nlohmann::json::exception&) {
        throw FileError(source, "its header is JSON with a number out of range");
    }
    if (found_twice) throw FileError(source, "its header names " + in_quotes(twice) + " twice");
    return header;
}

/// One tensor's line of the header.
struct Place {
    std::string name;
    Dtype dtype{};
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0, end = 0;
};

inline Place parse_place(const std::string& name, const nlohmann::json& entry, std::uint64_t data_bytes,
                         const std::string& source) {
    const auto fail = [&](const std::string& complaint) {
        throw FileError(source, "tensor " + in_quotes(name) + ": " + complaint);
    };
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets"))
        fail("its header entry is not one of dtype, shape and data_offsets");
    Place place{name, {}, {}, 0, 0};

    const nlohmann::json& type = entry["dtype"];
    if (!type.is_string()) fail("its dtype is no text");
    const auto known = dtype_named(type.get_ref<const std::string&>());
    if (!known) fail("unknown dtype " + in_quotes(type.get_ref<const std::string&>()));
    place.dtype = *known;

    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    const auto is_count = [](const nlohmann::json& v) {
        return v.is_number_unsigned() && v.get<std::uint64_t>() <= most;
    };
    const nlohmann::json& shape = entry["shape"];
    if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), is_count))
        fail("its shape is no list of whole numbers");
    for (const auto& extent : shape) place.shape.push_back(extent.get<std::int64_t>());

    const nlohmann::json& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !std::all_of(offsets.begin(), offsets.end(), is_count))
        fail("its data_offsets are not two whole numbers");
    place.begin = offsets[0].get<std::uint64_t>();
    place.end = offsets[1].get<std::uint64_t>();
    const std::string range = std::to_string(place.begin) + " to " + std::to_string(place.end);
    if (place.begin > place.end || place.end > data_bytes)
        fail("its data, bytes " + range + ", lies outside the " + std::to_string(data_bytes) + " bytes of data");
    const auto needed = bytes_of_shape(place.shape, bytes_of(place.dtype));
    if (!needed || *needed != place.end - place.begin)
        fail("shape " + to_string(place.shape) + " of " + std::string(name_of(place.dtype)) + " does not fill bytes " +
             range);
    return place;
}

}  // namespace safetensors

/// Reads a file's bytes; `source` names them in errors. Tensors come in the order of their data. A digest that our own
/// files carry is checked and not among the notes.
/// Throws FileError for anything the format forbids: a header that is cut off, no JSON, or has a name twice; an unknown
/// type; data outside the file, overlapping, with a gap, or of another size than its shape; a digest that differs.
inline TensorFile parse_safetensors(Piece bytes, const std::string& source) {
    using namespace safetensors;
    if (bytes.size() < prefix_bytes)
        throw FileError(source, "is no safetensors file: it is only " + std::to_string(bytes.size()) + " bytes long");
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, bytes.data(), prefix_bytes);
    const std::uint64_t rest = bytes.size() - prefix_bytes;
    if (header_bytes > longest_header || header_bytes > rest)
        throw FileError(source, "announces a header of " + std::to_string(header_bytes) + " bytes where " +
                                    std::to_string(rest) + " follow");
    const Piece data = bytes.subspan(prefix_bytes + header_bytes);
    const nlohmann::json header =
        parse_header({reinterpret_cast<const char*>(bytes.data()) + prefix_bytes, header_bytes}, source);

    TensorFile file;
    file.source = source;
    std::vector<Place> places;
    for (const auto& [name, entry] : header.items()) {
        if (name != "__metadata__") {
            places.push_back(parse_place(name, entry, data.size(), source));
            continue;
        }
        if (!entry.is_object()) throw FileError(source, "its __metadata__ is no object");
        for (const auto& [key, value] : entry.items()) {
            if (!value.is_string()) throw FileError(source, "its note " + in_quotes(key) + " is no text");
            file.metadata.emplace(key, value.get<std::string>());
        }
    }
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t reached = 0;
    for (Place& place : places) {
        if (place.begin != reached)
            throw FileError(source, "tensor " + in_quotes(place.name) + ": its data begins at byte " +
                                        std::to_string(place.begin) + ", the one before it ends at " +
                                        std::to_string(reached));
        reached = place.end;
        const Piece own = data.subspan(place.begin, place.end - place.begin);
        file.tensors.push_back({std::move(place.name), place.dtype, std::move(place.shape), {own.begin(), own.end()}});
    }
    if (reached != data.size())
        throw FileError(source, "its tensors end at byte " + std::to_string(reached) + " of " +
                                    std::to_string(data.size()) + " bytes of data");
    if (const auto digest = file.metadata.find(std::string(digest_note)); digest != file.metadata.end()) {
        if (digest->second != safetensors::digest_of(file))
            throw FileError(source, "is damaged: its content does not match its digest " + in_quotes(digest->second));
        file.metadata.erase(digest);
    }
    return file;
}

namespace safetensors {

/// The order in which a file's tensors are written, whatever order they are listed in: wide types first, so that all
/// data is aligned, then by name (as the format's own library does). Throws ValueError for what cannot be written.
inline std::vector<const Tensor*> writing_order(const TensorFile& file) {
    std::vector<const Tensor*> in_order;
    std::set<std::string_view> names;
    for (const Tensor& tensor : file.tensors) {
        if (tensor.name == "__metadata__") throw ValueError("a tensor cannot be named __metadata__");
        if (!names.insert(tensor.name).second) throw ValueError("two tensors are named " + in_quotes(tensor.name));
        if (bytes_of_shape(tensor.shape, bytes_of(tensor.dtype)) != tensor.bytes.size())
            throw ValueError("tensor " + in_quotes(tensor.name) + ": shape " + to_string(tensor.shape) + " of " +
                             std::string(name_of(tensor.dtype)) + " is not filled by " +
                             std::to_string(tensor.bytes.size()) + " bytes");
        in_order.push_back(&tensor);
    }
    std::sort(in_order.begin(), in_order.end(), [](const Tensor* a, const Tensor* b) {
        return a->dtype != b->dtype ? a->dtype > b->dtype : a->name < b->name;
    });
    return in_order;
}

/// What stands before the data: the header's length, the header, its padding.
inline std::string format_head(const TensorFile& file, std::span<const Tensor* const> in_order) {
    if (file.metadata.contains(std::string(digest_note)))
        throw ValueError("the note " + in_quotes(std::string(digest_note)) + " is written by the format itself");
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    for (const auto& [key, value] : file.metadata) header["__metadata__"][key] = value;
    header["__metadata__"][std::string(digest_note)] = digest_of(file);
    std::uint64_t begin = 0;
    for (const Tensor* tensor : in_order) {
        const std::uint64_t end = begin + tensor->bytes.size();
        nlohmann::ordered_json& entry = header[tensor->name];
        entry["dtype"] = name_of(tensor->dtype);
        entry["shape"] = tensor->shape;
        entry["data_offsets"] = {begin, end};
        begin = end;
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const nlohmann::json::exception&) {
        throw ValueError("a tensor's name or a note is no UTF-8 text");
    }
    text.append((8 - text.size() % 8) % 8, ' ');
    const std::uint64_t length = text.size();
    text.insert(0, prefix_bytes, '\0');
    std::memcpy(text.data(), &length, prefix_bytes);
    return text;
}

}  // namespace safetensors

/// Writes a file of tensors whole. Equal content gives equal bytes, in whatever order the tensors are listed.
/// Throws ValueError for two tensors of one name, bytes that do not fill a shape, text that is no UTF-8;
/// FileError as `write_whole_file` does.
inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
    const std::vector<const Tensor*> in_order = safetensors::writing_order(file);
    const std::string head = safetensors::format_head(file, in_order);
    std::vector<Piece> pieces{std::as_bytes(std::span(head))};
    for (const Tensor* tensor : in_order) pieces.emplace_back(tensor->bytes);
    write_whole_file(path, pieces);
}

/// Reads a file of tensors, checking everything that `parse_safetensors` does. Throws FileError.
inline TensorFile read_safetensors(const std::filesystem::path& path) {
    return parse_safetensors(read_whole_file(path), path.string());
}

}  // namespace SKEWGRAD_NAMESPACE
