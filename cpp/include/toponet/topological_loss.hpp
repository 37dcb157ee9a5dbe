/// The topological loss of a batch of likelihood maps against binary truths, and its gradient.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/binary_matching.hpp"
#include "toponet/filtration.hpp"
#include "toponet/image_view.hpp"
#include "toponet/mask_view.hpp"

namespace toponet {

/// What a likelihood map is compared with; see binary_matching.hpp.
struct BinaryTruth {
    BinaryTarget dimension[2];
};

/// A batch of likelihood maps of one size, cut into patches.
template <class Value>
struct LossBatch {
    std::vector<ImageView<Value>> images;  ///< Rows without gaps.
    /// Either one mask for each image, or one truth for each patch.
    std::vector<MaskView> masks;
    std::vector<BinaryTruth> truths;
    /// As many for each image, one image after the other.
    std::vector<Box> patches;
    std::vector<double> patch_weights;  ///< A patch of weight 0 isn't looked at.
    /// Whether patches of one image may share pixels; otherwise they cover the image.
    bool patches_overlap;
};

struct LossOptions {
    FiltrationOptions filtration;
    MatchingOptions matching;
    double dimension_weights[2] = {1, 1};
};

/// Loss of each image: the weighted sum over its patches and the dimensions asked for.
///
/// \param gradient  one image after the other, height x width each, overwritten: the derivative of
///                  each image's loss with respect to its pixels.
/// \param losses    one for each image.
/// The result depends on the batch alone, not on the number of threads.
/// \throws std::invalid_argument with the index of the first image that holds a likelihood outside
///         [0, 1] or a mask's pixel that is neither 0 nor 1.
template <class Value>
void topological_loss(const LossBatch<Value>& batch, const LossOptions& options, int num_threads,
                      Value* gradient, double* losses);

extern template void topological_loss(const LossBatch<float>&, const LossOptions&, int, float*,
                                      double*);
extern template void topological_loss(const LossBatch<double>&, const LossOptions&, int, double*,
                                      double*);

}  // namespace toponet
