// What claims are made of: measures of one class's images under one or several networks, each with its denominator.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/evaluate/area_under_curve.hpp>
#include <skewgrad/evaluate/matched_flips.hpp>
#include <skewgrad/evaluate/robustness.hpp>
#include <skewgrad/evaluate/smallest_epsilon.hpp>
#include <skewgrad/study/claims/case.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// A statistic of one seed and class: its value, if it has one, and over how many images. Below `fewest_images` its
/// class leaves the average, by name.
struct CaseValue {
    std::optional<double> value;
    std::int64_t images = 0;

    bool usable() const { return value && images >= fewest_images; }
};

namespace measures {
template <class Apply>
CaseValue joined(const CaseValue& a, const CaseValue& b, Apply apply) {
    const std::int64_t images = std::min(a.images, b.images);
    if (!a.value || !b.value) return {std::nullopt, images};
    return {apply(*a.value, *b.value), images};
}
}  // namespace measures

inline CaseValue operator-(const CaseValue& a, const CaseValue& b) {
    return measures::joined(a, b, [](double x, double y) { return x - y; });
}
inline CaseValue operator+(const CaseValue& a, const CaseValue& b) {
    return measures::joined(a, b, [](double x, double y) { return x + y; });
}
inline CaseValue operator*(double factor, const CaseValue& a) {
    return {a.value ? std::optional(factor * *a.value) : std::nullopt, a.images};
}

inline std::optional<double> value_of(Ratio r) { return r.defined() ? std::optional<double>(r.value()) : std::nullopt; }
inline CaseValue share(Ratio r) { return {value_of(r), r.of}; }

/// Right answers, without and with the attack, over all images.
inline Ratio clean_right(const Images& images, Label c) {
    Ratio right{0, static_cast<std::int64_t>(images.size())};
    for (std::size_t i = 0; i < images.size(); ++i) right.hits += correct(images[i].clean.said, c);
    return right;
}
inline Ratio attacked_right(const Images& images, Label c) {
    Ratio right{0, static_cast<std::int64_t>(images.size())};
    for (std::size_t i = 0; i < images.size(); ++i) right.hits += correct(images[i].attacked.said, c);
    return right;
}
inline Ratio right(const CleanImages& images, Label c) {
    Ratio all{0, static_cast<std::int64_t>(images.size())};
    for (std::size_t i = 0; i < images.size(); ++i) all.hits += correct(images[i].said, c);
    return all;
}

/// Flips of several networks on the images that all of them get right without attack, evaluate's `matched_flips` on
/// records: one rate a network, and how many images they share.
class MatchedRates {
public:
    MatchedRates(Label c, std::span<const Images> networks) : flips_(networks.size()) {
        for (std::size_t i = 0; i < networks.front().size(); ++i) {
            bool all_right = true;
            for (const Images& n : networks) all_right = all_right && correct(n[i].clean.said, c);
            if (!all_right) continue;
            ++matched_;
            for (std::size_t n = 0; n < flips_.size(); ++n) flips_[n] += !correct(networks[n][i].attacked.said, c);
        }
    }
    MatchedRates(Label c, std::initializer_list<Images> networks)
        : MatchedRates(c, std::span<const Images>(networks.begin(), networks.size())) {}
    CaseValue operator[](std::size_t network) const { return share({flips_.at(network), matched_}); }

private:
    std::vector<std::int64_t> flips_;
    std::int64_t matched_ = 0;
};

/// The primary measure of vulnerability, a's less b's: matched flip rates.
inline CaseValue more_flips(const Case& at, Kind a, Kind b) {
    const MatchedRates rates(at.label(), {at(a), at(b)});
    return rates[0] - rates[1];
}

/// The paper's measure as a share: (clean - attacked) / clean. Undefined over fewer than 50 right answers.
inline CaseValue relative_drop(const Images& images, Label c) {
    const Ratio clean = clean_right(images, c);
    const auto percent = relative_difference(clean, attacked_right(images, c));
    return {percent ? std::optional(*percent / 100) : std::nullopt, clean.hits};
}
/// Clean minus attacked accuracy.
inline CaseValue drop(const Images& images, Label c) {
    return share(clean_right(images, c)) - share(attacked_right(images, c));
}
/// The same in log-odds, nats.
inline CaseValue drop_in_log_odds(const Images& images, Label c) {
    return {log_odds_drop(clean_right(images, c), attacked_right(images, c)), static_cast<std::int64_t>(images.size())};
}

/// log(median smallest epsilon of a / of b) over the images that both get right without attack: above 0 where a needs
/// bigger steps. Along the fast attack's direction, whatever the reading. Undefined where more than half of the images
/// of one never flip.
inline CaseValue log_epsilon_ratio(const Images& a, const Images& b, Label c) {
    std::vector<double> of_a, of_b;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!correct(a[i].clean.said, c) || !correct(b[i].clean.said, c)) continue;
        if (std::isnan(a[i].smallest_epsilon) || std::isnan(b[i].smallest_epsilon))
            throw NotRun("smallest epsilons that flip");
        of_a.push_back(a[i].smallest_epsilon);
        of_b.push_back(b[i].smallest_epsilon);
    }
    const auto median_a = median_epsilon(of_a).value, median_b = median_epsilon(of_b).value;
    const auto images = static_cast<std::int64_t>(of_a.size());
    // A right answer that is a tie flips at 0, where there is no logarithm.
    if (!median_a || !median_b || !(*median_a > 0) || !(*median_b > 0)) return {std::nullopt, images};
    return {std::log(*median_a / *median_b), images};
}

/// Draws of white noise, averaged. @throws NotRun where there is none.
template <class Measure>
CaseValue over_noise(const Case& at, Kind victim, Measure measure) {
    CaseValue sum{0.0, std::numeric_limits<std::int64_t>::max()};
    int draws = 0;
    for (auto noisy = at.noise(victim, 0); noisy; noisy = at.noise(victim, ++draws)) sum = sum + measure(*noisy);
    return (1.0 / draws) * sum;
}

/// Of the wrong answers on the class, the share that says `said`, without and with the attack. The images are those
/// that are wrong.
inline CaseValue clean_error_share(const Images& images, Label c, Label said) {
    Ratio r;
    for (std::size_t i = 0; i < images.size(); ++i) {
        r.of += !correct(images[i].clean.said, c);
        r.hits += correct(images[i].clean.said, said);
    }
    return share(r);
}
inline CaseValue attacked_error_share(const Images& images, Label c, Label said) {
    Ratio r;
    for (std::size_t i = 0; i < images.size(); ++i) {
        r.of += !correct(images[i].attacked.said, c);
        r.hits += correct(images[i].attacked.said, said);
    }
    return share(r);
}

/// How well a score of the clean image tells, among those right without attack, the ones that stay right: the area
/// under the curve, less the half that says nothing.
template <class Score>
CaseValue foretells_survival(const Images& images, Label c, Score score) {
    std::vector<double> stays, flips;
    for (std::size_t i = 0; i < images.size(); ++i)
        if (correct(images[i].clean.said, c))
            (correct(images[i].attacked.said, c) ? stays : flips).push_back(score(images[i]));
    const auto area = area_under_curve(stays, flips);
    return {area ? std::optional(*area - 0.5) : std::nullopt, static_cast<std::int64_t>(stays.size() + flips.size())};
}

}  // namespace SKEWGRAD_NAMESPACE::claims
