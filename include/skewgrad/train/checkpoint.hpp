// A training session saved and continued at a round's end: parameters, best parameters, optimiser state and position.
#pragma once
#include <cstddef>
#include <filesystem>

#include <skewgrad/train/session.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE {

template <ANetwork N, Backend B, Optimiser O, Loss L, class P>
checkpoint::Identity Session<N, B, O, L, P>::identity() const {
    return {.network = describe<N>(),
            .backend = B::name(),
            .runs_on = model_.context().description(),
            .loss = named_json(loss_),
            .perturbation = named_json(perturbation_),
            .optimiser = named_json(optimiser()),
            .recipe = recipe(),
            .seed = seed(),
            .digests = digests()};
}

template <ANetwork N, Backend B, Optimiser O, Loss L, class P>
void Session<N, B, O, L, P>::save(const std::filesystem::path& path, const Notes& notes) const {
    using Real = typename B::Real;
    auto lists = checkpoint::lists_of<Real>(O::slots, N::state_size);
    Operations::export_parameters(model_.context(), ModelType::plan(), model_.backend_parameters(), lists[0].second);
    Operations::export_parameters(model_.context(), ModelType::plan(), best_, lists[1].second);
    for (int slot = 0; slot < O::slots; ++slot)
        Operations::export_slot(model_.context(), ModelType::plan(), work_->network.training(), slot,
                                lists[2 + static_cast<std::size_t>(slot)].second);
    model_.context().wait();
    checkpoint::write<Real>(path, network_file::layout_of<N>(), identity(), position(), lists, notes);
}

template <ANetwork N, Backend B, Optimiser O, Loss L, class P>
void Session<N, B, O, L, P>::load(const std::filesystem::path& path, const Notes& expected, FromHardware accepted) {
    using Real = typename B::Real;
    auto lists = checkpoint::lists_of<Real>(O::slots, 0);
    set_position(checkpoint::read<Real>(path, network_file::layout_of<N>(), identity(), data().size(), lists, expected,
                                        accepted));
    Operations::import_parameters(model_.context(), ModelType::plan(), model_.backend_parameters(), lists[0].second);
    Operations::import_parameters(model_.context(), ModelType::plan(), best_, lists[1].second);
    for (int slot = 0; slot < O::slots; ++slot)
        Operations::import_slot(model_.context(), ModelType::plan(), work_->network.training(), slot,
                                lists[2 + static_cast<std::size_t>(slot)].second);
    work_->step.set_state({.loss_sum = sums().loss_sum, .images = sums().images, .correct_sum = sums().correct});
}

}  // namespace SKEWGRAD_NAMESPACE
