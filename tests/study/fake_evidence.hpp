// Evidence with known effects for the tests of claims: networks that are a few probabilities, images that are draws.
#pragma once
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include <skewgrad/core/random.hpp>
#include <skewgrad/study/claims/evidence.hpp>

namespace fake {

using namespace skewgrad;
using claims::Gradient;
using claims::Kind;
using claims::Method;

/// What a network does, as chances. Flips are among the images that it gets right without attack.
struct Network {
    double clean = 0.85;         ///< recall of the class that it was trained on skewed
    double clean_others = 0.85;  ///< of the others (a network that skews none: of all)
    double flips = 0.60;         ///< by the fast attack, own gradient
    double iterative = 0.75;     ///< by the iterative one
    double transferred = 0.15;   ///< by another seed's gradient
    double same_seed = 0.25;     ///< by the balanced network's of the same seed
    double permuted = 0.03, noise = 0.01;
    double to_partner_clean = 0.3, to_partner_attacked = 0.4;  ///< shares of the errors
    double epsilon = 0.008;                                    ///< median smallest epsilon
    double follows_margin = 0;  ///< 0: flips ignore the margin; 1: the smallest margins flip first
    double scatter = 0.005;     ///< standard deviation between seeds of every flip rate
    int rounds = 40;
    bool out_of_rounds = false;
    bool attacked = true;  ///< false: it was trained, and its cells are not there
};

/// Everything a claim could ask for, drawn from the networks given. Keep it alive as long as its evidence.
class Study {
public:
    std::map<Kind, Network> networks;
    std::vector<std::uint64_t> seeds{1, 2, 3, 4, 5, 6};
    std::size_t images = 400;  ///< a class
    std::vector<std::string> classes{"airplane", "automobile", "bird",  "cat",  "deer",
                                     "dog",      "frog",       "horse", "ship", "truck"};
    /// May leave out cells, to play a study that is not complete.
    std::function<bool(const claims::CellName&)> has = [](const claims::CellName&) { return true; };
    /// What a network's flip rate differs by in one class (of one seed).
    std::function<double(Kind, std::uint64_t seed, int c)> more = [](Kind, std::uint64_t, int) { return 0.0; };

    /// Where errors on a class go, if not as its network says.
    std::function<double(int c, bool attacked)> to_partner;
    /// What goes wrong in a cell.
    std::function<void(const claims::CellName&, std::vector<ImageRecord>&)> spoil;

    claims::Evidence evidence() {
        claims::Evidence all(classes);
        all.blocks = seeds;
        all.partners.resize(classes.size());
        if (classes.size() == 10 && classes[3] == "cat")
            for (const int c : {1, 3, 5, 9}) all.partners[static_cast<std::size_t>(c)] = Label(look_alike(c, c));
        for (const auto seed : seeds)
            for (const auto& [kind, network] : networks)
                for (int c = 0; c < static_cast<int>(classes.size()); ++c) add(all, seed, kind, network, c);
        return all;
    }

private:
    /// Uniform in (0, 1): a function of what it is for.
    static double uniform(std::uint64_t seed, std::uint32_t what, std::uint32_t c, std::uint32_t image) {
        const Words w = draw({.seed = Seed{seed},
                              .purpose = Purpose::noise,
                              .node = static_cast<std::uint16_t>(c),
                              .item = image,
                              .epoch = what},
                             0);
        return (w[0] + 0.5) / 4294967296.0;
    }
    static double normal(std::uint64_t seed, std::uint32_t what, std::uint32_t c) {
        return std::sqrt(-2 * std::log(uniform(seed, what, c, 0))) *
               std::cos(2 * std::numbers::pi * uniform(seed, what, c, 1));
    }
    /// Right, or the look-alike with a chance, or else a stranger.
    Prediction answer(bool right, int c, double chance, double u) const {
        const int k = static_cast<int>(classes.size()), partner = look_alike(c, c ^ 1);
        const int stranger = (c + 2) % k == partner ? (c + 4) % k : (c + 2) % k;
        return Prediction(right ? c : u < chance ? partner : stranger);
    }
    /// Cat and dog, automobile and truck in CIFAR-10's order; else the other one given.
    int look_alike(int c, int other) const {
        if (classes[3] != "cat") return other;
        return c == 3 ? 5 : c == 5 ? 3 : c == 1 ? 9 : c == 9 ? 1 : other;
    }

    void add(claims::Evidence& all, std::uint64_t seed, Kind kind, const Network& n, int c) {
        const auto label = Label(c);
        const claims::NetworkName name{
            .block = seed, .kind = kind, .skewed = claims::skews(kind) ? std::optional(label) : std::nullopt};
        const auto k = static_cast<std::uint32_t>(kind);
        const auto clean_of = [&](int of) {
            std::vector<Outcome> records(images);
            const double recall = of == c || !claims::skews(kind) ? n.clean : n.clean_others;
            for (std::uint32_t i = 0; i < images; ++i) {
                // An image is as hard for one network as for another.
                const double hard = uniform(0, 1, of, i);
                const bool right = hard < recall;
                records[i].predicted = answer(right, of, to_partner ? to_partner(of, false) : n.to_partner_clean,
                                              uniform(seed, 100 + k, of, i));
                records[i].margin = static_cast<float>(recall - hard);
            }
            return records;
        };
        if (all.find(name) == nullptr) {
            claims::NetworkRecord record{.clean = {},
                                         .counts = std::vector<int>(classes.size(), 4500),
                                         .rounds = n.rounds,
                                         .out_of_rounds = n.out_of_rounds};
            for (int of = 0; of < static_cast<int>(classes.size()); ++of) record.clean.push_back(clean_of(of));
            all.add(name, std::move(record));
        }
        if (!n.attacked) return;
        const std::vector<Outcome> clean = clean_of(c);
        const double shift = n.scatter * normal(seed, 200 + k, c) + more(kind, seed, c);
        const auto cell = [&](Gradient gradient, Method method, double flips, int draw = 0) {
            const claims::CellName cell_name{
                .victim = name, .attacked = label, .gradient = gradient, .method = method, .draw = draw};
            if (!has(cell_name)) return;
            auto& records = kept_.emplace_back(images);
            const std::uint32_t what = 1000 + k * 100 + static_cast<std::uint32_t>(gradient) * 30 +
                                       static_cast<std::uint32_t>(method) * 3 + static_cast<std::uint32_t>(draw);
            for (std::uint32_t i = 0; i < images; ++i) {
                ImageRecord& r = records[i];
                r.item = i;
                r.clean = clean[i];
                r.clean.loss = 0.5F;
                const bool was_right = correct(r.clean.predicted, label);
                const double u = uniform(seed, what, c, i), rank = r.clean.margin / n.clean;
                const bool flipped =
                    was_right && (u < n.follows_margin ? rank < flips : uniform(seed, what + 5000, c, i) < flips);
                r.attacked.predicted =
                    answer(was_right && !flipped, c, to_partner ? to_partner(c, true) : n.to_partner_attacked,
                           uniform(seed, what + 9000, c, i));
                r.attacked.loss = 0.6F;
                r.gradient_norm1 = 1;
                if (method == Method::fast)
                    r.smallest_epsilon = was_right ? n.epsilon * std::exp(0.5 * normal(seed, what, c * 1000 + i)) : 0;
            }
            if (spoil) spoil(cell_name, records);
            all.add(cell_name, records);
        };
        cell(Gradient::own, Method::fast, n.flips + shift);
        cell(Gradient::other_seed, Method::fast, n.transferred + shift);
        cell(Gradient::same_seed, Method::fast, n.same_seed + shift);
        cell(Gradient::own, Method::iterative, n.iterative + shift);
        cell(Gradient::other_seed, Method::iterative, n.transferred + shift);
        cell(Gradient::own, Method::permuted, n.permuted);
        cell(Gradient::other_seed, Method::permuted, n.permuted);
        cell(Gradient::own, Method::random, n.noise, 0);
        cell(Gradient::own, Method::random, n.noise, 1);
        cell(Gradient::own, Method::fast_tenth, 0.1);
        cell(Gradient::own, Method::iterative_far, 1.0);
    }

    std::deque<std::vector<ImageRecord>> kept_;
};

/// Balanced, under and over with the same chances but for what `change` does to them.
inline Study three(const std::function<void(Study&)>& change) {
    Study study;
    study.networks = {{Kind::balanced, {}}, {Kind::under, {}}, {Kind::over, {}}};
    change(study);
    return study;
}

}  // namespace fake
