// A training's record and a group of cells as safetensors files: all that a finished part of a study found.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/store/notes.hpp>
#include <skewgrad/store/safetensors.hpp>
#include <skewgrad/study/results.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Lists of numbers as tensors of a file, by name: `put` writes one of any shape, `get` reads one of a known size.
class Columns {
public:
    explicit Columns(TensorFile& file) : file_(file) {}

    template <class T>
    void put(const std::string& name, const std::vector<T>& values) {
        file_.tensors.push_back(make_tensor<T>(name, {static_cast<std::int64_t>(values.size())}, values));
    }
    template <class T>
    std::vector<T> get(const std::string& name) const {
        const Tensor& tensor = file_.at(name);
        const std::int64_t size = tensor.shape.size() == 1 ? tensor.shape[0] : -1;
        const auto values = file_.values<T>(name, std::span(&size, 1));
        return {values.begin(), values.end()};
    }
    /// Throws FileError where there is another number of them.
    template <class T>
    std::vector<T> get(const std::string& name, std::size_t size) const {
        std::vector<T> values = get<T>(name);
        if (values.size() != size)
            throw FileError(file_.source, "tensor \"" + name + "\" holds " + std::to_string(values.size()) +
                                              " values, expected " + std::to_string(size));
        return values;
    }
    /// One column of `records`, through a pointer to the member.
    template <class Record, class T>
    void put(const std::string& name, const std::vector<Record>& records, T Record::* member) {
        std::vector<T> values;
        for (const Record& r : records) values.push_back(r.*member);
        put(name, values);
    }
    template <class Record, class T>
    void get(const std::string& name, std::vector<Record>& records, T Record::* member) const {
        const auto values = get<T>(name, records.size());
        for (std::size_t i = 0; i < values.size(); ++i) records[i].*member = values[i];
    }
    void put(const std::string& name, const std::vector<Outcome>& outcomes) {
        std::vector<std::uint16_t> said;
        for (const Outcome& o : outcomes) said.push_back(static_cast<std::uint16_t>(o.said));
        put(name + ".said", said);
        put(name + ".margin", outcomes, &Outcome::margin);
        put(name + ".loss", outcomes, &Outcome::loss);
        put(name + ".confidence", outcomes, &Outcome::confidence);
    }
    std::vector<Outcome> outcomes(const std::string& name, std::size_t size) const {
        std::vector<Outcome> all(size);
        const auto said = get<std::uint16_t>(name + ".said", size);
        for (std::size_t i = 0; i < size; ++i) all[i].said = static_cast<Prediction>(said[i]);
        get(name + ".margin", all, &Outcome::margin);
        get(name + ".loss", all, &Outcome::loss);
        get(name + ".confidence", all, &Outcome::confidence);
        return all;
    }

private:
    TensorFile& file_;
};

/// Writes all of a training's result but its time.
inline void write_training(const std::filesystem::path& path, const TrainingResult& result, const Notes& notes) {
    TensorFile file;
    file.metadata = notes;
    file.metadata["skewgrad.history"] = checkpoint::to_json(result.history).dump();
    Columns columns(file);
    columns.put("counts", std::vector<std::int32_t>(result.counts.begin(), result.counts.end()));
    columns.put("items", result.items);
    columns.put("held_out", std::vector<std::uint64_t>{result.held_out});
    columns.put("clean", result.clean);
    write_safetensors(path, file);
}

/// Reads what `write_training` wrote. Throws FileError where it is damaged or of another training or study.
inline TrainingResult read_training(const std::filesystem::path& path, const Notes& expected, std::size_t test_images) {
    TensorFile file = read_safetensors(path);
    check_notes(file, expected);
    const Columns columns(file);
    TrainingResult result;
    try {
        result.history = checkpoint::history_from(nlohmann::json::parse(file.note("skewgrad.history")));
    } catch (const nlohmann::json::exception& problem) {
        throw FileError(path.string(), std::string("its note \"skewgrad.history\" is damaged: ") + problem.what());
    }
    const auto counts = columns.get<std::int32_t>("counts");
    result.counts.assign(counts.begin(), counts.end());
    result.items = columns.get<std::uint32_t>("items");
    result.held_out = columns.get<std::uint64_t>("held_out", 1)[0];
    result.clean = columns.outcomes("clean", test_images);
    return result;
}

/// Writes the cells of a group; the victim's answers without attack stand in its training's record.
inline void write_cells(const std::filesystem::path& path, const StudyResults& results, const CellGroup& group,
                        const Notes& notes) {
    TensorFile file;
    file.metadata = notes;
    Columns columns(file);
    const std::vector<ImageRecord>& first = results.cells[group.cells.front()].images;
    columns.put("item", first, &ImageRecord::item);
    columns.put("gradient_norm1", first, &ImageRecord::gradient_norm1);
    columns.put("zero_pixels", first, &ImageRecord::zero_pixels);
    std::vector<std::uint8_t> zero;
    for (const ImageRecord& r : first) zero.push_back(r.zero_gradient);
    columns.put("zero_gradient", zero);
    for (std::size_t i = 0; i < group.cells.size(); ++i) {
        const CellResult& cell = results.cells[group.cells[i]];
        const std::string name = "cell" + std::to_string(i) + ".";
        std::vector<Outcome> attacked;
        for (const ImageRecord& r : cell.images) attacked.push_back(r.attacked);
        columns.put(name + "attacked", attacked);
        columns.put(name + "smallest_epsilon", cell.images, &ImageRecord::smallest_epsilon);
        columns.put(name + "cosine", cell.images, &ImageRecord::cosine);
        columns.put(name + "sign_agreement", cell.images, &ImageRecord::sign_agreement);
        columns.put(name + "sweep.epsilon", cell.sweep, &SweepPoint::epsilon);
        std::vector<std::int64_t> hits;
        for (const SweepPoint& point : cell.sweep) hits.push_back(point.accuracy.hits);
        columns.put(name + "sweep.hits", hits);
    }
    write_safetensors(path, file);
}

/// Reads what `write_cells` wrote into the cells of the group, all but the answers without attack. Throws FileError
/// where it is damaged or of other cells.
inline void read_cells(const std::filesystem::path& path, StudyResults& results, const CellGroup& group,
                       const Notes& expected) {
    TensorFile file = read_safetensors(path);
    check_notes(file, expected);
    const Columns columns(file);
    std::vector<ImageRecord> shared(columns.get<std::uint32_t>("item").size());
    columns.get("item", shared, &ImageRecord::item);
    columns.get("gradient_norm1", shared, &ImageRecord::gradient_norm1);
    columns.get("zero_pixels", shared, &ImageRecord::zero_pixels);
    const auto zero = columns.get<std::uint8_t>("zero_gradient", shared.size());
    for (std::size_t n = 0; n < shared.size(); ++n) shared[n].zero_gradient = zero[n] != 0;
    for (std::size_t i = 0; i < group.cells.size(); ++i) {
        CellResult& cell = results.cells[group.cells[i]];
        const std::string name = "cell" + std::to_string(i) + ".";
        cell.images = shared;
        const auto attacked = columns.outcomes(name + "attacked", shared.size());
        for (std::size_t n = 0; n < shared.size(); ++n) cell.images[n].attacked = attacked[n];
        columns.get(name + "smallest_epsilon", cell.images, &ImageRecord::smallest_epsilon);
        columns.get(name + "cosine", cell.images, &ImageRecord::cosine);
        columns.get(name + "sign_agreement", cell.images, &ImageRecord::sign_agreement);
        cell.sweep.resize(columns.get<float>(name + "sweep.epsilon").size());
        columns.get(name + "sweep.epsilon", cell.sweep, &SweepPoint::epsilon);
        const auto hits = columns.get<std::int64_t>(name + "sweep.hits", cell.sweep.size());
        for (std::size_t p = 0; p < hits.size(); ++p)
            cell.sweep[p].accuracy = {hits[p], static_cast<std::int64_t>(shared.size())};
    }
}

}  // namespace SKEWGRAD_NAMESPACE::study
