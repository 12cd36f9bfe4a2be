// links: command_line
// Writes the bytes that benchmarks/training trains on and attacks as .npy files, for peers in other languages.
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/store/npy.hpp>

#include "../worker.hpp"

namespace {

template <class Data>
void write(const std::filesystem::path& folder, const std::string& prefix, const Data& data) {
    const std::array<std::size_t, 4> shape{data.size(), 3, 32, 32};
    skewgrad::write_npy(folder / (prefix + "images.npy"), data.store()->pixels(), std::span<const std::size_t>(shape));
    std::vector<std::uint8_t> labels;
    for (const skewgrad::Label y : data.labels()) labels.push_back(static_cast<std::uint8_t>(index(y)));
    skewgrad::write_npy(folder / (prefix + "labels.npy"), labels);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Writes images.npy, labels.npy and test_ likewise into a folder"};
    worker::Settings settings;
    std::filesystem::path folder;
    worker::add_settings(app, settings);
    app.add_option("folder", folder, "Made where it is missing")->required();
    return skewgrad::run_main(app, argc, argv, [&] {
        std::filesystem::create_directories(folder);
        const auto data = worker::images(settings);
        write(folder, "", data.train);
        write(folder, "test_", data.test);
    });
}
