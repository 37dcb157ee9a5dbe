/// Persistence and Betti numbers of batches, shared out over threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/batch_diagrams.hpp"
#include "toponet/persistence/betti_numbers.hpp"
#include "toponet/persistence/tiling.hpp"

namespace toponet {

enum class Algorithm { union_find, reduction };

/// The result depends on the images alone, not on the number of threads, nor on the tiles.
/// \param tile  of the union-find; other sizes than its own choice are for tests.
/// \throws std::invalid_argument with the index of the first image that breaks the contract of
///         persistence.hpp.
template <class Value>
BatchDiagrams<Value> batch_persistence(const std::vector<ImageView<Value>>& images,
                                       const FiltrationOptions& options, Algorithm algorithm,
                                       int num_threads, TileSize tile = {});

extern template BatchDiagrams<float> batch_persistence(const std::vector<ImageView<float>>&,
                                                       const FiltrationOptions&, Algorithm, int,
                                                       TileSize);
extern template BatchDiagrams<double> batch_persistence(const std::vector<ImageView<double>>&,
                                                        const FiltrationOptions&, Algorithm, int,
                                                        TileSize);

/// Masks hold 0 or 1.
std::vector<BettiNumbers> batch_betti_numbers(const std::vector<ImageView<std::uint8_t>>& masks,
                                              Connectivity connectivity, bool frame,
                                              int num_threads);

}  // namespace toponet
