// Named lists of numbers stored as tensors of a file, with checks of length and range when they are read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/store/tensor.hpp>
#include <skewgrad/store/tensor_differences.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Writer of columns; `put` writes a list of any length.
class NewColumns {
public:
    explicit NewColumns(TensorFile& file) : file_(file) {}

    template <class T>
    void put(const std::string& name, const std::vector<T>& values) {
        file_.tensors.push_back(make_tensor<T>(name, {static_cast<std::int64_t>(values.size())}, values));
    }
    /// Writes one column of `records`, given a pointer to the member.
    template <class Record, class T>
    void put(const std::string& name, const std::vector<Record>& records, T Record::* member) {
        std::vector<T> values;
        for (const Record& r : records) values.push_back(r.*member);
        put(name, values);
    }
    void put(const std::string& name, const std::vector<Outcome>& outcomes) {
        std::vector<std::uint16_t> predicted;
        for (const Outcome& o : outcomes) predicted.push_back(static_cast<std::uint16_t>(o.predicted));
        put(name + ".predicted", predicted);
        put(name + ".margin", outcomes, &Outcome::margin);
        put(name + ".loss", outcomes, &Outcome::loss);
        put(name + ".confidence", outcomes, &Outcome::confidence);
    }

private:
    TensorFile& file_;
};

/// Reads what `NewColumns` wrote. Every function throws FileError that names the tensor, and the position and value in
/// it, if the contents are not as expected.
class Columns {
public:
    explicit Columns(const TensorFile& file) : file_(file) {}

    template <class T>
    std::vector<T> get(const std::string& name) const {
        const Tensor& tensor = file_.at(name);
        const std::int64_t size = tensor.shape.size() == 1 ? tensor.shape[0] : -1;
        const auto values = file_.values<T>(name, std::span(&size, 1));
        asked_.insert(name);
        return {values.begin(), values.end()};
    }
    template <class T>
    std::vector<T> get(const std::string& name, std::size_t size) const {
        std::vector<T> values = get<T>(name);
        if (values.size() != size)
            throw FileError(file_.source, "tensor " + in_quotes(name) + " holds " + std::to_string(values.size()) +
                                              " values, expected " + std::to_string(size));
        return values;
    }
    /// Values that satisfy `right(value, place)`.
    template <class T, class Right>
    std::vector<T> get(const std::string& name, std::size_t size, const std::string& must_be, Right right) const {
        std::vector<T> values = get<T>(name, size);
        check(name, values, must_be, right);
        return values;
    }
    template <class T, class Right>
    void check(const std::string& name, const std::vector<T>& values, const std::string& must_be, Right right) const {
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!right(values[i], i))
                throw FileError(file_.source, "tensor " + in_quotes(name) + ": value " + std::to_string(i) + " is " +
                                                  std::to_string(values[i]) + ", must be " + must_be);
    }
    /// Reads a column of `records`, given a pointer to the member.
    template <class Record, class T, class Right>
    void get(const std::string& name, std::vector<Record>& records, T Record::* member, const std::string& must_be,
             Right right) const {
        const auto values = get<T>(name, records.size(), must_be, right);
        for (std::size_t i = 0; i < values.size(); ++i) records[i].*member = values[i];
    }
    /// A network's predictions for images of `classes` classes, in the form of `outcome_of`.
    std::vector<Outcome> outcomes(const std::string& name, std::size_t size, std::size_t classes) const {
        std::vector<Outcome> all(size);
        const auto predicted = get<std::uint16_t>(
            name + ".predicted", size, "below " + std::to_string(classes) + ", or 65535 for no prediction",
            [&](std::uint16_t c, std::size_t) { return c < classes || c == index(no_prediction); });
        for (std::size_t i = 0; i < size; ++i) all[i].predicted = static_cast<Prediction>(predicted[i]);
        get(name + ".margin", all, &Outcome::margin, "a number", [](float x, std::size_t) { return x == x; });
        get(name + ".loss", all, &Outcome::loss, "at least 0", [](float x, std::size_t) { return x >= 0; });
        get(name + ".confidence", all, &Outcome::confidence, "from 0 to 1",
            [](float x, std::size_t) { return x >= 0 && x <= 1; });
        return all;
    }
    /// Throws if the file has a tensor that was not read.
    void check_all_read() const {
        TensorDifferences differences;
        for (const Tensor& tensor : file_.tensors)
            if (!asked_.contains(tensor.name)) differences.unexpected.push_back(tensor.name);
        differences.raise(file_);
    }

private:
    const TensorFile& file_;
    mutable std::set<std::string> asked_;
};

}  // namespace SKEWGRAD_NAMESPACE::study
