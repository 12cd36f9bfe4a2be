// Named tensors as they lie in a file: type, shape, bytes, and typed views that are checked.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>

namespace SKEWGRAD_NAMESPACE {

static_assert(std::endian::native == std::endian::little, "skewgrad: files hold little-endian numbers, as memory must");

/// Element types of the safetensors format, in the format's own order; a name's digits are its bits.
enum class Dtype : std::uint8_t { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

namespace dtypes {
struct Description {
    std::string_view name;  // as files spell it
    std::size_t bytes;
};
inline constexpr std::array<Description, 13> all = {{{"BOOL", 1},
                                                     {"U8", 1},
                                                     {"I8", 1},
                                                     {"I16", 2},
                                                     {"U16", 2},
                                                     {"F16", 2},
                                                     {"BF16", 2},
                                                     {"I32", 4},
                                                     {"U32", 4},
                                                     {"F32", 4},
                                                     {"F64", 8},
                                                     {"I64", 8},
                                                     {"U64", 8}}};
}  // namespace dtypes

/// How a file spells the type: "F32".
constexpr std::string_view name_of(Dtype type) { return dtypes::all[static_cast<std::size_t>(type)].name; }
/// Bytes of one element.
constexpr std::size_t bytes_of(Dtype type) { return dtypes::all[static_cast<std::size_t>(type)].bytes; }
/// The type that a file spells so, or none.
constexpr std::optional<Dtype> dtype_named(std::string_view name) {
    for (std::size_t i = 0; i < dtypes::all.size(); ++i)
        if (dtypes::all[i].name == name) return static_cast<Dtype>(i);
    return std::nullopt;
}

/// C++ types that a tensor's bytes can be read as. Halves and booleans are kept as bytes only.
template <class T>
concept TensorElement =
    std::same_as<T, float> || std::same_as<T, double> || (std::integral<T> && !std::same_as<T, bool>);

/// The file's type for a C++ type: float is F32, any unsigned integer of 16 bits is U16.
template <TensorElement T>
constexpr Dtype dtype_of() {
    if constexpr (std::same_as<T, float>) return Dtype::f32;
    if constexpr (std::same_as<T, double>) return Dtype::f64;
    constexpr bool has_sign = std::numeric_limits<T>::is_signed;
    if constexpr (sizeof(T) == 1) return has_sign ? Dtype::i8 : Dtype::u8;
    if constexpr (sizeof(T) == 2) return has_sign ? Dtype::i16 : Dtype::u16;
    if constexpr (sizeof(T) == 4) return has_sign ? Dtype::i32 : Dtype::u32;
    return has_sign ? Dtype::i64 : Dtype::u64;
}

/// Product of extents times `element_bytes`; none where an extent is negative or 63 bits do not hold the product.
/// A tensor without extents has one element.
constexpr std::optional<std::size_t> bytes_of_shape(std::span<const std::int64_t> shape, std::size_t element_bytes) {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    std::uint64_t product = element_bytes;
    bool empty = false;
    for (const std::int64_t extent : shape) {
        if (extent < 0) return std::nullopt;
        if (extent == 0) empty = true;
        if (extent > 0 && product > most / static_cast<std::uint64_t>(extent)) return std::nullopt;
        if (extent > 0) product *= static_cast<std::uint64_t>(extent);
    }
    return empty ? 0 : product;
}

/// A shape as text: "[32, 3, 3, 3]".
inline std::string to_string(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    return text + "]";
}

/// One named tensor: elements in row-major order, little-endian.
struct Tensor {
    std::string name;
    Dtype dtype = Dtype::f32;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;

    friend bool operator==(const Tensor&, const Tensor&) = default;

    /// The elements. Throws ValueError where they are of another type than T, or not as many as the shape says.
    template <TensorElement T>
    std::span<const T> values() const {
        if (dtype != dtype_of<T>())
            throw ValueError("tensor \"" + name + "\" holds " + std::string(name_of(dtype)) + ", not " +
                             std::string(name_of(dtype_of<T>())));
        if (bytes_of_shape(shape, sizeof(T)) != bytes.size())
            throw ValueError("tensor \"" + name + "\" of shape " + to_string(shape) + " holds " +
                             std::to_string(bytes.size()) + " bytes");
        // A vector's storage is aligned for every fundamental type.
        return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
    }
};

/// A tensor that holds a copy of `values`. Throws ValueError where the shape has room for another number of them.
template <TensorElement T>
Tensor make_tensor(std::string name, std::vector<std::int64_t> shape, std::span<const T> values) {
    if (bytes_of_shape(shape, sizeof(T)) != values.size_bytes())
        throw ValueError("tensor \"" + name + "\" of shape " + to_string(shape) + " cannot hold " +
                         std::to_string(values.size()) + " values");
    Tensor made{std::move(name), dtype_of<T>(), std::move(shape), {}};
    made.bytes.resize(values.size_bytes());
    if (!values.empty()) std::memcpy(made.bytes.data(), values.data(), values.size_bytes());
    return made;
}

/// What a file of tensors holds: the tensors and notes about them.
struct TensorFile {
    std::vector<Tensor> tensors;
    std::map<std::string, std::string> metadata;
    std::string source = "tensors in memory";  ///< where it came from: errors begin with it

    const Tensor* find(std::string_view name) const noexcept {
        for (const Tensor& tensor : tensors)
            if (tensor.name == name) return &tensor;
        return nullptr;
    }
    /// The tensor of that name. Throws FileError naming the file and the tensor where there is none.
    const Tensor& at(std::string_view name) const {
        const Tensor* found = find(name);
        if (found == nullptr) throw FileError(source, "has no tensor \"" + std::string(name) + "\"");
        return *found;
    }
    /// The elements of a tensor that must be there with this type and shape. Throws FileError naming the file, the
    /// tensor, what was expected and what was found.
    template <TensorElement T>
    std::span<const T> values(std::string_view name, std::span<const std::int64_t> shape) const {
        const Tensor& tensor = at(name);
        const bool same_shape = std::equal(shape.begin(), shape.end(), tensor.shape.begin(), tensor.shape.end());
        if (tensor.dtype != dtype_of<T>() || !same_shape)
            throw FileError(source, "tensor \"" + tensor.name + "\" is " + std::string(name_of(tensor.dtype)) + " " +
                                        to_string(tensor.shape) + ", expected " + std::string(name_of(dtype_of<T>())) +
                                        " " + to_string(shape));
        return tensor.values<T>();
    }
    /// The note under a key. Throws FileError naming the file and the key where there is none.
    const std::string& note(const std::string& key) const {
        const auto found = metadata.find(key);
        if (found == metadata.end()) throw FileError(source, "has no note \"" + key + "\"");
        return found->second;
    }
};

}  // namespace SKEWGRAD_NAMESPACE
