// Which trainings of a study failed, and which of its networks and cells are therefore missing.
#pragma once
#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/study/plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Reasons by the plan's numbers. A network is lost if its training failed or, for an adjusted one, the training that
/// it adjusts. Thread-safe.
class FailedTrainings {
public:
    explicit FailedTrainings(const Plan& plan) : reasons_(plan.trainings.size()) {
        for (std::size_t t = 0; t < plan.trainings.size(); ++t)
            trained_as_.push_back(plan.trainings[t].adjusts.value_or(t));
    }

    void add(std::size_t training, std::string reason) {
        const std::scoped_lock lock(guard_);
        reasons_[training] = std::move(reason);
    }
    bool is_lost(std::size_t network) const {
        const std::scoped_lock lock(guard_);
        return !reasons_[trained_as_[network]].empty();
    }
    bool is_lost(const CellGroup& group) const { return is_lost(group.victim) || is_lost(group.source); }
    /// Why each network is missing; empty: it is not.
    std::vector<std::string> reasons() const {
        const std::scoped_lock lock(guard_);
        std::vector<std::string> all = reasons_;
        for (std::size_t t = 0; t < all.size(); ++t)
            if (trained_as_[t] != t && !reasons_[trained_as_[t]].empty())
                all[t] = "the training that it adjusts failed";
        return all;
    }

private:
    std::vector<std::size_t> trained_as_;  // the training of which each network is made
    mutable std::mutex guard_;
    std::vector<std::string> reasons_;
};

}  // namespace SKEWGRAD_NAMESPACE::study
