/// Compares a patch of a volume with a binary truth by an optimal matching of their diagrams.
///
/// All finite dots of a binary truth lie at (1, 0), so that its Betti numbers are its diagram;
/// without a frame, one piece never dies. The truth's persistence is never computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/loss/binary_matching.hpp"
#include "toponet/loss/probabilities.hpp"
#include "toponet/volumes/volume_betti_numbers.hpp"
#include "toponet/volumes/volume_diagram.hpp"
#include "toponet/volumes/volume_loss.hpp"
#include "toponet/volumes/volume_persistence.hpp"

namespace toponet {

/// \tparam mode  which dots get the targets.
template <class Value, MatchingMode mode>
class VolumeComparison {
  public:
    static constexpr std::int64_t pixels_per_thread =
        CriticalCellPersistence<Value>::pixels_per_thread;

    /// A volume has one thread.
    VolumeComparison(const VolumeTruths& truths, const VolumeLossOptions& options, int /*threads*/)
        : truths_(truths), options_(options) {}

    double compare(const VolumePatch<Value>& patch, Value* gradient) {
        const VolumeView<Value>& volume = patch.likelihood;
        check_in_batch("likelihood", patch.image, [&] {
            for (std::int64_t z = 0; z < volume.depth; ++z) {
                check_probabilities(ImageView<Value>{volume.row(z, 0), volume.height, volume.width,
                                                     volume.row_stride});
            }
        });
        const VolumeTruth truth = truth_of(patch);
        engine_.compute(volume, options_.filtration, diagram_);
        double loss = 0;
        for (std::size_t dimension = 0; dimension < 3; ++dimension) {
            if (!options_.filtration.dimensions[dimension]) continue;
            const double factor = patch.weight * options_.dimension_weights[dimension];
            loss +=
                factor * matcher_.match(diagram_.dimension[dimension], truth.dimension[dimension],
                                        mode, options_.min_persistence, factor, gradient);
        }
        return loss;
    }

  private:
    VolumeTruth truth_of(const VolumePatch<Value>& patch) {
        if (truths_.masks.empty()) return truths_.diagrams[patch.number];
        check_in_batch("target", patch.image, [&] { copy_truth(patch); });
        const bool frame = options_.filtration.frame;
        const VolumeBox& box = patch.box;
        const VolumeBettiNumbers numbers = counter_.count(
            {mask_.data(), box.depth, box.height, box.width, box.height * box.width, box.width},
            options_.filtration.connectivity, frame);
        VolumeTruth truth;
        truth.dimension[0] = components_of_truth(numbers.pieces, frame);
        truth.dimension[1] = {numbers.tunnels, 0.0};
        truth.dimension[2] = {numbers.cavities, 0.0};
        return truth;
    }

    void copy_truth(const VolumePatch<Value>& patch) {
        const VolumeBox& box = patch.box;
        mask_.resize(to_size(box.pixel_count()));
        for (std::int64_t z = 0; z < box.depth; ++z) {
            const std::int64_t row = (box.plane + z) * truths_.height + box.row;
            copy_mask(truths_.masks[patch.image], {row, box.column, box.height, box.width},
                      mask_.data() + z * box.height * box.width);
        }
    }

    const VolumeTruths& truths_;
    const VolumeLossOptions& options_;
    CriticalCellPersistence<Value> engine_;
    VolumeDiagram<Value> diagram_;
    VolumeBettiCounter counter_;
    BinaryMatcher matcher_;
    std::vector<std::uint8_t> mask_;
};

}  // namespace toponet
