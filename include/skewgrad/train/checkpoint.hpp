// A training session saved and continued at a look's end: parameters, best parameters, optimiser state and position.
#pragma once
#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/train/session.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE {

template <ANetwork N, Backend B, Optimiser O, class Loss>
const std::array<std::string, 2>& Session<N, B, O, Loss>::digests() const {
    if (!digests_) digests_ = {checkpoint::digest_of(data_), checkpoint::digest_of(held_)};
    return *digests_;
}

template <ANetwork N, Backend B, Optimiser O, class Loss>
template <class Use>
auto Session<N, B, O, Loss>::with_identity(Use use) const {
    const auto rates = optimiser_.rates();
    return use(checkpoint::Identity{.network = describe<N>(),
                                    .backend = B::name(),
                                    .runs_on = model_.context().description(),
                                    .loss = Loss::name,
                                    .optimiser = O::name,
                                    .rates = rates,
                                    .recipe = recipe_,
                                    .seed = seed_,
                                    .digests = digests()});
}

template <ANetwork N, Backend B, Optimiser O, class Loss>
void Session<N, B, O, Loss>::save(const std::filesystem::path& path, const Notes& notes) const {
    using Real = typename B::Real;
    std::vector<checkpoint::NamedValues<Real>> lists;
    const auto list = [&](std::string name) -> std::vector<Real>& {
        return lists.emplace_back(std::move(name), std::vector<Real>(N::state_size)).second;
    };
    Program::export_parameters(model_.context(), model_.backend_parameters(), list("parameters"));
    Program::export_parameters(model_.context(), *best_, list("best"));
    for (int slot = 0; slot < O::slots; ++slot)
        Program::export_slot(model_.context(), training_, slot, list("slot" + std::to_string(slot)));
    model_.context().wait();
    const checkpoint::Position position{history_, state_, epoch_, position_};
    with_identity([&](const checkpoint::Identity& identity) {
        checkpoint::write<Real>(path, network_file::layout_of<N>(), identity, position, lists, notes);
    });
}

template <ANetwork N, Backend B, Optimiser O, class Loss>
void Session<N, B, O, Loss>::load(const std::filesystem::path& path, const Notes& expected, FromHardware accepted) {
    using Real = typename B::Real;
    std::vector<checkpoint::NamedValues<Real>> lists{{"parameters", {}}, {"best", {}}};
    for (int slot = 0; slot < O::slots; ++slot) lists.push_back({"slot" + std::to_string(slot), {}});
    checkpoint::Position position = with_identity([&](const checkpoint::Identity& identity) {
        return checkpoint::read<Real>(path, network_file::layout_of<N>(), identity, data_.size(), lists, expected,
                                      accepted);
    });
    history_ = std::move(position.history);
    state_ = position.state;
    epoch_ = position.epoch;
    position_ = position.in_epoch;
    order_.clear();
    Program::import_parameters(model_.context(), model_.backend_parameters(), lists[0].second);
    Program::import_parameters(model_.context(), *best_, lists[1].second);
    for (int slot = 0; slot < O::slots; ++slot)
        Program::import_slot(model_.context(), training_, slot, lists[2 + static_cast<std::size_t>(slot)].second);
}

}  // namespace SKEWGRAD_NAMESPACE
