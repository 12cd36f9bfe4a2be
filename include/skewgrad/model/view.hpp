// Models as attacks and training steps see them: interfaces named by the space alone, whatever network runs.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/pass.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A model that can be attacked. Images lie in the space, in the order `pixels()`. Any number of images may be given;
/// each image's results are its own. A call may be recorded where the model's own work may be; a user's model on the
/// host runs at once.
template <Space S>
class ModelView {
public:
    using Real = typename S::Real;

    virtual ~ModelView() = default;
    virtual typename S::Queue queue() const = 0;
    virtual PixelOrder pixels() const = 0;
    virtual int classes() = 0;
    /// How many images suit the model at a time: what is made of them is then still in a near cache.
    virtual int images_at_a_time() const = 0;
    /// Shows the logits of all images to `visit`.
    virtual void forward(const Real* x, int count, const Pass& pass, Visit<S> visit) = 0;
    /// The same, and dx = J(x)^T dz for the dz that `visit` writes.
    virtual void differentiate(const Real* x, int count, const Pass& pass, Visit<S> visit, Real* dx) = 0;
};

/// A network in training: passes with gradients of its parameters, and the update.
template <Space S>
class TrainingView : public ModelView<S> {
public:
    /// Picks of one block of a training batch.
    virtual int images_at_a_time(const Pass& pass, int count) const = 0;
    using ModelView<S>::images_at_a_time;
    /// Adds the parameters' gradients of the dz that `visit` writes.
    virtual void train(const typename S::Real* x, int count, const Pass& pass, Visit<S> visit) = 0;
    /// The optimiser's step of an update, as bytes for a step's inputs; and the update by such a step.
    virtual std::size_t input_bytes() const = 0;
    virtual void input(std::uint64_t updates, std::byte* to) const = 0;
    virtual void update(const std::byte* input, const StepState* state) = 0;
};

}  // namespace SKEWGRAD_NAMESPACE
