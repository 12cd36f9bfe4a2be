// A network's parameters as named tensors of a file, in PyTorch's shapes: appended, and found again by name or in
// order.
#pragma once
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/nn/network.hpp>
#include <skewgrad/store/convert.hpp>
#include <skewgrad/store/tensor.hpp>
#include <skewgrad/store/tensor_differences.hpp>

namespace SKEWGRAD_NAMESPACE::network_file {

/// Layout of a network's tensors without its type, so that the functions for files are compiled once.
struct Layout {
    std::span<const NodePlan> nodes;
    std::span<const Parameter> parameters;
    std::size_t size = 0;  ///< number of all values
};
template <ANetwork N>
Layout layout_of() {
    return {N::nodes, N::parameters, N::state_size};
}

/// One parameter tensor and the position of its values in the network's vector. Entries are counted from 0 without the
/// Image, as in torch.nn.Sequential; shapes omit trailing ones of the four extents.
struct NetworkTensor {
    int entry = 0;
    std::string parameter;
    std::vector<std::int64_t> shape;
    std::size_t at = 0, size = 0;

    std::string name() const { return std::to_string(entry) + "." + parameter; }
};

inline std::vector<NetworkTensor> tensors_of(const Layout& network) {
    std::vector<NetworkTensor> all;
    for (const NodePlan& node : network.nodes) {
        std::size_t at = node.parameter_offset;
        const std::size_t end = at + node.parameter_size;
        for (int t = node.first_parameter; at < end; ++t) {
            const Parameter& p = network.parameters[static_cast<std::size_t>(t)];
            std::vector<std::int64_t> shape(p.extents.begin(), p.extents.end());
            const bool window = node.has_windows && shape[1] * shape[2] * shape[3] > 1;
            while (!window && shape.size() > 1 && shape.back() == 1) shape.pop_back();
            all.push_back({node.out - 1, p.name, std::move(shape), at, p.size()});
            at += p.size();
        }
    }
    return all;
}

/// Appends a network's values, in canonical order, as tensors named prefix + name.
template <class Real>
void append(TensorFile& file, const Layout& network, const std::string& prefix, std::span<const Real> values) {
    for (const NetworkTensor& t : tensors_of(network))
        file.tensors.push_back(make_tensor<Real>(prefix + t.name(), t.shape, values.subspan(t.at, t.size)));
}

/// Whether a tensor is PyTorch's count of the batches that a normalisation has seen. With a fixed momentum nothing
/// depends on it.
inline bool counts_batches(const Tensor& tensor) { return tensor.name.ends_with(".num_batches_tracked"); }

/// Pairs of a network's tensors and the tensors of a file that hold their values.
struct Pairing {
    std::vector<std::pair<NetworkTensor, const Tensor*>> pairs;

    bool uses(const Tensor& tensor) const {
        return std::ranges::any_of(pairs, [&](const auto& pair) { return pair.second == &tensor; });
    }
    /// Records each tensor with another shape, another type, or, if types are converted, a value beyond Real's range.
    template <class Real>
    void compare(TensorDifferences& differences, bool convert) const {
        for (const auto& [wanted, found] : pairs) {
            const bool same_type = found->dtype == dtype_of<Real>(), floating = is_floating(found->dtype);
            if (wanted.shape != found->shape || !(same_type || (convert && floating)))
                differences.different.push_back(in_quotes(found->name) + " is " + std::string(name_of(found->dtype)) +
                                                " " + to_string(found->shape) + ", expected " +
                                                std::string(name_of(dtype_of<Real>())) + " " + to_string(wanted.shape));
            else if (!same_type && bytes_of(found->dtype) > sizeof(Real) && leaves_range<Real>(*found))
                differences.different.push_back(in_quotes(found->name) + " holds a number beyond the range of " +
                                                std::string(name_of(dtype_of<Real>())));
        }
    }
    /// Copies the values found to the network's. Call `compare` before; it must find no difference.
    template <class Real>
    void copy(std::span<Real> values) const {
        for (const auto& [wanted, found] : pairs) {
            const std::vector<Real> own = converted<Real>(*found);
            std::copy(own.begin(), own.end(), values.begin() + static_cast<std::ptrdiff_t>(wanted.at));
        }
    }

private:
    template <class Real>
    static bool leaves_range(const Tensor& tensor) {
        const std::vector<double> wide = converted<double>(tensor);
        return std::ranges::any_of(wide, [](double x) {
            return std::abs(x) <= std::numeric_limits<double>::max() &&
                   !(std::abs(static_cast<Real>(x)) <= std::numeric_limits<Real>::max());
        });
    }
};

/// Pairs tensors by the names that `append` gives; records the missing ones.
inline Pairing pair_by_name(const TensorFile& file, const Layout& network, const std::string& prefix,
                            TensorDifferences& differences) {
    Pairing found;
    for (NetworkTensor& wanted : tensors_of(network)) {
        const std::string name = prefix + wanted.name();
        if (const Tensor* tensor = file.find(name))
            found.pairs.emplace_back(std::move(wanted), tensor);
        else
            differences.missing.push_back(name);
    }
    return found;
}

/// "model.net.0.2.weight": a parameter of entry 2 of entry 0 of a Sequential.
struct ModuleName {
    std::string owner;                   ///< "model.net"
    std::vector<std::uint64_t> numbers;  ///< 0, 2
    std::string parameter;               ///< "weight"
};

/// Parses a module name; none if no number precedes the parameter's name.
inline std::optional<ModuleName> module_name(std::string_view name) {
    ModuleName parsed;
    std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    parsed.parameter = name.substr(dot + 1);
    name = name.substr(0, dot);
    for (;;) {
        dot = name.rfind('.');
        const std::string_view word = dot == std::string_view::npos ? name : name.substr(dot + 1);
        std::uint64_t number = 0;
        const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (problem != std::errc() || end != word.data() + word.size()) break;
        parsed.numbers.insert(parsed.numbers.begin(), number);
        name = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
        if (dot == std::string_view::npos) break;
    }
    parsed.owner = name;
    if (parsed.numbers.empty()) return std::nullopt;
    return parsed;
}

/// Pairs tensors by order: the n-th module of a Sequential that has parameters is the network's n-th layer that has
/// some, whatever their numbers. So the Sequential may have entries without parameters that the network lacks, such as
/// Flatten, or lack some that the network has, such as Dropout. None unless every tensor of the file and of the network
/// is in one pair.
inline std::optional<Pairing> pair_in_order(const TensorFile& file, const Layout& network) {
    std::map<std::vector<std::uint64_t>, std::map<std::string, const Tensor*>> modules;
    std::optional<std::string> owner;
    std::size_t used = 0;
    for (const Tensor& tensor : file.tensors) {
        if (counts_batches(tensor)) continue;
        ++used;
        const auto name = module_name(tensor.name);
        if (!name || (owner && *owner != name->owner)) return std::nullopt;
        owner = name->owner;
        modules[name->numbers].emplace(name->parameter, &tensor);
    }
    Pairing found;
    auto module = modules.begin();
    int entry = -1;
    for (NetworkTensor& wanted : tensors_of(network)) {
        if (entry >= 0 && wanted.entry != entry) ++module;
        entry = wanted.entry;
        if (module == modules.end()) return std::nullopt;
        const auto tensor = module->second.find(wanted.parameter);
        if (tensor == module->second.end()) return std::nullopt;
        found.pairs.emplace_back(std::move(wanted), tensor->second);
    }
    if (found.pairs.size() != used) return std::nullopt;
    return found;
}

}  // namespace SKEWGRAD_NAMESPACE::network_file
