// Type-erased inputs of planning a study, so that planning is compiled once for all studies.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/study/claims/names.hpp>
#include <skewgrad/study/plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// A name for the claims as the study gives it (Called), and the default of the type.
template <class Name>
struct NameToPlan {
    std::optional<Name> called, by_default;
};

/// A kind of network: its description for each of the study's classes, all equal if it skews none.
struct KindToPlan {
    NameToPlan<claims::KindName> name;
    std::vector<nlohmann::json> descriptions;
    bool skews = false;
    std::optional<Label> only;                ///< the only class that it is trained for; none: every class
    std::function<Seed(Seed)> training_seed;  ///< empty: the seed unchanged
};

struct AttackToPlan {
    NameToPlan<claims::AttackName> name;
    nlohmann::json description;
    bool uses_model = true;  ///< false: noise, with one cell for each victim
    bool self_check = false;
};

struct ToPlan {
    nlohmann::json learner;  ///< with its data_protocol
    std::vector<KindToPlan> kinds;
    std::vector<Source> sources;
    std::vector<AttackToPlan> attacks;
    std::vector<Label> classes;
    std::vector<Seed> seeds;
    bool adjust_logits = false;          ///< adds a logit-adjusted copy of each kind that is trained for each class
    std::vector<claims::Kind> transfer;  ///< kinds between which the first attack is transferred, both ways
    std::vector<std::string> left_out;
};

}  // namespace SKEWGRAD_NAMESPACE::study
