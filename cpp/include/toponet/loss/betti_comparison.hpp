/// Compares a patch with a binary truth by Betti matching: partners are the same place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "toponet/betti_matching/binary_betti_matcher.hpp"
#include "toponet/filtration/mask_view.hpp"
#include "toponet/loss/binary_matching.hpp"
#include "toponet/loss/patches.hpp"
#include "toponet/loss/probabilities.hpp"
#include "toponet/loss/topological_loss.hpp"

namespace toponet {

template <class Value>
class BettiComparison {
  public:
    static constexpr std::int64_t pixels_per_thread = BinaryBettiMatcher<Value>::pixels_per_thread;

    BettiComparison(const Truths& truths, const LossOptions& options, int num_threads)
        : truths_(truths), options_(options), num_threads_(num_threads) {
        if (truths.masks.empty()) throw std::invalid_argument("expected masks for 'betti'");
    }

    double compare(const Patch<Value>& patch, Value* gradient) {
        check_in_batch("likelihood", patch.image, [&] { check_probabilities(patch.likelihood); });
        check_in_batch("target", patch.image,
                       [&] { copy_mask(truths_.masks[patch.image], patch.box, mask_); });
        const FiltrationOptions& filtration = options_.filtration;
        const ImageView<std::uint8_t> truth{mask_.data(), patch.box.height, patch.box.width,
                                            patch.box.width};
        matcher_.match(patch.likelihood, truth, filtration, num_threads_);
        const BinaryTruth targets = truth_of(matcher_.truth_numbers(), filtration.frame);
        const bool wanted[2] = {filtration.dimension_0, filtration.dimension_1};
        double loss = 0;
        for (std::size_t dimension = 0; dimension < 2; ++dimension) {
            if (!wanted[dimension]) continue;
            const double factor = patch.weight * options_.dimension_weights[dimension];
            const PullOptions pull{options_.min_persistence, options_.unmatched_weight, factor};
            loss +=
                factor * pull_dots(
                             matcher_.diagram().dimension[dimension], targets.dimension[dimension],
                             [&](std::size_t row) { return matcher_.is_matched(dimension, row); },
                             pull, gradient);
        }
        return loss;
    }

  private:
    const Truths& truths_;
    const LossOptions& options_;
    const int num_threads_;
    BinaryBettiMatcher<Value> matcher_;
    std::vector<std::uint8_t> mask_;
};

}  // namespace toponet
