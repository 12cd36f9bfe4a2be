// A cell's results in columns: those that the cells of a group share are stored once, those not measured not at all.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/study/image_record.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace study {

template <class T>
std::vector<T> column_of(const std::vector<ImageRecord>& records, T ImageRecord::* member) {
    std::vector<T> column;
    column.reserve(records.size());
    for (const ImageRecord& r : records) column.push_back(r.*member);
    return column;
}
template <class T>
std::size_t bytes_of_column(const std::vector<T>& column) {
    return column.size() * sizeof(T);
}

/// What the records of all cells of one victim, source and class share.
class SharedColumns {
public:
    explicit SharedColumns(const std::vector<ImageRecord>& records)
        : item_(column_of(records, &ImageRecord::item)),
          clean_(column_of(records, &ImageRecord::clean)),
          gradient_norm1_(column_of(records, &ImageRecord::gradient_norm1)),
          zero_pixels_(column_of(records, &ImageRecord::zero_pixels)) {
        zero_gradient_.reserve(records.size());
        for (const ImageRecord& r : records) zero_gradient_.push_back(r.zero_gradient);
    }
    [[gnu::always_inline]] void put(std::size_t i, ImageRecord& r) const {
        r.item = item_[i];
        r.clean = clean_[i];
        r.gradient_norm1 = gradient_norm1_[i];
        r.zero_pixels = zero_pixels_[i];
        r.zero_gradient = zero_gradient_[i] != 0;
    }
    /// Whether these are the columns of `records`.
    bool fit(const std::vector<ImageRecord>& records) const {
        if (records.size() != item_.size()) return false;
        for (std::size_t i = 0; i < records.size(); ++i) {
            ImageRecord r;
            put(i, r);
            const ImageRecord& other = records[i];
            if (r.item != other.item || !(r.clean == other.clean) || r.gradient_norm1 != other.gradient_norm1 ||
                r.zero_pixels != other.zero_pixels || r.zero_gradient != other.zero_gradient)
                return false;
        }
        return true;
    }
    std::size_t bytes() const {
        return bytes_of_column(item_) + bytes_of_column(clean_) + bytes_of_column(gradient_norm1_) +
               bytes_of_column(zero_pixels_) + bytes_of_column(zero_gradient_);
    }

private:
    std::vector<std::uint32_t> item_;
    std::vector<Outcome> clean_;
    std::vector<double> gradient_norm1_;
    std::vector<std::int32_t> zero_pixels_;
    std::vector<std::uint8_t> zero_gradient_;
};

}  // namespace study

/// The image records of a cell. A record is put together when it is used, from the columns that the use needs.
class ImageColumns {
public:
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = ImageRecord;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = ImageRecord;

        Iterator(const ImageColumns& of, std::size_t i) : of_(&of), i_(i) {}
        [[gnu::always_inline]] ImageRecord operator*() const { return (*of_)[i_]; }
        Iterator& operator++() {
            ++i_;
            return *this;
        }
        void operator++(int) { ++i_; }
        friend bool operator==(const Iterator& a, const Iterator& b) { return a.i_ == b.i_; }

    private:
        const ImageColumns* of_;
        std::size_t i_;
    };

    ImageColumns() = default;
    /// `shared`: null, or the columns of another cell, which are used if they fit.
    explicit ImageColumns(const std::vector<ImageRecord>& records,
                          std::shared_ptr<const study::SharedColumns> shared = nullptr)
        : shared_(shared && shared->fit(records) ? std::move(shared)
                                                 : std::make_shared<const study::SharedColumns>(records)),
          attacked_(study::column_of(records, &ImageRecord::attacked)),
          smallest_epsilon_(measured(records, &ImageRecord::smallest_epsilon)),
          cosine_(measured(records, &ImageRecord::cosine)),
          sign_agreement_(measured(records, &ImageRecord::sign_agreement)) {}

    std::size_t size() const noexcept { return attacked_.size(); }
    bool empty() const noexcept { return attacked_.empty(); }
    /// Inlined, so that columns that a caller does not use are not read.
    [[gnu::always_inline]] ImageRecord operator[](std::size_t i) const {
        ImageRecord r;
        shared_->put(i, r);
        r.attacked = attacked_[i];
        if (!smallest_epsilon_.empty()) r.smallest_epsilon = smallest_epsilon_[i];
        if (!cosine_.empty()) r.cosine = cosine_[i];
        if (!sign_agreement_.empty()) r.sign_agreement = sign_agreement_[i];
        return r;
    }
    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, size()}; }

    const std::shared_ptr<const study::SharedColumns>& shared() const noexcept { return shared_; }
    /// Without those of the shared columns.
    std::size_t bytes() const {
        return study::bytes_of_column(attacked_) + study::bytes_of_column(smallest_epsilon_) +
               study::bytes_of_column(cosine_) + study::bytes_of_column(sign_agreement_);
    }

private:
    /// A column of numbers; empty if none was measured.
    static std::vector<double> measured(const std::vector<ImageRecord>& records, double ImageRecord::* member) {
        if (std::ranges::all_of(records, [=](const ImageRecord& r) { return r.*member != r.*member; })) return {};
        return study::column_of(records, member);
    }

    std::shared_ptr<const study::SharedColumns> shared_;
    std::vector<Outcome> attacked_;
    std::vector<double> smallest_epsilon_, cosine_, sign_agreement_;
};

/// A cell that is finished.
struct CellColumns {
    ImageColumns images;
    std::vector<SweepPoint> sweep;

    CellColumns() = default;
    explicit CellColumns(CellResult cell, std::shared_ptr<const study::SharedColumns> shared = nullptr)
        : images(cell.images, std::move(shared)), sweep(std::move(cell.sweep)) {}

    CellResult result() const { return {{images.begin(), images.end()}, sweep}; }
    std::vector<Label> labels(Label attacked_class) const { return std::vector<Label>(images.size(), attacked_class); }
    std::vector<Prediction> before() const {
        std::vector<Prediction> all;
        for (const ImageRecord& i : images) all.push_back(i.clean.predicted);
        return all;
    }
    std::vector<Prediction> after() const {
        std::vector<Prediction> all;
        for (const ImageRecord& i : images) all.push_back(i.attacked.predicted);
        return all;
    }
    /// Without those of the shared columns.
    std::size_t bytes() const { return images.bytes() + sweep.size() * sizeof(SweepPoint); }
};

}  // namespace SKEWGRAD_NAMESPACE
