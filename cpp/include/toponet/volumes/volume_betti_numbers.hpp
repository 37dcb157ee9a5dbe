/// Betti numbers of one binary volume.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/filtration/row_runs.hpp"
#include "toponet/volumes/volume_filtration.hpp"
#include "toponet/volumes/volume_view.hpp"

namespace toponet {

struct VolumeBettiNumbers {
    std::int64_t pieces;
    std::int64_t tunnels;
    std::int64_t cavities;
};

/// Counts the pieces of foreground and of background, and the cells of the one that is 6-connected.
///
/// With the outside, the two fill the 3-sphere. So the cavities of one are the pieces of the other,
/// less one, and both have the same tunnels (Alexander duality). The Euler number gives the
/// tunnels: no matrix is needed.
///
/// With a frame, the mask is surrounded by a layer of foreground, whose own piece isn't counted: an
/// empty mask has no piece and one cavity.
///
/// Time O(voxels + runs log runs). Memory: a byte a voxel, and one entry per run. A counter keeps
/// its workspace, so each thread needs its own.
class VolumeBettiCounter {
  public:
    VolumeBettiNumbers count(const VolumeView<std::uint8_t>& mask, VolumeConnectivity connectivity,
                             bool frame);

  private:
    void load(const VolumeView<std::uint8_t>& mask, bool background, bool outside);
    std::int64_t count_pieces(bool corners);
    void join_rows(std::int64_t row, std::int64_t other, std::int32_t reach, std::int64_t& pieces);
    std::int64_t euler_number() const;

    std::int64_t planes_ = 0;  ///< Padding included, as in the next two.
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    std::vector<std::uint8_t> set_;  ///< Padded by one voxel on each side.
    std::vector<Run> runs_;
    std::vector<std::int32_t> first_run_;  ///< By row.
    std::vector<std::int32_t> edges_;      ///< Of one row: where runs begin and end, in turn.
    std::vector<std::int32_t> parent_;
};

}  // namespace toponet
