// An attack's loss in a space: its formula, the labels of its gradients, and the visits that write them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <skewgrad/attack/attack.hpp>
#include <skewgrad/model/row_loss.hpp>
#include <skewgrad/model/space_images.hpp>

namespace SKEWGRAD_NAMESPACE::attack {

/// Radius of the ball and length of a step of each image: both times the task's scale.
template <class R>
struct Sizes {
    R epsilon, alpha;
    const R* scale;
    R *radius, *length;
    SKEWGRAD_FN void operator()(int n) const {
        const R by = scale ? scale[n] : R(1);
        radius[n] = epsilon * by;
        length[n] = alpha * by;
    }
};

/// The labels that a model predicts; where a logit is not finite there is none: label 0, and a flag.
template <class R>
struct PredictLabels {
    LogitBlock<R> block;
    Label* labels;
    std::uint8_t* missing;
    SKEWGRAD_FN void operator()(int n) const {
        const int best = argmax_of(block.z[n], block.z.classes);
        labels[block.first + n] = static_cast<Label>(best < 0 ? 0 : best);
        missing[block.first + n] = best < 0;
    }
};

/// The loss of an attack in a space, for at most `images` images at a time. Its table is empty: an attack knows no
/// class counts.
template <Space S, Loss L>
struct Scores {
    using Real = typename S::Real;
    using Formula = FormulaOf<L>;
    template <class T>
    using Array = typename S::template Array<T>;

    Scores(ModelView<S>& model, L loss, int images, LabelSource from = LabelSource::True) : from_(from) {
        const auto on = model.queue();
        const auto count = static_cast<std::size_t>(images);
        const Formula one = loss.at(Moment{});  // an attack's loss does not change with the epoch
        formula_ = S::template make<Formula>(on, 1);
        S::template put<Formula>(on, {&one, 1}, formula_);
        losses_ = S::template make<double>(on, count);
        correct_ = S::template make<std::uint8_t>(on, count);
        if constexpr (L::pairs) {
            classes_ = model.classes();
            without_ = S::template make<Real>(on, count * static_cast<std::size_t>(classes_));
        }
        if (from == LabelSource::Predicted) {
            labels_ = S::template make<Label>(on, count);
            missing_ = S::template make<std::uint8_t>(on, count);
        }
    }

    const double* losses() const { return losses_.data(); }
    const std::uint8_t* correct() const { return correct_.data(); }
    /// Passes that `begin` makes.
    static Passes passes(LabelSource from) {
        return {.forward = (L::pairs ? 1 : 0) + (from == LabelSource::Predicted)};
    }

    /// What the loss is taken at, from the images without the attack: predicted labels, logits for a loss of pairs.
    void begin(ModelView<S>& model, const Task<S>& task) {
        if constexpr (L::pairs) model.forward(task.x, task.count, task.pass, images::keep_rows<S>(without_.data()));
        if (from_ == LabelSource::Predicted)
            model.forward(task.x, task.count, task.pass, [this](const auto& on, const LogitBlock<Real>& block) {
                S::each(on, block.count, PredictLabels<Real>{block, labels_.data(), missing_.data()});
            });
    }
    /// A visit that writes the loss of each image, its gradient where one is asked for, and whether the prediction is
    /// the label.
    auto visit(const Task<S>& task) {
        return [this, &task](const auto& on, const LogitBlock<Real>& block) {
            S::each(on, block.count,
                    RowLoss<Formula, Real>{.formula = formula_.data(),
                                           .block = block,
                                           .labels = from_ == LabelSource::Predicted ? labels_.data() : task.labels,
                                           .targets = task.targets,
                                           .without = {without_.data(), classes_, classes_},
                                           .losses = losses_.data(),
                                           .correct = correct_.data()});
        };
    }
    /// @throws NumericalError where an image had no prediction to take the gradient at; waits. `first` is the number of
    /// the first image, for the message.
    void check(const char* name, const typename S::Queue& on, int count, std::size_t first) const {
        if (from_ == LabelSource::True) return;
        std::vector<std::uint8_t> missing(static_cast<std::size_t>(count));
        S::template get<std::uint8_t>(on, missing_, missing);
        for (std::size_t n = 0; n < missing.size(); ++n)
            if (missing[n])
                throw NumericalError(std::string(name) + ": the source's logits of image " + std::to_string(first + n) +
                                     " are not finite, so that it predicts no label to take the gradient at");
    }

private:
    LabelSource from_;
    Array<Formula> formula_;
    Array<double> losses_;
    Array<std::uint8_t> correct_;
    Array<Real> without_;
    Array<Label> labels_;
    Array<std::uint8_t> missing_;
    int classes_ = 0;
};

}  // namespace SKEWGRAD_NAMESPACE::attack
