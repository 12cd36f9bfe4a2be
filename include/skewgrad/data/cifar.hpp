// CIFAR-10 and CIFAR-100 from the binary files their authors publish (Krizhevsky 2009).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/shape.hpp>
#include <skewgrad/data/binary_file.hpp>
#include <skewgrad/data/dataset.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace cifar {

inline constexpr Shape image_shape{3, 32, 32};

/// A record is `label_bytes` labels, then the red, the green and the blue plane, row by row.
struct Layout {
    int label_bytes;         ///< labels in front of the pixels
    int label_at;            ///< the one of them that is wanted
    std::array<int, 2> max;  ///< classes that each label byte may name
};

/// Reads the files one after the other into one store, item = record number over all of them.
/// Throws FileError for a missing or truncated file, for one without records, and for a label out of range.
inline std::shared_ptr<const ImageStore> read(std::string name, const std::vector<std::filesystem::path>& files,
                                              Layout layout, std::vector<std::string> class_names) {
    const auto pixels = static_cast<std::size_t>(image_shape.size());
    const std::size_t record = pixels + static_cast<std::size_t>(layout.label_bytes);
    std::vector<std::uint8_t> bytes;
    std::vector<Label> labels;
    for (const auto& path : files) {
        BinaryFile file(path);
        const std::size_t records = file.size() / record;
        if (records == 0 || file.size() % record != 0)
            throw FileError(file.name(), std::to_string(file.size()) + " bytes are not whole records of " +
                                             std::to_string(record) + " bytes: truncated, or another format");
        std::size_t at = bytes.size();
        bytes.resize(at + records * pixels);
        for (std::size_t i = 0; i < records; ++i, at += pixels) {
            std::array<std::uint8_t, 2> tag{};
            file.read(std::span(tag).first(static_cast<std::size_t>(layout.label_bytes)));
            for (std::size_t k = 0; k < static_cast<std::size_t>(layout.label_bytes); ++k)
                if (tag[k] >= layout.max[k])
                    throw FileError(file.name(), "record " + std::to_string(i) + " has label " +
                                                     std::to_string(tag[k]) + ", must be below " +
                                                     std::to_string(layout.max[k]));
            labels.push_back(Label{tag[static_cast<std::size_t>(layout.label_at)]});
            file.read(std::span(bytes).subspan(at, pixels));
        }
    }
    return make_store(std::move(name), image_shape, std::move(bytes), std::move(labels), std::move(class_names));
}

/// The folder itself, or the one of that name that the published archive unpacks to.
inline std::filesystem::path locate(const std::filesystem::path& folder, const std::string& unpacked,
                                    const std::string& probe) {
    if (!std::filesystem::is_directory(folder)) throw FileError(folder.string(), "no such folder");
    if (!std::filesystem::exists(folder / probe) && std::filesystem::is_directory(folder / unpacked))
        return folder / unpacked;
    return folder;
}

/// The names in a file of the archive, which must be as many as there are classes; `otherwise` where it is missing.
inline std::vector<std::string> names_of(const std::filesystem::path& path, int classes,
                                         std::vector<std::string> otherwise) {
    if (!std::filesystem::exists(path)) return otherwise;
    std::vector<std::string> names = lines_of(path);
    if (names.size() != static_cast<std::size_t>(classes))
        throw FileError(path.string(),
                        std::to_string(names.size()) + " class names, must be " + std::to_string(classes));
    return names;
}

}  // namespace cifar

/// CIFAR-10: 50,000 training and 10,000 test images of 3x32x32 in ten classes.
struct Cifar10 {
    static constexpr Label airplane{0}, automobile{1}, bird{2}, cat{3}, deer{4}, dog{5}, frog{6}, horse{7}, ship{8},
        truck{9};
    static constexpr int classes = 10;

    /// Reads data_batch_1.bin to data_batch_5.bin, test_batch.bin and, where it is there, batches.meta.txt from
    /// `folder` or from cifar-10-batches-bin in it. Item = position in file order, test images counted apart.
    /// Throws FileError naming the file and, for a label, its record and value.
    static Splits load(const std::filesystem::path& folder) {
        const auto at = cifar::locate(folder, "cifar-10-batches-bin", "data_batch_1.bin");
        const auto names =
            cifar::names_of(at / "batches.meta.txt", classes,
                            {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"});
        std::vector<std::filesystem::path> batches;
        for (int i = 1; i <= 5; ++i) batches.push_back(at / ("data_batch_" + std::to_string(i) + ".bin"));
        const cifar::Layout layout{1, 0, {classes, 0}};
        return {TrainingData(cifar::read("CIFAR-10 train", batches, layout, names)),
                TestData(cifar::read("CIFAR-10 test", {at / "test_batch.bin"}, layout, names))};
    }
};

/// CIFAR-100: 50,000 training and 10,000 test images of 3x32x32, each with a fine label (100) and a coarse one (20).
struct Cifar100 {
    enum class Labels { fine, coarse };

    /// Reads train.bin and test.bin from `folder` or from cifar-100-binary in it; class names come from
    /// fine_label_names.txt or coarse_label_names.txt there, else they are numbers. Throws FileError as Cifar10 does.
    static Splits load(const std::filesystem::path& folder, Labels which = Labels::fine) {
        const auto at = cifar::locate(folder, "cifar-100-binary", "train.bin");
        const bool fine = which == Labels::fine;
        const int classes = fine ? 100 : 20;
        std::vector<std::string> numbers;
        for (int k = 0; k < classes; ++k) numbers.push_back(std::to_string(k));
        const auto names =
            cifar::names_of(at / (fine ? "fine_label_names.txt" : "coarse_label_names.txt"), classes, numbers);
        const cifar::Layout layout{2, fine ? 1 : 0, {20, 100}};
        return {TrainingData(cifar::read("CIFAR-100 train", {at / "train.bin"}, layout, names)),
                TestData(cifar::read("CIFAR-100 test", {at / "test.bin"}, layout, names))};
    }
};

}  // namespace SKEWGRAD_NAMESPACE
