// Threads share out patches. Patches that share pixels add to the same gradient: they stay with the
// thread that has their image, in their order, so that no sum depends on chance.

#include "toponet/topological_loss.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iomanip>
#include <sstream>
#include <stdexcept>
#include <string>

#include "toponet/betti_numbers.hpp"
#include "toponet/divide_threads.hpp"
#include "toponet/parallel_for.hpp"
#include "toponet/persistence.hpp"

namespace toponet {
namespace {

/// NaN lies outside. No early exit: the loop is vectorised.
template <class Value>
bool in_unit_interval(const Value* row, std::int64_t count) {
    unsigned outside = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        outside |= (row[i] >= Value(0) ? 0u : 1u) | (row[i] <= Value(1) ? 0u : 1u);
    }
    return outside == 0;
}

template <class Value>
void check_probabilities(const ImageView<Value>& image) {
    for (std::int64_t r = 0; r < image.height; ++r) {
        const Value* row = image.row(r);
        if (in_unit_interval(row, image.width)) continue;
        while (*row >= 0 && *row <= 1) ++row;
        std::ostringstream sentence;
        // Enough digits to tell a float from 1.
        sentence << std::setprecision(9) << "must hold probabilities in [0, 1], got ";
        if (std::isnan(*row)) {
            sentence << "NaN";
        } else {
            sentence << *row << "; apply sigmoid or softmax to logits first";
        }
        throw std::invalid_argument(sentence.str());
    }
}

/// All finite dots of a binary truth lie at (1, 0), so that its Betti numbers are its diagram;
/// without a frame, one component never dies.
BinaryTruth binary_truth(const BettiNumbers& numbers, bool frame) {
    const bool any = numbers.components > 0;
    BinaryTruth truth;
    truth.dimension[0] = {numbers.components - (!frame && any), any ? 1.0 : 0.0};
    truth.dimension[1] = {numbers.holes, 0.0};
    return truth;
}

/// One thread's workspace.
template <class Value>
class PatchLoss {
  public:
    PatchLoss(const LossBatch<Value>& batch, const LossOptions& options, int num_threads)
        : batch_(batch), options_(options), num_threads_(num_threads) {}

    /// \param gradient  of the patch's image.
    /// \return the patch's loss times its weight.
    double compute(std::size_t patch, std::size_t image, Value* gradient) {
        const Box& box = batch_.patches[patch];
        const ImageView<Value>& whole = batch_.images[image];
        const double weight = batch_.patch_weights[patch];
        const ImageView<Value> view{whole.row(box.row) + box.column, box.height, box.width,
                                    whole.row_stride};
        Value* const corner = gradient + box.row * whole.width + box.column;
        // Whole rows lie in the gradient as in the patch; others are made apart and copied.
        const bool in_place = box.width == whole.width && !batch_.patches_overlap;
        Value* own = corner;
        if (!in_place) {
            gradient_.resize(static_cast<std::size_t>(box.pixel_count()));
            own = gradient_.data();
        }
        std::fill_n(own, box.pixel_count(), Value(0));
        const double loss = weight == 0 ? 0 : match(patch, image, view, weight, own);
        if (!in_place) {
            for (std::int64_t r = 0; r < box.height; ++r) {
                const Value* from = own + r * box.width;
                Value* to = corner + r * whole.width;
                if (batch_.patches_overlap) {
                    for (std::int64_t c = 0; c < box.width; ++c) to[c] += from[c];
                } else {
                    std::copy_n(from, box.width, to);
                }
            }
        }
        return loss;
    }

  private:
    double match(std::size_t patch, std::size_t image, const ImageView<Value>& view, double weight,
                 Value* gradient) {
        check_in("likelihood", image, [&] { check_probabilities(view); });
        const BinaryTruth truth = truth_of(patch, image);
        engine_.compute(view, options_.filtration, diagram_, num_threads_);
        const bool wanted[2] = {options_.filtration.dimension_0, options_.filtration.dimension_1};
        double loss = 0;
        for (std::size_t dimension = 0; dimension < 2; ++dimension) {
            if (!wanted[dimension]) continue;
            const double factor = weight * options_.dimension_weights[dimension];
            loss +=
                factor * matcher_.match(diagram_.dimension[dimension], truth.dimension[dimension],
                                        options_.matching, factor, gradient);
        }
        return loss;
    }

    BinaryTruth truth_of(std::size_t patch, std::size_t image) {
        if (batch_.masks.empty()) return batch_.truths[patch];
        const Box& box = batch_.patches[patch];
        check_in("target", image, [&] { copy_mask(batch_.masks[image], box, mask_); });
        const FiltrationOptions& filtration = options_.filtration;
        const ImageView<std::uint8_t> view{mask_.data(), box.height, box.width, box.width};
        return binary_truth(counter_.count(view, filtration.connectivity, filtration.frame),
                            filtration.frame);
    }

    template <class Check>
    static void check_in(const char* name, std::size_t image, const Check& check) {
        try {
            check();
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument(std::string(name) + " " + error.what() + " (image " +
                                        std::to_string(image) + " of the batch)");
        }
    }

    const LossBatch<Value>& batch_;
    const LossOptions& options_;
    const int num_threads_;
    UnionFindPersistence<Value> engine_;
    Diagram<Value> diagram_;
    BettiCounter counter_;
    BinaryMatcher matcher_;
    std::vector<std::uint8_t> mask_;
    std::vector<Value> gradient_;
};

}  // namespace

template <class Value>
void topological_loss(const LossBatch<Value>& batch, const LossOptions& options, int num_threads,
                      Value* gradient, double* losses) {
    const std::size_t images = batch.images.size();
    const std::size_t patches = batch.patches.size();
    if (images == 0) return;
    const std::size_t per_image = patches / images;
    const std::size_t per_task = batch.patches_overlap ? per_image : 1;
    const auto tasks = static_cast<std::int64_t>(patches / per_task);
    std::int64_t pixels = 0;
    for (const Box& box : batch.patches) pixels += box.pixel_count();
    const Division division =
        divide_threads(tasks, pixels, num_threads, UnionFindPersistence<Value>::pixels_per_thread);

    std::vector<PatchLoss<Value>> workers(static_cast<std::size_t>(division.tasks),
                                          PatchLoss<Value>(batch, options, division.threads_each));
    std::vector<double> patch_losses(patches);
    const std::int64_t image_pixels = batch.images[0].pixel_count();
    parallel_for(tasks, division.tasks, [&](int thread, std::int64_t task) {
        PatchLoss<Value>& worker = workers[static_cast<std::size_t>(thread)];
        const std::size_t first = static_cast<std::size_t>(task) * per_task;
        const std::size_t image = first / per_image;
        Value* const image_gradient = gradient + static_cast<std::int64_t>(image) * image_pixels;
        if (batch.patches_overlap) std::fill_n(image_gradient, image_pixels, Value(0));
        for (std::size_t patch = first; patch < first + per_task; ++patch) {
            patch_losses[patch] = worker.compute(patch, image, image_gradient);
        }
    });
    std::fill_n(losses, images, 0.0);
    for (std::size_t patch = 0; patch < patches; ++patch) {
        losses[patch / per_image] += patch_losses[patch];
    }
}

template void topological_loss(const LossBatch<float>&, const LossOptions&, int, float*, double*);
template void topological_loss(const LossBatch<double>&, const LossOptions&, int, double*, double*);

}  // namespace toponet
