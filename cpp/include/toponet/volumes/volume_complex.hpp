/// The cubical complex of a volume, explicitly: every vertex, edge, square and cube with the voxel
/// that brings it into the superlevel filtration.
///
/// Connectivity 26 (T-construction): voxels are cubes; a face enters with the first of the voxels
/// around it. Connectivity 6 (V-construction): voxels are vertices; a cell enters with the last of
/// its vertices. A frame is one layer of voxels more, which enters before all others.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/ranks.hpp"
#include "toponet/volumes/volume_filtration.hpp"
#include "toponet/volumes/volume_view.hpp"

namespace toponet {

class VolumeComplex {
  public:
    struct Cell {
        std::int32_t rank;   ///< Rank of its voxel in the filtration; the frame's is -1.
        std::int32_t voxel;  ///< Flat index, -1 = frame.
        /// In the doubled grid, along z, y and x: odd = extended in that direction.
        std::array<std::int32_t, 3> place;

        int dimension() const { return (place[0] & 1) + (place[1] & 1) + (place[2] & 1); }
    };

    template <class Value>
    VolumeComplex(const VolumeView<Value>& volume, const VolumeOptions& options)
        : voxels_are_cubes_(options.connectivity == VolumeConnectivity::twenty_six),
          border_(options.frame ? 1 : 0),
          sides_{volume.depth, volume.height, volume.width} {
        for (std::size_t axis = 0; axis < 3; ++axis) {
            grid_[axis] = 2 * (sides_[axis] + 2 * border_) + (voxels_are_cubes_ ? 1 : -1);
        }
        const std::vector<std::int32_t> ranks = ranks_of(volume);
        cells_.reserve(to_size(grid_[0] * grid_[1] * grid_[2]));
        for (std::int64_t i = 0; i < grid_[0]; ++i) {
            for (std::int64_t j = 0; j < grid_[1]; ++j) {
                for (std::int64_t k = 0; k < grid_[2]; ++k) {
                    cells_.push_back(make_cell({i, j, k}, ranks));
                }
            }
        }
        std::sort(cells_.begin(), cells_.end(), [](const Cell& a, const Cell& b) {
            if (a.rank != b.rank) return a.rank < b.rank;
            if (a.dimension() != b.dimension()) return a.dimension() < b.dimension();
            return a.place < b.place;
        });
        position_.resize(cells_.size());
        for (std::size_t k = 0; k < cells_.size(); ++k) {
            position_[grid_index(cells_[k].place)] = static_cast<std::int32_t>(k);
        }
    }

    /// In the order of the filtration: by voxel, then by dimension. Faces come before cofaces.
    const std::vector<Cell>& cells() const { return cells_; }

    /// Positions in cells() of a cell's faces of one dimension less, ascending.
    std::vector<std::int32_t> boundary(const Cell& cell) const {
        std::vector<std::int32_t> faces;
        for (std::size_t axis = 0; axis < 3; ++axis) {
            if (!(cell.place[axis] & 1)) continue;
            for (const int step : {-1, 1}) {
                auto place = cell.place;
                place[axis] += step;
                faces.push_back(position_[grid_index(place)]);
            }
        }
        std::sort(faces.begin(), faces.end());
        return faces;
    }

  private:
    std::size_t grid_index(const std::array<std::int32_t, 3>& place) const {
        return to_size((place[0] * grid_[1] + place[1]) * grid_[2] + place[2]);
    }

    /// A cell of the doubled grid belongs to one, two, four or eight voxels; the first (cubes) or
    /// last (vertices) of them to enter brings it in.
    Cell make_cell(const std::array<std::int64_t, 3>& place,
                   const std::vector<std::int32_t>& ranks) const {
        // Voxel k sits at 2k + 1 when voxels are cubes, at 2k when they are vertices.
        const std::int64_t shift = voxels_are_cubes_ ? 1 : 0;
        std::array<std::int64_t, 3> first{};
        std::array<std::int64_t, 3> last{};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const std::int64_t end = sides_[axis] + 2 * border_ - 1;
            first[axis] = std::max<std::int64_t>((place[axis] - shift) >> 1, 0) - border_;
            last[axis] = std::min((place[axis] - shift + 1) >> 1, end) - border_;
        }
        Cell cell{0, 0, {}};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            cell.place[axis] = static_cast<std::int32_t>(place[axis]);
        }
        bool chosen = false;
        for (std::int64_t z = first[0]; z <= last[0]; ++z) {
            for (std::int64_t y = first[1]; y <= last[1]; ++y) {
                for (std::int64_t x = first[2]; x <= last[2]; ++x) {
                    const std::int32_t voxel = voxel_at(z, y, x);
                    const std::int32_t rank = voxel < 0 ? -1 : ranks[to_size(voxel)];
                    if (!chosen || (voxels_are_cubes_ ? rank < cell.rank : rank > cell.rank)) {
                        cell.rank = rank;
                        cell.voxel = voxel;
                        chosen = true;
                    }
                }
            }
        }
        return cell;
    }

    /// -1 = frame.
    std::int32_t voxel_at(std::int64_t z, std::int64_t y, std::int64_t x) const {
        const bool inside =
            z >= 0 && z < sides_[0] && y >= 0 && y < sides_[1] && x >= 0 && x < sides_[2];
        return inside ? static_cast<std::int32_t>((z * sides_[1] + y) * sides_[2] + x) : -1;
    }

    bool voxels_are_cubes_;
    std::int64_t border_;
    std::array<std::int64_t, 3> sides_;
    std::array<std::int64_t, 3> grid_{};
    std::vector<Cell> cells_;
    std::vector<std::int32_t> position_;  ///< Doubled grid -> position in cells_.
};

}  // namespace toponet
