/// Persistence, losses and Betti numbers of batches, shared out over threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/betti_numbers.hpp"
#include "toponet/binary_matching.hpp"
#include "toponet/filtration.hpp"
#include "toponet/image_view.hpp"

namespace toponet {

enum class Algorithm { union_find, reduction };

/// Diagrams of a batch as flat arrays; rows splits[i] to splits[i + 1] are image i's.
template <class Value>
struct BatchDiagrams {
    std::vector<Value> values;            ///< (birth, death) per row; never dies = -infinity.
    std::vector<std::int32_t> pixels;     ///< (birth, death) per row; -1 = frame or never dies.
    std::vector<std::int8_t> dimensions;  ///< 0 or 1 per row.
    std::vector<std::int64_t> splits;
};

/// The result depends on the images alone, not on the number of threads.
/// \throws std::invalid_argument with the index of the first image that breaks the contract of
///         persistence.hpp.
template <class Value>
BatchDiagrams<Value> batch_persistence(const std::vector<ImageView<Value>>& images,
                                       const FiltrationOptions& options, Algorithm algorithm,
                                       int num_threads);

extern template BatchDiagrams<float> batch_persistence(const std::vector<ImageView<float>>&,
                                                       const FiltrationOptions&, Algorithm, int);
extern template BatchDiagrams<double> batch_persistence(const std::vector<ImageView<double>>&,
                                                        const FiltrationOptions&, Algorithm, int);

/// What a batch's likelihood maps are compared with; see binary_matching.hpp.
struct BinaryTruth {
    BinaryTarget dimension[2];
};

/// Topological loss of each image against a binary truth, summed over the dimensions asked for.
///
/// \param gradient  one image after the other, height x width each, overwritten: the derivative of
///                  each image's loss with respect to its pixels.
/// \param losses    one for each image.
/// \throws std::invalid_argument as batch_persistence.
template <class Value>
void batch_topological_loss(const std::vector<ImageView<Value>>& images,
                            const std::vector<BinaryTruth>& truths,
                            const FiltrationOptions& filtration, const MatchingOptions& matching,
                            int num_threads, Value* gradient, double* losses);

extern template void batch_topological_loss(const std::vector<ImageView<float>>&,
                                            const std::vector<BinaryTruth>&,
                                            const FiltrationOptions&, const MatchingOptions&, int,
                                            float*, double*);
extern template void batch_topological_loss(const std::vector<ImageView<double>>&,
                                            const std::vector<BinaryTruth>&,
                                            const FiltrationOptions&, const MatchingOptions&, int,
                                            double*, double*);

/// Masks hold 0 or 1.
std::vector<BettiNumbers> batch_betti_numbers(const std::vector<ImageView<std::uint8_t>>& masks,
                                              Connectivity connectivity, bool frame,
                                              int num_threads);

}  // namespace toponet
