// One job's progress: a bar redrawn in place on a terminal, now and then a plain line elsewhere.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <skewgrad/command_line/display.hpp>
#include <skewgrad/command_line/format.hpp>
#include <skewgrad/core/config.hpp>
#include <skewgrad/report/number.hpp>
#include <skewgrad/report/text_width.hpp>

namespace SKEWGRAD_NAMESPACE {

/// What is measured on the way; what is left out is not shown.
struct Gauges {
    std::optional<double> loss = std::nullopt;
    std::optional<double> accuracy = std::nullopt;  ///< a share of 1
    std::optional<double> images_per_second = std::nullopt;
    std::optional<double> whole_seconds_left = std::nullopt;  ///< of what this job is a part of
};

/// Shows one job after another: `begin`, any number of `update`, `finish`. For one thread at a time.
///
/// On a terminal a job is one line, redrawn in place at most every `redraw_seconds` and never wider than the
/// terminal: what does not fit is left out, the rate first, then accuracy, loss, time left, the bar. Elsewhere a line
/// is written at most every `line_seconds`. At the end either kind shows one line that stays. Output that fails is no
/// reason to stop a training: it is ignored.
class Progress {
public:
    explicit Progress(Display display = standard_error()) : display_(std::move(display)) {}
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    /// Clears an unfinished bar, so that what is said next (an error, mostly) begins on an empty line.
    ~Progress() { clear(); }

    /// Begins a job of `total` units, `done` of which were done in an earlier run; a total of 0 is an unknown one.
    /// A job still under way is dropped.
    void begin(std::string label, std::uint64_t total, std::uint64_t done = 0) {
        clear();
        label_ = std::move(label);
        total_ = total;
        done_ = first_ = clamped(done);
        gauges_ = {};
        under_way_ = true;
        began_ = shown_ = display_.now_seconds();
        if (display_.terminal) draw();
    }

    /// Says that `done` units of the job are done, and what was measured. Without a job it does nothing.
    void update(std::uint64_t done, const Gauges& gauges = {}) {
        if (!under_way_) return;
        done_ = clamped(done);
        gauges_ = gauges;
        const double now = display_.now_seconds();
        if (now - shown_ < (display_.terminal ? display_.redraw_seconds : display_.line_seconds)) return;
        shown_ = now;
        if (display_.terminal)
            draw();
        else
            write(plain_line() + "\n");
    }

    /// Writes a line of its own, above the bar where there is one.
    void note(std::string_view line) {
        clear();
        write(std::string(line) + "\n");
        if (under_way_ && display_.terminal) draw();
    }

    /// Ends the job with a line that stays: label, message, time taken. Without a job it does nothing.
    void finish(std::string_view message = "done") {
        if (!under_way_) return;
        clear();
        under_way_ = false;
        write(label_ + ": " + std::string(message) + " (" + format_duration(display_.now_seconds() - began_) + ")\n");
    }

private:
    static constexpr int narrowest_bar = 10, widest_bar = 30;

    std::uint64_t clamped(std::uint64_t done) const { return total_ > 0 ? std::min(done, total_) : done; }

    /// How many of `parts` equal parts of the job are done, rounded down.
    std::uint64_t done_of(std::uint64_t parts) const {
        const bool fits = done_ <= std::numeric_limits<std::uint64_t>::max() / parts;
        return fits ? done_ * parts / total_ : std::min(parts, done_ / (total_ / parts));
    }

    /// "45 %", rounded down so that 100 % means all; where the total is unknown, the count.
    std::string share_done() const {
        if (total_ == 0) return format_count(done_);
        return padded(std::to_string(done_of(100)), 3, Align::right) + " %";
    }

    /// From the units done in this run alone, at their average pace; empty where nothing can be said.
    std::string time_left() const {
        if (total_ == 0 || done_ <= first_) return {};
        const double elapsed = display_.now_seconds() - began_;
        return format_duration(elapsed * static_cast<double>(total_ - done_) / static_cast<double>(done_ - first_)) +
               " left";
    }

    /// Loss, accuracy, rate, time left, time left of the whole, each empty where it is not known.
    std::array<std::string, 5> extras() const {
        return {gauges_.loss ? "loss " + fixed(*gauges_.loss, 3) : "",
                gauges_.accuracy ? "accuracy " + format_share(*gauges_.accuracy) : "",
                gauges_.images_per_second ? format_rate(*gauges_.images_per_second) : "", time_left(),
                gauges_.whole_seconds_left ? "all: " + format_duration(*gauges_.whole_seconds_left) + " left" : ""};
    }

    std::string plain_line() const {
        std::string share = share_done();
        share.erase(0, share.find_first_not_of(' '));
        std::string line = label_ + ": " + share;
        if (total_ > 0) line += " (" + format_count(done_) + " of " + format_count(total_) + ")";
        for (const std::string& extra : extras())
            if (!extra.empty()) line += ", " + extra;
        return line;
    }

    std::string bar_line(int columns) const {
        std::array<std::string, 5> right = extras();
        const auto joined = [&] {
            std::string text = share_done();
            for (const std::string& extra : right)
                if (!extra.empty()) text += "  " + extra;
            return text;
        };
        constexpr std::array<std::size_t, 5> least_wanted_first = {2, 1, 0, 4, 3};
        const int around = text_width(label_) + (total_ > 0 ? 2 + 2 + 2 : 2);  // gaps, and the bar's two ends
        const int bar_least = total_ > 0 ? narrowest_bar : 0;
        for (const std::size_t extra : least_wanted_first)
            if (around + bar_least + text_width(joined()) > columns) right[extra].clear();
        const int room = columns - around - text_width(joined());
        if (total_ == 0 || room < bar_least) return std::string(cut_to_width(label_ + "  " + joined(), columns));
        const auto length = static_cast<std::size_t>(std::min(room, widest_bar));
        const auto full = static_cast<std::size_t>(done_of(length));
        return label_ + "  [" + std::string(full, '#') + std::string(length - full, '.') + "]  " + joined();
    }

    void draw() {
        // One column stays free: some terminals begin a new line as soon as the last is used.
        const int columns = std::max(1, display_.columns() - 1);
        // Appended piece by piece: g++ 12 at -O3 warns, wrongly, of a letter put before a string.
        std::string line(1, '\r');
        write(line.append(bar_line(columns)).append("\x1b[K"));
        drawn_ = true;
    }

    void clear() noexcept {
        if (!std::exchange(drawn_, false)) return;
        write("\r\x1b[K");
    }

    // In one piece, so that lines of other programs do not come in between.
    void write(const std::string& text) noexcept {
        try {
            *display_.out << text << std::flush;
        } catch (...) {  // a stream that was told to throw
        }
    }

    Display display_;
    std::string label_;
    std::uint64_t total_ = 0, done_ = 0, first_ = 0;
    Gauges gauges_;
    bool under_way_ = false, drawn_ = false;
    double began_ = 0, shown_ = 0;
};

}  // namespace SKEWGRAD_NAMESPACE
