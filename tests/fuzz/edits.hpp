// Changes to valid JSON texts and tensor files, chosen by an input: so that fuzzers reach what lies behind a digest.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <skewgrad/store/digest.hpp>
#include <skewgrad/store/safetensors.hpp>
#include "fuzz/fuzz.hpp"

namespace skewgrad_fuzz {

/// Any text of valid UTF-8, control characters and quotes included: JSON of anything else is refused by its parser.
inline std::string text(Input& in, std::size_t longest) {
    std::string found;
    for (const char c : in.ConsumeRandomLengthString(longest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) found += static_cast<char>(0xc0 | byte >> 6);
        found += static_cast<char>(byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte);
    }
    return found;
}

/// Stands for very deep arrays until `text_of` writes them: as values they would be this program's own stack overflow.
inline const std::string very_deep = "@very deep@";

/// A value of any kind, with a liking for what is at the edge of a type.
inline nlohmann::json any_value(Input& in) {
    switch (in.ConsumeIntegralInRange(0, 9)) {
        case 0:
            return nullptr;
        case 1:
            return in.ConsumeBool();
        case 2:
            return in.ConsumeIntegralInRange(-2, 300);
        case 3:
            return in.ConsumeIntegral<std::int64_t>();
        case 4:
            return in.PickValueInArray<std::uint64_t>({std::numeric_limits<std::uint64_t>::max(), 1ull << 63,
                                                       1ull << 32, (1ull << 32) - 1, 1ull << 31, 65536, 65535});
        case 5:
            return in.PickValueInArray({1e300, -1e300, 1e19, 1e10, -1.0, 0.5, -0.0, 5e-324});
        case 6:
            return text(in, 60);
        case 7:
            return nlohmann::json::array();
        case 8:
            return nlohmann::json::object();
        default:
            return very_deep;
    }
}

/// Changes one entry, at any depth: another value, none, or one that is there twice.
inline void edit(nlohmann::json& whole, Input& in) {
    nlohmann::json *at = &whole, *above = nullptr;
    std::size_t which = 0;
    while (at->is_structured() && !at->empty() && in.ConsumeIntegralInRange(0, 7) > 0) {
        above = at;
        which = in.ConsumeIntegralInRange<std::size_t>(0, at->size() - 1);
        at = &*std::next(at->begin(), static_cast<std::ptrdiff_t>(which));
    }
    switch (in.ConsumeIntegralInRange(0, 3)) {
        case 0:
            if (above != nullptr) above->erase(std::next(above->begin(), static_cast<std::ptrdiff_t>(which)));
            break;
        case 1:
            if (above != nullptr && above->is_array())
                above->push_back(nlohmann::json(*at));
            else if (above != nullptr)
                (*above)[text(in, 20)] = nlohmann::json(*at);
            break;
        default:
            *at = any_value(in);
    }
}

/// The compact text of a value, as nlohmann::json would write it.
inline std::string text_of(const nlohmann::json& value, Input& in) {
    std::string whole = value.dump();
    const std::string mark = '"' + very_deep + '"';
    const std::size_t at = whole.find(mark);
    if (at == std::string::npos) return whole;
    const auto levels = in.PickValueInArray<std::size_t>({60, 1'000, 20'000, 200'000});
    return whole.replace(at, mark.size(), std::string(levels, '[') + std::string(levels, ']'));
}

/// The text of an object with the digest of its other entries, as `write_json` makes it.
inline std::string with_digest(nlohmann::json object, Input& in) {
    object.erase("digest");
    const std::string whole = text_of(object, in);
    const std::string digest = "{\"digest\":\"" + skewgrad::Digest().text(whole).hex() + '"';
    return digest + (object.empty() ? "" : ",") + whole.substr(1);
}

/// Changes a JSON text where the input says so, and otherwise replaces it.
inline std::string edited_text(const std::string& whole, Input& in) {
    if (whole.find(std::string(60, '[')) != std::string::npos) return whole;  // deep already: see very_deep
    nlohmann::json value = nlohmann::json::parse(whole, nullptr, false);
    if (value.is_discarded() || in.ConsumeIntegralInRange(0, 7) == 0) return text(in, 200);
    edit(value, in);
    return text_of(value, in);
}

/// Gives a tensor another number of rows: cut, or filled with bytes of the input.
inline void resize_rows(skewgrad::Tensor& tensor, std::int64_t rows, std::byte fill) {
    std::size_t row = skewgrad::bytes_of(tensor.dtype);
    for (std::size_t axis = 1; axis < tensor.shape.size(); ++axis) row *= static_cast<std::size_t>(tensor.shape[axis]);
    tensor.shape[0] = rows;
    tensor.bytes.resize(row * static_cast<std::size_t>(rows), fill);
}

/// Changes one of a file's tensors, or all that have as many rows as one of them.
inline void edit_tensors(std::vector<skewgrad::Tensor>& tensors, Input& in) {
    const auto any_rows = [&] { return in.ConsumeIntegralInRange<std::int64_t>(0, 80); };
    const auto which = in.ConsumeIntegralInRange<std::size_t>(0, tensors.size() - 1);
    skewgrad::Tensor& one = tensors[which];
    switch (in.ConsumeIntegralInRange(0, 7)) {
        case 0: {  // a record with more or fewer rows that agrees with itself
            if (one.shape.empty()) return;
            const std::int64_t had = one.shape[0], rows = any_rows();
            for (skewgrad::Tensor& tensor : tensors)
                if (!tensor.shape.empty() && tensor.shape[0] == had) resize_rows(tensor, rows, std::byte{0});
            return;
        }
        case 1:
            if (!one.shape.empty()) resize_rows(one, any_rows(), std::byte{in.ConsumeIntegral<std::uint8_t>()});
            return;
        case 2:
        case 3: {  // any bytes, or those that are NaN and the greatest numbers
            const bool ones = in.ConsumeBool();
            const std::size_t wide = skewgrad::bytes_of(one.dtype), elements = one.bytes.size() / wide;
            if (elements == 0) return;
            std::size_t at = wide * in.ConsumeIntegralInRange<std::size_t>(0, elements - 1);
            const auto bytes = in.ConsumeBytes<std::uint8_t>(in.ConsumeIntegralInRange<std::size_t>(1, 2 * wide));
            for (const std::uint8_t byte : bytes)
                if (at < one.bytes.size()) one.bytes[at++] = static_cast<std::byte>(ones ? 0xff : byte);
            return;
        }
        case 4: {  // the same bytes as elements of another type
            one.dtype = static_cast<skewgrad::Dtype>(in.ConsumeIntegralInRange(0, 12));
            const std::size_t wide = skewgrad::bytes_of(one.dtype);
            one.shape = {static_cast<std::int64_t>(one.bytes.size() / wide)};
            one.bytes.resize(one.bytes.size() / wide * wide);
            return;
        }
        case 5: {  // other axes
            const auto elements = static_cast<std::int64_t>(one.bytes.size() / skewgrad::bytes_of(one.dtype));
            if (in.ConsumeBool())
                one.shape = {1, elements};
            else
                one.shape = {elements, 1};
            if (elements == 1) one.shape.clear();
            return;
        }
        case 6:
            tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(which));
            return;
        default: {
            const std::string name = text(in, 20);
            if (std::any_of(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; })) return;
            skewgrad::Tensor copy = one;
            (in.ConsumeBool() ? one : tensors.emplace_back(std::move(copy))).name = name;
        }
    }
}

/// Changes a file's notes or tensors a few times.
inline void edit(skewgrad::TensorFile& file, Input& in) {
    for (int left = in.ConsumeIntegralInRange(1, 4); left > 0; --left) {
        if (in.ConsumeBool() && !file.metadata.empty()) {
            const auto which = in.ConsumeIntegralInRange<std::size_t>(0, file.metadata.size() - 1);
            const auto note = std::next(file.metadata.begin(), static_cast<std::ptrdiff_t>(which));
            if (in.ConsumeIntegralInRange(0, 15) == 0)
                file.metadata.erase(note);
            else
                note->second = edited_text(note->second, in);
        } else if (!file.tensors.empty()) {
            edit_tensors(file.tensors, in);
        }
    }
}

/// Writes a valid tensor file's bytes back with changes, under a digest that is right.
inline void write_edited(const std::filesystem::path& path, skewgrad::Piece valid, Input& in) {
    skewgrad::TensorFile file = skewgrad::parse_safetensors(valid, "a valid file");
    edit(file, in);
    skewgrad::write_safetensors(path, file);
}

}  // namespace skewgrad_fuzz
