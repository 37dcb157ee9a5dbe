/// Persistence of one volume by either of two engines with one contract.
///
/// Persistence diagrams over Z/2 of the superlevel filtration, dimensions 0 (pieces), 1 (tunnels)
/// and 2 (cavities), as pairs of critical voxels. Pairs of equal value are dropped. One class of
/// dimension 0 never dies; with a frame it is the frame's own and is not reported. With a frame the
/// whole volume is a cavity of the frame, born with it: birth voxel no_pixel.
///
/// Ties in value are broken by voxel index, so the critical voxels are a function of the volume
/// alone: the same on every machine and for both engines.
///
/// An engine keeps its workspace from volume to volume, so each thread needs its own. The volume
/// must be at least 1 x 1 x 1, with fewer than 2^31 voxels padded by one on each side.
/// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
///
/// Source: Edelsbrunner, Harer, "Computational Topology" (2010), ch. VII; duality of cubical
/// complexes: Bleile, Garin, Heiss, Maggs, Robins, "The persistent homology of dual digital image
/// constructions" (2022).
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/volumes/elder_sweep.hpp"
#include "toponet/volumes/swept_volume.hpp"
#include "toponet/volumes/tunnels.hpp"
#include "toponet/volumes/volume_diagram.hpp"
#include "toponet/volumes/volume_filtration.hpp"
#include "toponet/volumes/volume_view.hpp"

namespace toponet {

/// Pieces and cavities by union-find over the critical cells, tunnels by reduction of the columns
/// that neither of them used.
///
/// Time O(n + c log c) for n voxels of which c are critical, and the reduction: cubic in c at
/// worst, on real volumes of the size of the surfaces that fill the loops. Memory: 4 bytes a voxel
/// for the neighbours, 4 for labels, and a copy of the values.
template <class Value>
class CriticalCellPersistence {
  public:
    /// Fewer voxels aren't worth starting a thread for.
    static constexpr std::int64_t pixels_per_thread = 4096;
    static constexpr std::int64_t most_kept_pixels = 0;

    void compute(const VolumeView<Value>& volume, const VolumeOptions& options,
                 VolumeDiagram<Value>& diagram);

  private:
    void find_meetings();
    void add_meetings(std::int32_t cell);
    void report(const VolumeView<Value>& volume, const std::vector<CellPair>& pairs,
                std::vector<PersistencePair<Value>>& found) const;
    void report_eldest(const VolumeView<Value>& volume, const VolumeOptions& options,
                       VolumeDiagram<Value>& diagram) const;

    SweptVolume<Value> swept_;
    ElderSweep<Value> pieces_{SweepDirection::of_the_set};
    ElderSweep<Value> complement_{SweepDirection::of_the_complement};
    Tunnels<Value> tunnels_;
    std::vector<std::int32_t> labels_;
};

/// The textbook algorithm on the explicit cubical complex: the oracle of the other engine.
template <class Value>
class VolumeReduction {
  public:
    static constexpr std::int64_t pixels_per_thread = 32;
    static constexpr std::int64_t most_kept_pixels = 0;

    void compute(const VolumeView<Value>& volume, const VolumeOptions& options,
                 VolumeDiagram<Value>& diagram);
};

extern template class CriticalCellPersistence<float>;
extern template class CriticalCellPersistence<double>;
extern template class VolumeReduction<float>;
extern template class VolumeReduction<double>;

}  // namespace toponet
