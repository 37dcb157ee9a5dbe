/// Patches of a batch of likelihood maps, and the sum of a comparison over them.
///
/// What all losses share is here: boxes, weights, overlap, threads and buffers of the gradient.
/// What is done with one patch is a comparison. It knows nothing of other patches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "toponet/basics/divide_threads.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/box.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/loss/patch_geometry.hpp"

namespace toponet {

/// A batch of likelihood maps of one size, cut into patches.
///
/// \tparam View, Region  of images or of volumes; see patch_geometry.hpp.
template <class View, class Region>
struct CutBatch {
    std::vector<View> likelihoods;  ///< Rows without gaps.
    std::vector<Region> boxes;      ///< As many for each image, one image after the other.
    std::vector<double> weights;    ///< Of each patch; a patch of weight 0 isn't looked at.
    /// Whether patches of one image may share pixels; otherwise they cover the image.
    bool overlap;

    std::size_t boxes_per_image() const { return boxes.size() / likelihoods.size(); }
};

/// One patch of a batch.
template <class View, class Region>
struct CutPatch {
    std::size_t number;  ///< In the batch.
    std::size_t image;   ///< In the batch.
    Region box;          ///< In its image.
    View likelihood;
    double weight;
};

template <class Value>
using PatchBatch = CutBatch<ImageView<Value>, Box>;
template <class Value>
using Patch = CutPatch<ImageView<Value>, Box>;

/// Runs a check of one image's values. \throws std::invalid_argument with its name and place.
template <class Check>
void check_in_batch(const char* name, std::size_t image, const Check& check) {
    try {
        check();
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(std::string(name) + " " + error.what() + " (image " +
                                    std::to_string(image) + " of the batch)");
    }
}

/// One thread's view of a batch: its comparison, and a buffer for gradients of patches.
template <class Value, class Comparison, class View, class Region>
class PatchWorker {
  public:
    template <class... Arguments>
    PatchWorker(const CutBatch<View, Region>& batch, const Arguments&... arguments)
        : batch_(batch), comparison_(arguments...) {}

    /// \param gradient  of the patch's image.
    /// \return the patch's loss times its weight.
    double compute(std::size_t number, Value* gradient) {
        const std::size_t image = number / batch_.boxes_per_image();
        const Region& box = batch_.boxes[number];
        const View& whole = batch_.likelihoods[image];
        const CutPatch<View, Region> patch{number, image, box, part_of(whole, box),
                                           batch_.weights[number]};
        // A patch of whole rows is laid out as the image's gradient is. Gradients of other patches
        // are made in a buffer and copied.
        const bool in_place = is_without_gaps(whole, box) && !batch_.overlap;
        if (!in_place) gradient_.resize(to_size(box.pixel_count()));
        Value* const own = in_place ? gradient + first_pixel(whole, box) : gradient_.data();
        std::fill_n(own, box.pixel_count(), Value(0));
        const double loss = patch.weight == 0 ? 0 : comparison_.compare(patch, own);
        if (!in_place) hand_over(whole, box, gradient);
        return loss;
    }

  private:
    /// Brings the patch's own gradient into its image's.
    void hand_over(const View& whole, const Region& box, Value* gradient) const {
        const Value* from = gradient_.data();
        for_each_row(whole, box, [&](std::int64_t first) {
            Value* to = gradient + first;
            if (batch_.overlap) {
                for (std::int64_t c = 0; c < box.width; ++c) to[c] += from[c];
            } else {
                std::copy_n(from, box.width, to);
            }
            from += box.width;
        });
    }

    const CutBatch<View, Region>& batch_;
    Comparison comparison_;
    std::vector<Value> gradient_;
};

/// Loss of each image: the weighted sum of a comparison over its patches.
///
/// The patches are shared out over threads. Patches that overlap add to the same gradient. So one
/// thread computes all patches of an image, in their order: no sum depends on which thread is
/// faster.
///
/// \tparam Comparison  each thread has one of its own, with a workspace. It is made of (truths,
///         options, number of threads). Its compare(patch, gradient) returns the loss of a patch
///         times its weight, and adds the derivative to `gradient`, which is laid out as the patch
///         and holds zeros. Its pixels_per_thread says how many pixels are worth starting a thread
///         for.
/// \param gradient  one image after the other, overwritten.
/// \param losses    one for each image.
template <class Comparison, class Value, class View, class Region, class Truths, class Options>
void sum_over_patches(const CutBatch<View, Region>& batch, const Truths& truths,
                      const Options& options, int num_threads, Value* gradient, double* losses) {
    const std::size_t images = batch.likelihoods.size();
    if (images == 0) return;
    const std::size_t per_image = batch.boxes_per_image();
    const std::size_t per_task = batch.overlap ? per_image : 1;
    const auto tasks = static_cast<std::int64_t>(batch.boxes.size() / per_task);
    std::int64_t pixels = 0;
    for (const Region& box : batch.boxes) pixels += box.pixel_count();
    const Division division =
        divide_threads(tasks, pixels, num_threads, Comparison::pixels_per_thread);

    std::vector<PatchWorker<Value, Comparison, View, Region>> workers;
    workers.reserve(to_size(division.tasks));
    for (int thread = 0; thread < division.tasks; ++thread) {
        workers.emplace_back(batch, truths, options, division.threads_each);
    }
    std::vector<double> patch_losses(batch.boxes.size());
    const std::int64_t image_pixels = batch.likelihoods[0].pixel_count();
    parallel_for(tasks, division.tasks, [&](int thread, std::int64_t task) {
        const std::size_t first = to_size(task) * per_task;
        Value* const image_gradient =
            gradient + static_cast<std::int64_t>(first / per_image) * image_pixels;
        if (batch.overlap) std::fill_n(image_gradient, image_pixels, Value(0));
        for (std::size_t patch = first; patch < first + per_task; ++patch) {
            patch_losses[patch] = workers[to_size(thread)].compute(patch, image_gradient);
        }
    });
    std::fill_n(losses, images, 0.0);
    for (std::size_t patch = 0; patch < patch_losses.size(); ++patch) {
        losses[patch / per_image] += patch_losses[patch];
    }
}

}  // namespace toponet
