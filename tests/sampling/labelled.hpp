// What the sampling tests sample: labels of a known make-up, and a data set that is nothing but labels and items.
#pragma once
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/sampling/draw.hpp>

namespace labelled {

using Positions = std::vector<std::uint32_t>;

inline constexpr skewgrad::Label bird{0}, cat{1}, dog{2};

/// n images of each of k classes in turn: 0, 1, .., k-1, 0, 1, ..
inline std::vector<skewgrad::Label> in_turn(int n, int k) {
    std::vector<skewgrad::Label> labels;
    for (int i = 0; i < n * k; ++i) labels.push_back(static_cast<skewgrad::Label>(i % k));
    return labels;
}

/// How many of the positions each class has.
inline std::vector<int> counts(const std::vector<skewgrad::Label>& labels, const Positions& chosen, int k) {
    std::vector<int> of(static_cast<std::size_t>(k));
    for (const std::uint32_t p : chosen) ++of[static_cast<std::size_t>(skewgrad::index(labels.at(p)))];
    return of;
}

inline bool strictly_ascending(const Positions& p) {
    return std::adjacent_find(p.begin(), p.end(), [](auto a, auto b) { return a >= b; }) == p.end();
}

/// For BOOST_CHECK_EXCEPTION: the message holds every part.
inline auto says(std::vector<std::string> parts) {
    return [parts](const skewgrad::ValueError& e) {
        const std::string what = e.what();
        BOOST_TEST_INFO("message: " << what);
        return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
            const bool found = what.find(part) != std::string::npos;
            BOOST_TEST(found, "\"" << what << "\" does not say \"" << part << "\"");
            return found;
        });
    };
}

enum class Use { training, validation, test };
/// All that a sampler may know of data.
template <Use U>
struct Data {
    static constexpr Use split = U;
    std::vector<skewgrad::Label> y;
    Positions ids;
    int k = 0;
    const auto& labels() const { return y; }
    const auto& items() const { return ids; }
    int classes() const { return k; }
    Data select(const Positions& chosen) const {
        Data part{{}, {}, k};
        for (const std::uint32_t p : chosen) part.y.push_back(y.at(p)), part.ids.push_back(ids.at(p));
        return part;
    }
};

}  // namespace labelled
