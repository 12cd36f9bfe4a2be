// A figure as a gnuplot script that reads the CSV beside it and draws the same.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/figures/figure.hpp>
#include <skewgrad/report/figures/figure_table.hpp>
#include <skewgrad/report/number.hpp>

namespace SKEWGRAD_NAMESPACE::report {

namespace gnuplot {

/// A text in gnuplot's single quotes, in which only the quote itself means anything.
inline std::string quoted(const std::string& text) {
    std::string all = "'";
    for (const char c : figure_tables::one_line(text)) all.append(c == '\'' ? 2 : 1, c);
    return all + "'";
}
inline std::string number(double value) { return shortest(value); }
inline std::string colour(const Style& style) { return "rgb " + quoted(style.colour); }

inline int point_type(const Style& style) {
    switch (style.shape) {
        case Marker::circle:
            return style.filled ? 7 : 6;
        case Marker::square:
            return style.filled ? 5 : 4;
        case Marker::triangle:
            return style.filled ? 11 : 10;
        case Marker::diamond:
            return style.filled ? 13 : 12;
        case Marker::cross:
            return 2;
        case Marker::plus:
            return 1;
        case Marker::none:
            break;
    }
    return 0;
}

inline std::string ticks(const char* axis, const Axis& a) {
    std::string all = std::string("set ") + axis + "tics (";
    for (std::size_t i = 0; i < a.ticks.size(); ++i)
        all += (i ? ", " : "") + quoted(a.ticks[i].label) + " " + number(a.ticks[i].at);
    return all + ")" + (a.categories ? " rotate by -35" : " norotate") + "\n";
}

inline std::string panel(const Plot& plot, std::size_t number_of, const std::string& csv) {
    std::string all = "set title " + quoted(plot.title) + "\nset xlabel " + quoted(plot.x.title) + "\nset ylabel " +
                      quoted(plot.y.title) + "\nset xrange [" + number(plot.x.low) + ":" + number(plot.x.high) +
                      "]\nset yrange [" + number(plot.y.low) + ":" + number(plot.y.high) + "]\n" + ticks("x", plot.x) +
                      ticks("y", plot.y) + "unset arrow\n";
    const auto arrow = [&](const std::string& from, const std::string& to) {
        all += "set arrow from " + from + " to " + to + " nohead lc rgb '#555555'\n";
    };
    if (plot.zero) arrow("graph 0, first " + number(*plot.zero), "graph 1, first " + number(*plot.zero));
    if (plot.upright)
        arrow("first " + number(*plot.upright) + ", graph 0", "first " + number(*plot.upright) + ", graph 1");
    all += "plot NaN notitle";
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
        const Series& series = plot.series[s];
        const double aside = dodge(plot, s);
        const std::string x = "($1 == " + std::to_string(number_of) + " && $2 == " + std::to_string(s) + " ? $3 " +
                              (aside < 0 ? "- " : "+ ") + number(std::abs(aside)) + " : NaN)";
        const auto part = [&](const std::string& columns, const std::string& with, bool titled) {
            all += ", \\\n  " + csv + " skip 1 using " + x + ":" + columns + " with " + with + " lc " +
                   colour(series.style) + (titled ? " title " + quoted(series.title) : " notitle");
        };
        const std::string dash = series.style.line == Line::dashed   ? " dt 2"
                                 : series.style.line == Line::dotted ? " dt 3"
                                                                     : "";
        if (std::any_of(series.points.begin(), series.points.end(), [](const Point& p) { return p.low && p.high; }))
            part("4:5:6", "yerrorbars pt 0", false);
        if (series.style.shape == Marker::none)
            part("4", "lines" + dash, true);
        else if (series.style.line == Line::none)
            part("4", "points pt " + std::to_string(point_type(series.style)), true);
        else
            part("4", "linespoints" + dash + " pt " + std::to_string(point_type(series.style)), true);
    }
    return all + "\n";
}

inline std::string names(const char* axis, const std::vector<std::string>& names) {
    std::string all = std::string("set ") + axis + "tics (";
    for (std::size_t i = 0; i < names.size(); ++i) all += (i ? ", " : "") + quoted(names[i]) + " " + std::to_string(i);
    return all + ")" + (*axis == 'x' ? " rotate by 90 right" : "") + "\n";
}
/// Boxes, not an image: where a value is missing only its own box is.
inline std::string panel(const HeatMap& map, std::size_t number_of, const std::string& csv) {
    const auto end = [](std::size_t count) { return number(static_cast<double>(count) - 0.5); };
    const std::string here = csv + " skip 1 using ($1 == " + std::to_string(number_of) + " ? $3 : NaN):2:";
    return "set title " + quoted(map.title) + "\nset xlabel " + quoted(map.column_title) + "\nset ylabel " +
           quoted(map.row_title) + "\nset xrange [-0.5:" + end(map.columns.size()) + "]\nset yrange [" +
           end(map.rows.size()) + ":-0.5]\nset cbrange [0:" + number(map.high) +
           "]\nset palette defined (0 '#ffffff', 1 '#08306b')\n" + names("x", map.columns) + names("y", map.rows) +
           "plot " + here +
           "(0.5):(0.5):4 with boxxyerror fc palette fs solid border lc rgb '#d0d0d0' notitle, \\\n  " + here +
           "(sprintf('%." + std::to_string(map.decimals) + "f', $4)):($4 > " + number(0.42 * map.high) +
           " ? 0xffffff : 0x222222) with labels tc rgb variable notitle\n";
}
/// An image must have all of its points, so that its rows are taken by their numbers.
inline std::string panel(const Picture& picture, std::size_t number_of, const std::string& csv) {
    const std::size_t pixels = picture.width * picture.height, first = number_of * pixels;
    return "set title " + quoted(picture.title) +
           "\nunset tics\nunset border\nunset xlabel\nunset ylabel\nset size ratio -1\nset yrange [" +
           std::to_string(picture.height) + ":-1]\nset xrange [-1:" + std::to_string(picture.width) + "]\nplot " + csv +
           " skip 1 every ::" + std::to_string(first) + "::" + std::to_string(first + pixels - 1) +
           " using 3:2:4:5:6 with rgbimage notitle\n";
}

}  // namespace gnuplot

/// A script that is run in the figure's folder (`gnuplot NAME.gp`) and writes NAME.gnuplot.svg there.
inline std::string gnuplot_script(const Figure& figure) {
    using gnuplot::quoted;
    return std::visit(
        [&](const auto& panels) {
            const std::size_t across = std::max<std::size_t>(1, figure.across);
            const std::size_t down = std::max<std::size_t>(1, (panels.size() + across - 1) / across);
            std::string all = "# " + figure_tables::one_line(figure.title) + "\n# gnuplot " + figure.name +
                              ".gp, in this folder: reads " + figure.name + ".csv, writes " + figure.name +
                              ".gnuplot.svg\n" + "set terminal svg noenhanced size " +
                              std::to_string(std::max<std::size_t>(900, 320 * across)) + "," +
                              std::to_string(40 + 340 * down) + " background rgb 'white'\nset output '" + figure.name +
                              ".gnuplot.svg'\nset datafile separator ','\n" +
                              "set key outside below\nset grid y\nset multiplot layout " + std::to_string(down) + "," +
                              std::to_string(across) + " title " + quoted(figure.title) + "\n";
            for (std::size_t p = 0; p < panels.size(); ++p)
                all += gnuplot::panel(panels[p], p, "'" + figure.name + ".csv'");
            return all + "unset multiplot\n";
        },
        figure.panels);
}

}  // namespace SKEWGRAD_NAMESPACE::report
