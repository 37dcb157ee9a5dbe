/// Persistence and Betti numbers of batches of volumes, shared out over threads.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/persistence/batch.hpp"
#include "toponet/volumes/volume_betti_numbers.hpp"
#include "toponet/volumes/volume_filtration.hpp"
#include "toponet/volumes/volume_view.hpp"

namespace toponet {

/// The result depends on the volumes alone, not on the number of threads.
/// \throws std::invalid_argument with the index of the first volume that breaks the contract of
///         volume_persistence.hpp.
template <class Value>
BatchDiagrams<Value> batch_volume_persistence(const std::vector<VolumeView<Value>>& volumes,
                                              const VolumeOptions& options, Algorithm algorithm,
                                              int num_threads);

extern template BatchDiagrams<float> batch_volume_persistence(const std::vector<VolumeView<float>>&,
                                                              const VolumeOptions&, Algorithm, int);
extern template BatchDiagrams<double> batch_volume_persistence(
    const std::vector<VolumeView<double>>&, const VolumeOptions&, Algorithm, int);

/// Masks hold 0 or 1.
std::vector<VolumeBettiNumbers> batch_volume_betti_numbers(
    const std::vector<VolumeView<std::uint8_t>>& masks, VolumeConnectivity connectivity, bool frame,
    int num_threads);

}  // namespace toponet
