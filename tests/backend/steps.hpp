// Noise as bytes, and training steps on a batch of it, on any backend.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <skewgrad/model/model.hpp>
#include <utility>
#include <vector>

#include "backend/subjects.hpp"

namespace skewgrad_tests {

template <class N>
std::shared_ptr<const skewgrad::ImageStore> noise_store(std::size_t images) {
    std::vector<std::uint8_t> bytes(images * static_cast<std::size_t>(N::image.size()));
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(256 * random_number(3, static_cast<std::uint32_t>(i)));
    return skewgrad::make_store("noise", N::image, std::move(bytes), labels_in_turn(images, N::classes));
}

/// The model after `steps` steps on one batch, the epoch counting up.
template <class M, class O>
void train(M& model, const std::shared_ptr<const skewgrad::ImageStore>& store, skewgrad::Batch batch,
           const O& optimiser, int steps, skewgrad::StepState& state) {
    using Program = typename M::Program;
    auto& on = model.context();
    auto own = Program::make_workspace(on, skewgrad::Mode::train, static_cast<int>(batch.picks.size()));
    auto training = Program::make_training(on, optimiser);
    const auto bytes = Program::upload(on, store);
    for (int i = 0; i < steps; ++i, ++batch.epoch)
        Program::template train_step<skewgrad::CrossEntropy>(on, model.backend_parameters(), bytes, batch, own,
                                                             training, state);
    Program::read(on, training, state);
    on.wait();
}

}  // namespace skewgrad_tests
