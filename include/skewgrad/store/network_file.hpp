// A network's parameters as named tensors, in the order and shapes of a PyTorch state_dict.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/nn/network.hpp>
#include <skewgrad/store/notes.hpp>
#include <skewgrad/store/safetensors.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace network_file {

/// Calls visit(name, shape, offset, size) for every parameter tensor of N. Names are "<entry>.<parameter>", entries
/// counted from 0 without the Image, as torch.nn.Sequential would number them; shapes drop trailing ones of the four.
template <ANetwork N, class Visit>
void for_each_tensor(Visit visit) {
    for (const NodePlan& node : N::nodes) {
        std::size_t at = node.parameter_offset;
        const std::size_t end = at + node.parameter_size;
        for (int t = node.first_parameter; at < end; ++t) {
            const Parameter& p = N::parameters[static_cast<std::size_t>(t)];
            std::vector<std::int64_t> shape(p.extents.begin(), p.extents.end());
            const bool window = std::string_view(node.layer) == "conv" && shape[1] * shape[2] * shape[3] > 1;
            while (!window && shape.size() > 1 && shape.back() == 1) shape.pop_back();
            visit(std::to_string(node.out - 1) + "." + p.name, shape, at, p.size());
            at += p.size();
        }
    }
}

/// Appends a network's values, canonical order, as tensors named prefix + name.
template <ANetwork N, class Real>
void append(TensorFile& file, const std::string& prefix, std::span<const Real> values) {
    for_each_tensor<N>(
        [&](const std::string& name, const std::vector<std::int64_t>& shape, std::size_t at, std::size_t size) {
            file.tensors.push_back(make_tensor<Real>(prefix + name, shape, values.subspan(at, size)));
        });
}

/// Reads what `append` wrote. Throws FileError naming the tensor that is missing or of another type or shape.
template <ANetwork N, class Real>
std::vector<Real> extract(const TensorFile& file, const std::string& prefix) {
    std::vector<Real> values(N::state_size);
    for_each_tensor<N>(
        [&](const std::string& name, const std::vector<std::int64_t>& shape, std::size_t at, std::size_t) {
            const auto found = file.template values<Real>(prefix + name, shape);
            std::copy(found.begin(), found.end(), values.begin() + static_cast<std::ptrdiff_t>(at));
        });
    return values;
}

}  // namespace network_file

/// Writes a model's parameters; its network's description is kept beside them, and further notes.
template <class M>
void save_parameters(const M& model, const std::filesystem::path& path, const Notes& notes = {}) {
    TensorFile file;
    file.metadata = notes;
    file.metadata["network"] = describe<typename M::Network>();
    const auto values = model.parameters();
    network_file::append<typename M::Network, typename M::Real>(file, "", values);
    write_safetensors(path, file);
}

/// Reads parameters into a model: a file that `save_parameters` wrote, or a state_dict whose names agree. Throws
/// FileError naming the tensor that is missing or of another shape, or the note that is not as expected; the model is
/// then unchanged.
template <class M>
void load_parameters(M& model, const std::filesystem::path& path, const Notes& expected = {}) {
    const TensorFile file = read_safetensors(path);
    check_notes(file, expected);
    model.set_parameters(network_file::extract<typename M::Network, typename M::Real>(file, ""));
}

}  // namespace SKEWGRAD_NAMESPACE
