// A training session saved and continued at a round's end: parameters, best parameters, optimiser state and position.
#pragma once
#include <cstddef>
#include <filesystem>

#include <skewgrad/train/session.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE {

template <ANetwork N, Backend B, Optimiser O, class Loss>
checkpoint::Identity Session<N, B, O, Loss>::identity() const {
    return {.network = describe<N>(),
            .backend = B::name(),
            .runs_on = model_.context().description(),
            .loss = Loss::name,
            .optimiser = named_json(optimiser_),
            .recipe = recipe(),
            .seed = seed(),
            .digests = digests()};
}

template <ANetwork N, Backend B, Optimiser O, class Loss>
void Session<N, B, O, Loss>::save(const std::filesystem::path& path, const Notes& notes) const {
    using Real = typename B::Real;
    auto lists = checkpoint::lists_of<Real>(O::slots, N::state_size);
    Program::export_parameters(model_.context(), model_.backend_parameters(), lists[0].second);
    Program::export_parameters(model_.context(), best_, lists[1].second);
    for (int slot = 0; slot < O::slots; ++slot)
        Program::export_slot(model_.context(), training_, slot, lists[2 + static_cast<std::size_t>(slot)].second);
    model_.context().wait();
    checkpoint::write<Real>(path, network_file::layout_of<N>(), identity(), position(), lists, notes);
}

template <ANetwork N, Backend B, Optimiser O, class Loss>
void Session<N, B, O, Loss>::load(const std::filesystem::path& path, const Notes& expected, FromHardware accepted) {
    using Real = typename B::Real;
    auto lists = checkpoint::lists_of<Real>(O::slots, 0);
    set_position(checkpoint::read<Real>(path, network_file::layout_of<N>(), identity(), data().size(), lists, expected,
                                        accepted));
    Program::import_parameters(model_.context(), model_.backend_parameters(), lists[0].second);
    Program::import_parameters(model_.context(), best_, lists[1].second);
    for (int slot = 0; slot < O::slots; ++slot)
        Program::import_slot(model_.context(), training_, slot, lists[2 + static_cast<std::size_t>(slot)].second);
}

}  // namespace SKEWGRAD_NAMESPACE
