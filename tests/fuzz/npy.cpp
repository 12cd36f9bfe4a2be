// .npy files as bytes, as arrays of each kind of element; what is read can be written, and is then read as the same.
#include <skewgrad/store/npy.hpp>
#include "fuzz/fuzz.hpp"

using namespace skewgrad;

namespace {

/// Whether the file is an array of this kind.
template <NpyElement T, std::size_t N>
bool reads(const std::filesystem::path& path) try {
    const xt::xtensor<T, N> array = read_npy<T, N>(path);
    write_npy(path, array);
    const xt::xtensor<T, N> again = read_npy<T, N>(path);
    const auto bytes = [](const auto& of) { return std::as_bytes(std::span(of.data(), of.size())); };
    if (again.shape() != array.shape() || !std::ranges::equal(bytes(again), bytes(array))) std::abort();
    return true;
} catch (const FileError&) {
    return false;
}

}  // namespace

void skewgrad_fuzz::fuzz(Piece input) {
    const auto path = own_file("array.npy");
    write_whole_file(path, input);
    (void)(reads<float, 4>(path) || reads<double, 1>(path) || reads<std::uint32_t, 1>(path) ||
           reads<std::int64_t, 2>(path) || reads<std::uint8_t, 3>(path) || reads<bool, 2>(path) ||
           reads<float, 0>(path));
}
