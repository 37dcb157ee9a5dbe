/// The superlevel filtration of a volume: its options. The total order is that of images
/// (filtration.hpp).
#pragma once

#include <array>

namespace toponet {

/// The connectivity of the foreground; the background has the other one. 26: voxels are cubes
/// (T-construction). 6: voxels are vertices (V-construction).
enum class VolumeConnectivity { six = 6, twenty_six = 26 };

struct VolumeOptions {
    std::array<bool, 3> dimensions{true, true, true};  ///< Pieces, tunnels, cavities.
    VolumeConnectivity connectivity = VolumeConnectivity::twenty_six;
    /// A virtual frame of one voxel around the volume, part of every superlevel set. Without it the
    /// outside is background.
    bool frame = false;
    double frame_value = 1.0;
};

}  // namespace toponet
