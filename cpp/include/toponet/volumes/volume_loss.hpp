/// The topological loss of a batch of likelihood volumes against their truths, and its gradient.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "toponet/filtration/mask_view.hpp"
#include "toponet/loss/binary_matching.hpp"
#include "toponet/loss/patches.hpp"
#include "toponet/volumes/volume_box.hpp"
#include "toponet/volumes/volume_filtration.hpp"
#include "toponet/volumes/volume_patch_geometry.hpp"
#include "toponet/volumes/volume_view.hpp"

namespace toponet {

template <class Value>
using VolumePatchBatch = CutBatch<VolumeView<Value>, VolumeBox>;
template <class Value>
using VolumePatch = CutPatch<VolumeView<Value>, VolumeBox>;

/// The diagram of a binary truth; see binary_matching.hpp.
struct VolumeTruth {
    std::array<BinaryTarget, 3> dimension;
};

/// What likelihood volumes are compared with: one of the two is empty.
struct VolumeTruths {
    std::vector<MaskView> masks;        ///< One for each volume, its planes one below the other.
    std::int64_t height = 0;            ///< Of a plane.
    std::vector<VolumeTruth> diagrams;  ///< One for each patch.
};

struct VolumeLossOptions {
    VolumeOptions filtration;
    std::string matching = "complete";  ///< Name of a mode, see volume_loss.cpp.
    /// Dots without partner of at most this persistence are left alone.
    double min_persistence = 0;
    std::array<double, 3> dimension_weights{1, 1, 1};
};

/// Loss of each volume: the weighted sum over its patches and the dimensions asked for.
///
/// \param gradient  one volume after the other, depth x height x width each, overwritten: the
///                  derivative of each volume's loss with respect to its voxels.
/// \param losses    one for each volume.
/// The result depends on the batch alone, not on the number of threads.
/// \throws std::invalid_argument if no mode has the name; with the index of the first volume that
///         holds a likelihood outside [0, 1] or a mask's voxel that is neither 0 nor 1.
template <class Value>
void volume_topological_loss(const VolumePatchBatch<Value>& batch, const VolumeTruths& truths,
                             const VolumeLossOptions& options, int num_threads, Value* gradient,
                             double* losses);

extern template void volume_topological_loss(const VolumePatchBatch<float>&, const VolumeTruths&,
                                             const VolumeLossOptions&, int, float*, double*);
extern template void volume_topological_loss(const VolumePatchBatch<double>&, const VolumeTruths&,
                                             const VolumeLossOptions&, int, double*, double*);

}  // namespace toponet
