// A table as a value, and its three written forms: aligned text, Markdown, CSV.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/report/number.hpp>
#include <skewgrad/report/text_width.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A whole number that is a quantity: neither a letter nor a truth value.
template <class I>
concept WholeNumber =
    std::integral<I> && !std::same_as<I, bool> && !std::same_as<I, char> && !std::same_as<I, wchar_t> &&
    !std::same_as<I, char8_t> && !std::same_as<I, char16_t> && !std::same_as<I, char32_t>;

/// What stands in one place of a table: nothing (a value that is undefined), text, a whole number or a number.
class TableCell {
public:
    using Value = std::variant<std::monostate, std::string, std::int64_t, std::uint64_t, float, double>;

    TableCell() = default;
    TableCell(std::string text) : value_(std::move(text)) {}
    TableCell(std::string_view text) : value_(std::string(text)) {}
    TableCell(const char* text) : value_(std::string(text)) {}
    TableCell(double number) : value_(number) {}
    TableCell(float number) : value_(number) {}
    template <WholeNumber I>
    TableCell(I number) : value_(std::conditional_t<std::is_signed_v<I>, std::int64_t, std::uint64_t>{number}) {}
    /// Nothing, where there is no value.
    template <class T>
        requires std::constructible_from<TableCell, const T&>
    TableCell(const std::optional<T>& value) {
        if (value) *this = TableCell(*value);
    }

    const Value& value() const noexcept { return value_; }
    bool empty() const noexcept { return std::holds_alternative<std::monostate>(value_); }

private:
    Value value_;
};

/// A column: its title, the side its cells lean to, and how many decimals its numbers show to readers.
struct TableColumn {
    std::string title;
    Align align = Align::right;
    int decimals = 2;
};

/// Rows of cells under titled columns. Rows keep the order in which they were added.
class Table {
public:
    explicit Table(std::vector<TableColumn> columns) : columns_(std::move(columns)) {
        if (columns_.empty()) throw ValueError("a table needs at least one column");
    }
    /// Adds a row. Throws ValueError naming the row and both counts where it has not one cell a column.
    Table& add(std::vector<TableCell> row) {
        if (row.size() != columns_.size())
            throw ValueError("row " + std::to_string(rows_.size()) + " of a table of " +
                             std::to_string(columns_.size()) + " columns has " + std::to_string(row.size()) + " cells");
        rows_.push_back(std::move(row));
        return *this;
    }
    const std::vector<TableColumn>& columns() const noexcept { return columns_; }
    const std::vector<std::vector<TableCell>>& rows() const noexcept { return rows_; }

private:
    std::vector<TableColumn> columns_;
    std::vector<std::vector<TableCell>> rows_;
};

namespace tables {

/// A cell for readers: numbers with the column's decimals, "-" where nothing is, line breaks as spaces.
inline std::string readable(const TableCell& cell, const TableColumn& column) {
    return std::visit(
        [&column](const auto& value) -> std::string {
            using V = std::remove_cvref_t<decltype(value)>;
            if constexpr (std::same_as<V, std::monostate>) {
                return "-";
            } else if constexpr (std::same_as<V, std::string>) {
                std::string line = value;
                for (char& c : line)
                    if (static_cast<unsigned char>(c) < ' ') c = ' ';
                return line;
            } else if constexpr (std::floating_point<V>) {
                return fixed(static_cast<double>(value), column.decimals);
            } else {
                return std::to_string(value);
            }
        },
        cell.value());
}

/// A cell for machines: numbers exactly, nothing where nothing is.
inline std::string exact(const TableCell& cell) {
    return std::visit(
        [](const auto& value) -> std::string {
            using V = std::remove_cvref_t<decltype(value)>;
            if constexpr (std::same_as<V, std::monostate>)
                return {};
            else if constexpr (std::same_as<V, std::string>)
                return value;
            else if constexpr (std::floating_point<V>)
                return shortest(value);
            else
                return std::to_string(value);
        },
        cell.value());
}

/// All of a table as lines of text, the titles first, each cell passed through `shown`.
template <class Shown>
std::vector<std::vector<std::string>> lines(const Table& table, Shown&& shown) {
    std::vector<std::vector<std::string>> all(1);
    for (const TableColumn& column : table.columns()) all[0].push_back(shown(TableCell(column.title), column));
    for (const auto& row : table.rows()) {
        std::vector<std::string>& line = all.emplace_back();
        for (std::size_t c = 0; c < row.size(); ++c) line.push_back(shown(row[c], table.columns()[c]));
    }
    return all;
}

inline std::vector<int> widths(const std::vector<std::vector<std::string>>& lines, int least) {
    std::vector<int> all(lines[0].size(), least);
    for (const auto& line : lines)
        for (std::size_t c = 0; c < line.size(); ++c) all[c] = std::max(all[c], text_width(line[c]));
    return all;
}

}  // namespace tables

/// The table as aligned plain text: titles, a rule, one line a row; two spaces between columns, none at line ends.
inline std::string to_text(const Table& table) {
    auto lines = tables::lines(table, tables::readable);
    const std::vector<int> widths = tables::widths(lines, 1);
    std::vector<std::string> rule;
    for (const int width : widths) rule.emplace_back(static_cast<std::size_t>(width), '-');
    lines.insert(lines.begin() + 1, rule);
    std::string text;
    for (const auto& line : lines) {
        std::string joined;
        for (std::size_t c = 0; c < line.size(); ++c)
            joined += (c > 0 ? "  " : "") + padded(line[c], widths[c], table.columns()[c].align);
        joined.erase(joined.find_last_not_of(' ') + 1);
        text += joined + "\n";
    }
    return text;
}

/// The table in Markdown (the pipe tables of GitHub's dialect), aligned in its source as well.
inline std::string to_markdown(const Table& table) {
    const auto shown = [](const TableCell& cell, const TableColumn& column) {
        std::string escaped;
        for (const char c : tables::readable(cell, column)) {
            if (c == '|' || c == '\\') escaped += '\\';
            escaped += c;
        }
        return escaped;
    };
    auto lines = tables::lines(table, shown);
    const std::vector<int> widths = tables::widths(lines, 3);
    std::vector<std::string> rule;
    for (std::size_t c = 0; c < widths.size(); ++c) {
        rule.emplace_back(static_cast<std::size_t>(widths[c]), '-');
        (table.columns()[c].align == Align::left ? rule.back().front() : rule.back().back()) = ':';
    }
    lines.insert(lines.begin() + 1, rule);
    std::string text;
    for (const auto& line : lines) {
        text += "|";
        for (std::size_t c = 0; c < line.size(); ++c)
            text += " " + padded(line[c], widths[c], table.columns()[c].align) + " |";
        text += "\n";
    }
    return text;
}

/// The table as CSV: titles, then rows; quoted as RFC 4180 says, lines ended by a line feed alone. Numbers are the
/// shortest that read back exactly, whatever decimals readers see; undefined values are empty fields.
inline std::string to_csv(const Table& table) {
    std::string text;
    for (const auto& line :
         tables::lines(table, [](const TableCell& cell, const TableColumn&) { return tables::exact(cell); })) {
        for (std::size_t c = 0; c < line.size(); ++c) {
            const std::string& field = line[c];
            if (c > 0) text += ',';
            // A line of one empty field would be an empty line, which readers skip.
            if (field.find_first_of(",\"\r\n") == std::string::npos && !(field.empty() && line.size() == 1)) {
                text += field;
                continue;
            }
            text += '"';
            for (const char letter : field) text.append(letter == '"' ? 2 : 1, letter);
            text += '"';
        }
        text += '\n';
    }
    return text;
}

}  // namespace SKEWGRAD_NAMESPACE
