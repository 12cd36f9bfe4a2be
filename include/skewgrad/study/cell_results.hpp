// A study's cells by number: in memory, or in files that are read when a cell is used, within a bounded cache.
#pragma once
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/study/cell_columns.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A cell's results, which stay in memory as long as a handle of them exists. A handle must have a name before its
/// results are used (`const CellHandle cell = results.cells[i]; cell->images`): a temporary one would end too early.
class CellHandle {
public:
    CellHandle() = default;
    explicit CellHandle(std::shared_ptr<const CellColumns> cell) : cell_(std::move(cell)) {}
    const CellColumns& operator*() const& { return *cell_; }
    const CellColumns* operator->() const& { return cell_.get(); }
    const CellColumns& operator*() && = delete;
    const CellColumns* operator->() && = delete;

private:
    std::shared_ptr<const CellColumns> cell_;
};

namespace study {

/// Reads all cells of one file, in the file's order, each with its predictions without attack. Throws FileError if the
/// file is missing or damaged. It may be called late and from any thread; it must own or outlive what it uses, and must
/// not use the cells that it is read for.
using ReadCells = std::function<std::vector<CellResult>()>;

/// The cells that were last used of those in files, up to a number of bytes, and all cells of the file that was read
/// last, so that a file is read once if its cells are used one after the other.
class CellCache {
public:
    using Cell = std::shared_ptr<const CellColumns>;
    class File;

private:
    struct Used {
        std::shared_ptr<File> file;
        std::size_t place;
        Cell cell;
    };
    struct Entry {
        std::weak_ptr<const CellColumns> alive;  // in the cache, or only in somebody's handle
        std::optional<std::list<Used>::iterator> used;
    };

public:
    /// A file of cells, each of `images` images.
    class File {
    public:
        File(std::size_t cells, std::size_t images, ReadCells read)
            : cells_(cells), images_(images), read_(std::move(read)) {}
        std::size_t images() const noexcept { return images_; }

    private:
        friend class CellCache;
        std::vector<Entry> cells_;
        std::size_t images_, used_ = 0;  // how many of its cells the cache holds
        ReadCells read_;
    };

    explicit CellCache(std::size_t most_bytes) : most_(most_bytes) {}

    /// The cell at a place of a file, which is read if the cell is not in memory. Several threads may call it.
    Cell get(const std::shared_ptr<File>& file, std::size_t place) {
        const std::scoped_lock lock(guard_);
        Entry& entry = file->cells_.at(place);
        if (entry.used) {
            used_.splice(used_.begin(), used_, *entry.used);
            return used_.front().cell;
        }
        Cell cell = entry.alive.lock();
        if (!cell) {
            read(*file);
            cell = last_read_[place];
        }
        used_.push_front({file, place, cell});
        entry.used = used_.begin();
        bytes_ += cell->bytes();
        if (file->used_++ == 0) bytes_ += shared_bytes(*cell);
        shrink();
        return cell;
    }
    /// Cells that are in use stay in memory beyond the bound.
    void keep_at_most(std::size_t bytes) {
        const std::scoped_lock lock(guard_);
        most_ = bytes;
        shrink();
    }

private:
    static std::size_t shared_bytes(const CellColumns& cell) { return cell.images.shared()->bytes(); }
    void read(File& file) {
        std::vector<CellResult> cells = file.read_();
        if (cells.size() != file.cells_.size())
            throw ValueError("CellCache: a file's reader gave another number of cells");
        last_read_.clear();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            auto shared = i == 0 ? nullptr : last_read_.front()->images.shared();
            last_read_.push_back(std::make_shared<const CellColumns>(std::move(cells[i]), std::move(shared)));
            file.cells_[i].alive = last_read_.back();
        }
    }
    void shrink() {
        for (; bytes_ > most_ && used_.size() > 1; used_.pop_back()) {
            const Used& oldest = used_.back();
            oldest.file->cells_[oldest.place].used.reset();
            bytes_ -= oldest.cell->bytes();
            if (--oldest.file->used_ == 0) bytes_ -= shared_bytes(*oldest.cell);
        }
    }

    std::mutex guard_;
    std::size_t most_, bytes_ = 0;
    std::list<Used> used_;  // the last used one first
    std::vector<Cell> last_read_;
};

/// Where one cell is: nowhere, in memory, or in a file. Copies share the cell.
class StoredCell {
public:
    StoredCell() = default;
    explicit StoredCell(CellResult cell) : in_memory_(std::make_shared<const CellColumns>(std::move(cell))) {}
    StoredCell(std::shared_ptr<CellCache> cache, std::shared_ptr<CellCache::File> file, std::size_t place)
        : cache_(std::move(cache)), file_(std::move(file)), place_(place) {}

    /// The number of its images, without reading a file; 0: there is no such cell (a study in progress has gaps).
    std::size_t images() const noexcept { return file_ ? file_->images() : in_memory_ ? in_memory_->images.size() : 0; }
    /// Its results; empty ones if there is no such cell. Throws FileError if its file turns out to be damaged.
    CellHandle get() const {
        static const auto none = std::make_shared<const CellColumns>();
        return CellHandle(file_ ? cache_->get(file_, place_) : in_memory_ ? in_memory_ : none);
    }

private:
    std::shared_ptr<const CellColumns> in_memory_;
    std::shared_ptr<CellCache> cache_;
    std::shared_ptr<CellCache::File> file_;
    std::size_t place_ = 0;
};

}  // namespace study

/// A study's cells by their numbers in its plan. Copies share cells and cache; a cell that is put in one copy is not in
/// the others. Several threads may read cells; only one may change which there are.
class CellResults {
public:
    /// What the cache of cells from files holds.
    static constexpr std::size_t cache_bytes = std::size_t{64} << 20;

    CellResults() : cache_(std::make_shared<study::CellCache>(cache_bytes)) {}
    explicit CellResults(std::size_t cells) : CellResults() { resize(cells); }

    std::size_t size() const noexcept { return cells_.size(); }
    /// More cells are missing ones.
    void resize(std::size_t cells) { cells_.resize(cells); }
    bool has(std::size_t i) const { return images(i) > 0; }
    /// The number of a cell's images, without reading it; 0: the cell is missing.
    std::size_t images(std::size_t i) const { return cells_.at(i).images(); }
    /// A cell's results, read from its file if need be; empty ones if it is missing. Throws FileError if its file is
    /// damaged or gone.
    CellHandle operator[](std::size_t i) const { return cells_.at(i).get(); }
    /// Where a cell is, for readers that may use it later. It does not refer to this object.
    const study::StoredCell& stored(std::size_t i) const { return cells_.at(i); }

    /// Keeps a cell in memory; without images, the cell is missing.
    void put(std::size_t i, CellResult cell) { cells_.at(i) = study::StoredCell(std::move(cell)); }
    void push_back(CellResult cell) { cells_.emplace_back(std::move(cell)); }
    /// Only these cells, in this order, with the same cache.
    CellResults select(std::span<const std::size_t> cells) const {
        CellResults some(*this);
        some.cells_.clear();
        for (const std::size_t i : cells) some.cells_.push_back(cells_.at(i));
        return some;
    }

    /// From now on these cells are what `read()` returns, in this order, each with `images` images; they are no longer
    /// in memory, and are read when they are used.
    void read_from(std::span<const std::size_t> cells, std::size_t images, study::ReadCells read) {
        const auto file = std::make_shared<study::CellCache::File>(cells.size(), images, std::move(read));
        for (std::size_t place = 0; place < cells.size(); ++place)
            cells_.at(cells[place]) = study::StoredCell(cache_, file, place);
    }
    /// Changes what the cache holds. Cells that are in use stay in memory all the same.
    void keep_at_most(std::size_t bytes) { cache_->keep_at_most(bytes); }

private:
    std::vector<study::StoredCell> cells_;
    std::shared_ptr<study::CellCache> cache_;
};

}  // namespace SKEWGRAD_NAMESPACE
