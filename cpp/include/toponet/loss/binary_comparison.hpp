/// Compares a patch with a binary truth by an optimal matching of their diagrams.
///
/// All finite dots of a binary truth lie at (1, 0), so that its Betti numbers are its diagram;
/// without a frame, one component never dies. The truth's persistence is never computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/filtration/image_view.hpp"
#include "toponet/filtration/mask_view.hpp"
#include "toponet/loss/binary_matching.hpp"
#include "toponet/loss/patches.hpp"
#include "toponet/loss/probabilities.hpp"
#include "toponet/loss/topological_loss.hpp"
#include "toponet/persistence/betti_numbers.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {

/// \tparam mode  which dots get the targets.
template <class Value, MatchingMode mode>
class BinaryComparison {
  public:
    static constexpr std::int64_t pixels_per_thread =
        UnionFindPersistence<Value>::pixels_per_thread;

    BinaryComparison(const Truths& truths, const LossOptions& options, int num_threads)
        : truths_(truths), options_(options), num_threads_(num_threads) {}

    double compare(const Patch<Value>& patch, Value* gradient) {
        check_in_batch("likelihood", patch.image, [&] { check_probabilities(patch.likelihood); });
        const BinaryTruth truth = truth_of(patch);
        engine_.compute(patch.likelihood, options_.filtration, diagram_, num_threads_);
        const bool wanted[2] = {options_.filtration.dimension_0, options_.filtration.dimension_1};
        double loss = 0;
        for (std::size_t dimension = 0; dimension < 2; ++dimension) {
            if (!wanted[dimension]) continue;
            const double factor = patch.weight * options_.dimension_weights[dimension];
            loss +=
                factor * matcher_.match(diagram_.dimension[dimension], truth.dimension[dimension],
                                        mode, options_.min_persistence, factor, gradient);
        }
        return loss;
    }

  private:
    BinaryTruth truth_of(const Patch<Value>& patch) {
        if (truths_.masks.empty()) return truths_.diagrams[patch.number];
        check_in_batch("target", patch.image,
                       [&] { copy_mask(truths_.masks[patch.image], patch.box, mask_); });
        const bool frame = options_.filtration.frame;
        const ImageView<std::uint8_t> view{mask_.data(), patch.box.height, patch.box.width,
                                           patch.box.width};
        return toponet::truth_of(counter_.count(view, options_.filtration.connectivity, frame),
                                 frame);
    }

    const Truths& truths_;
    const LossOptions& options_;
    const int num_threads_;
    UnionFindPersistence<Value> engine_;
    Diagram<Value> diagram_;
    BettiCounter counter_;
    BinaryMatcher matcher_;
    std::vector<std::uint8_t> mask_;
};

}  // namespace toponet
