/// Betti matching of batches, shared out over threads.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/batch.hpp"

namespace toponet {

/// Diagrams and partners as flat arrays; partners splits[i] to splits[i + 1] are those of image i.
template <class Value>
struct BatchMatching {
    BatchDiagrams<Value> f;
    BatchDiagrams<Value> g;
    std::vector<std::int64_t> partners;  ///< (row of f, row of g) within the image's diagrams.
    std::vector<std::int64_t> splits;
};

/// \param f, g  as many images of each, all of one shape.
/// The result depends on the images alone, not on the number of threads.
/// \throws std::invalid_argument with the index of the first image that breaks the contract of
///         betti_matcher.hpp.
template <class Value>
BatchMatching<Value> batch_betti_matching(const std::vector<ImageView<Value>>& f,
                                          const std::vector<ImageView<Value>>& g,
                                          const FiltrationOptions& options, int num_threads);

/// Features of two masks in one dimension.
struct FeatureCounts {
    std::int64_t matched;
    std::int64_t only_f;
    std::int64_t only_g;
};

/// The features of one pair of masks, dimension 0 and 1. The components of both masks that never
/// die are partners if both masks have components.
struct MaskCounts {
    FeatureCounts dimension[2];
};

/// \param f, g  as many masks of each, of 0 and 1, all of one shape.
std::vector<MaskCounts> batch_betti_matching_counts(const std::vector<ImageView<std::uint8_t>>& f,
                                                    const std::vector<ImageView<std::uint8_t>>& g,
                                                    Connectivity connectivity, bool frame,
                                                    int num_threads);

extern template BatchMatching<float> batch_betti_matching(const std::vector<ImageView<float>>&,
                                                          const std::vector<ImageView<float>>&,
                                                          const FiltrationOptions&, int);
extern template BatchMatching<double> batch_betti_matching(const std::vector<ImageView<double>>&,
                                                           const std::vector<ImageView<double>>&,
                                                           const FiltrationOptions&, int);

}  // namespace toponet
