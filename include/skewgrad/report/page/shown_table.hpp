// A table as HTML: numbers for readers, with the CSV's exact value behind each; intervals stand under their numbers.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/report/markup/element.hpp>
#include <skewgrad/report/table.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// A column as readers see it: one of the table's, with those of its interval's ends where it has them.
struct ShownColumn {
    std::string title;
    std::size_t value = 0;
    std::optional<std::size_t> low{}, high{};
    std::string group{};  ///< neighbours of one group stand under one heading; empty: none
};

/// A table in a page. Its CSV, of the same name, has every column of `table`; the page has `columns` of them.
struct ShownTable {
    std::string name, caption, note;
    Table table;
    std::vector<ShownColumn> columns{};  ///< empty: all, as they are
    std::vector<Markup> beside{};        ///< under the first cell of each row, where there is one
};

/// The column of that title. @throws ValueError where there is none.
inline std::size_t column_titled(const Table& table, const std::string& title) {
    for (std::size_t c = 0; c < table.columns().size(); ++c)
        if (table.columns()[c].title == title) return c;
    throw ValueError("a table has no column \"" + title + "\"");
}
/// "x" with "x low" and "x high", where those are there.
inline ShownColumn with_interval(const Table& table, const std::string& of, std::string title, std::string group = {}) {
    return {std::move(title), column_titled(table, of), column_titled(table, of + " low"),
            column_titled(table, of + " high"), std::move(group)};
}

namespace shown_tables {

inline bool is_number(const TableCell& cell) {
    return !cell.empty() && !std::holds_alternative<std::string>(cell.value());
}

/// `<data value="exact" data-column="title">shown</data>`; what is missing is a dash with no value.
inline Markup value(const Table& table, std::size_t row, std::size_t column) {
    const TableCell& cell = table.rows()[row][column];
    const TableColumn& of = table.columns()[column];
    if (cell.empty()) return element("data", {{"value", ""}, {"data-column", of.title}, {"title", "not there"}}, "–");
    const bool number = is_number(cell);
    return element(number ? "data" : "span",
                   number ? Attributes{{"value", tables::exact(cell)}, {"data-column", of.title}}
                          : Attributes{{"data-column", of.title}},
                   tables::readable(cell, of));
}

inline Markup cell(const ShownTable& shown, const ShownColumn& column, std::size_t row, bool first) {
    Markup content = value(shown.table, row, column.value);
    if (column.low && column.high && !shown.table.rows()[row][*column.low].empty())
        content += element(
            "span", {{"class", "interval"}},
            Markup(" [") + value(shown.table, row, *column.low) + ", " + value(shown.table, row, *column.high) + "]");
    if (first && row < shown.beside.size()) content += shown.beside[row];
    const bool left = shown.table.columns()[column.value].align == Align::left;
    if (first) {
        constexpr int longest = 30;  // names beyond it are broken into lines
        const bool is_long = text_width(tables::readable(shown.table.rows()[row][column.value],
                                                         shown.table.columns()[column.value])) > longest;
        return element("th", is_long ? Attributes{{"scope", "row"}, {"class", "long"}} : Attributes{{"scope", "row"}},
                       content);
    }
    return element("td", left ? Attributes{{"class", "words"}} : Attributes{}, content);
}

inline Markup head(const ShownTable& shown, const std::vector<ShownColumn>& columns) {
    Markup groups, titles;
    bool any = false;
    for (std::size_t c = 0; c < columns.size();) {
        std::size_t end = c + 1;
        while (end < columns.size() && columns[end].group == columns[c].group) ++end;
        any = any || !columns[c].group.empty();
        groups += element("th", {{"colspan", std::to_string(end - c)}, {"scope", "colgroup"}}, columns[c].group);
        c = end;
    }
    for (const ShownColumn& column : columns) {
        const bool left = shown.table.columns()[column.value].align == Align::left;
        titles += element("th", left ? Attributes{{"scope", "col"}, {"class", "words"}} : Attributes{{"scope", "col"}},
                          column.title);
    }
    return element("thead", (any ? element("tr", {{"class", "groups"}}, groups) : Markup()) + element("tr", titles));
}

}  // namespace shown_tables

/// The table in a frame that scrolls sideways where the screen is narrow, with a link to its CSV.
inline Markup table_markup(const ShownTable& shown) {
    std::vector<ShownColumn> columns = shown.columns;
    if (columns.empty())
        for (std::size_t c = 0; c < shown.table.columns().size(); ++c)
            columns.push_back({shown.table.columns()[c].title, c});
    Markup body;
    for (std::size_t r = 0; r < shown.table.rows().size(); ++r) {
        Markup row;
        for (std::size_t c = 0; c < columns.size(); ++c) row += shown_tables::cell(shown, columns[c], r, c == 0);
        body += element("tr", row);
    }
    const std::string csv = "tables/" + shown.name + ".csv";
    Markup table = element("caption", Markup(shown.caption + " ") + element("a", {{"href", csv}}, "CSV"));
    table += shown_tables::head(shown, columns) + element("tbody", body);
    Markup all =
        element("div", {{"class", "scroll"}, {"role", "region"}, {"aria-label", shown.caption}, {"tabindex", "0"}},
                element("table", {{"id", "table-" + shown.name}, {"data-csv", csv}}, table));
    if (!shown.note.empty()) all += element("p", {{"class", "note"}}, shown.note);
    return all;
}

}  // namespace SKEWGRAD_NAMESPACE::report
