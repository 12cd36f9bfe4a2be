// Claims about another network's gradient: C3, C3b, C3c of docs/claims.md, each for under and for over.
#pragma once
#include <cstddef>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/study/claims/claim.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// How much accuracy another network's gradient leaves beyond what the victim's own leaves.
inline CaseValue left_by_another(const Case& at, Kind victim) {
    const Label c = at.label();
    return share(attacked_right(at.transferred(victim), c)) - share(attacked_right(at(victim), c));
}

/// Of the images that the victim's own gradient flips, the share that another network's flips as well.
inline CaseValue transfer_rate(const Case& at, Kind victim) {
    const Images own = at(victim), other = at.transferred(victim);
    Ratio both;
    for (std::size_t i = 0; i < own.size(); ++i) {
        if (!correct(own[i].clean.said, at.label()) || correct(own[i].attacked.said, at.label())) continue;
        ++both.of;
        both.hits += !correct(other[i].attacked.said, at.label());
    }
    return share(both);
}

template <Kind Victim>
struct AnotherGradientIsWeaker : WrittenBefore {
    static constexpr const char* id = Victim == Kind::under ? "C3 under" : "C3 over";
    static constexpr const char* says = "another network's gradient is weaker (section 4.2)";
    static CaseValue statistic(const Case& at) { return left_by_another(at, Victim); }
    static std::vector<Beside> beside() {
        return {{.name = "transfer rate", .statistic = [](const Case& at) { return transfer_rate(at, Victim); }},
                {.name = "source shares the seed", .statistic = statistic, .reading = {.other = From::same_seed}}};
    }
};

template <Kind Victim>
struct AndSkewIsWhy : WrittenBefore {
    static constexpr const char* id = Victim == Kind::under ? "C3b under" : "C3b over";
    static constexpr const char* says = "another network's gradient is weaker because of the skew (section 4.2)";
    static CaseValue statistic(const Case& at) {
        return left_by_another(at, Victim) - left_by_another(at, Kind::balanced);
    }
};

template <Kind Victim>
struct TransferIsAnAttack : WrittenBefore {
    static constexpr const char* id = Victim == Kind::over ? "C3c over" : "C3c under";
    static constexpr const char* says = "what another network's gradient costs is the gradient's doing (section 4.2)";
    static CaseValue statistic(const Case& at) {
        const Label c = at.label();
        return share(attacked_right(at.permuted_transferred(Victim), c)) -
               share(attacked_right(at.transferred(Victim), c));
    }
    static std::vector<Beside> beside() {
        const auto lacking = [](const Case&) -> CaseValue { throw NotRun("gradients of victim and source compared"); };
        return {{.name = "sign agreement, cosine of gradients", .statistic = lacking}};
    }
};

}  // namespace SKEWGRAD_NAMESPACE::claims
