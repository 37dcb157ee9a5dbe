/// The topological loss of a batch of likelihood maps against their truths, and its gradient.
#pragma once

#include <string>
#include <vector>

#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/mask_view.hpp"
#include "toponet/loss/binary_matching.hpp"
#include "toponet/loss/patches.hpp"
#include "toponet/persistence/betti_numbers.hpp"

namespace toponet {

/// The diagram of a binary truth; see binary_matching.hpp.
struct BinaryTruth {
    BinaryTarget dimension[2];
};

/// The diagram that follows from the Betti numbers of a mask.
inline BinaryTruth truth_of(const BettiNumbers& numbers, bool frame) {
    BinaryTruth truth;
    truth.dimension[0] = components_of_truth(numbers.components, frame);
    truth.dimension[1] = {numbers.holes, 0.0};
    return truth;
}

/// What likelihood maps are compared with: one of the two is empty.
struct Truths {
    std::vector<MaskView> masks;        ///< One for each image.
    std::vector<BinaryTruth> diagrams;  ///< One for each patch.
};

struct LossOptions {
    FiltrationOptions filtration;
    std::string matching = "complete";  ///< Name of a comparison, see topological_loss.cpp.
    /// Dots without partner of at most this persistence are left alone.
    double min_persistence = 0;
    double dimension_weights[2] = {1, 1};
    double unmatched_weight = 1;  ///< Of "betti": factor of the cost of dots without partner.
    std::string in_place_weight = "persistence";  ///< Of "in_place"; see in_place_pulls.hpp.
    /// Of "in_place": whether strongest values of true pieces and weakest values of true cells are
    /// pulled as well.
    bool in_place_extremes = false;
};

/// Loss of each image: the weighted sum over its patches and the dimensions asked for.
///
/// \param gradient  one image after the other, height x width each, overwritten: the derivative of
///                  each image's loss with respect to its pixels.
/// \param losses    one for each image.
/// The result depends on the batch alone, not on the number of threads.
/// \throws std::invalid_argument if no comparison has the name; with the index of the first image
///         that holds a likelihood outside [0, 1] or a mask's pixel that is neither 0 nor 1.
template <class Value>
void topological_loss(const PatchBatch<Value>& batch, const Truths& truths,
                      const LossOptions& options, int num_threads, Value* gradient, double* losses);

extern template void topological_loss(const PatchBatch<float>&, const Truths&, const LossOptions&,
                                      int, float*, double*);
extern template void topological_loss(const PatchBatch<double>&, const Truths&, const LossOptions&,
                                      int, double*, double*);

}  // namespace toponet
