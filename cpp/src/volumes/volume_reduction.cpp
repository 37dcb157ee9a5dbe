// Persistence by reduction of the boundary matrix, the textbook way.
//
// Cells of the highest dimension are reduced first. The pivot of a column is a cell that creates
// the class which the column's cell ends; the pivot's own column must reduce to zero and is skipped
// (clearing).

#include <limits>

#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/boundary_matrix.hpp"
#include "toponet/persistence/ranks.hpp"
#include "toponet/volumes/volume_complex.hpp"
#include "toponet/volumes/volume_persistence.hpp"

namespace toponet {

template <class Value>
void VolumeReduction<Value>::compute(const VolumeView<Value>& volume, const VolumeOptions& options,
                                     VolumeDiagram<Value>& diagram) {
    diagram.clear();
    refuse_unordered_values(volume, options);
    const VolumeComplex complex(volume, options);
    const auto& cells = complex.cells();
    const auto value = [&](const VolumeComplex::Cell& cell) {
        return cell.voxel == no_pixel ? static_cast<Value>(options.frame_value)
                                      : volume.at(cell.voxel);
    };
    BoundaryMatrix matrix(cells.size());
    for (int dimension = 3; dimension > 0; --dimension) {
        auto& pairs = diagram.dimension[to_size(dimension - 1)];
        for (std::size_t j = 0; j < cells.size(); ++j) {
            if (cells[j].dimension() != dimension || matrix.is_pivot(j)) continue;
            matrix.set_column(j, complex.boundary(cells[j]));
            const std::int32_t pivot = matrix.reduce(j);
            if (pivot < 0) continue;
            const auto& birth = cells[to_size(pivot)];
            const auto& death = cells[j];
            if (value(birth) == value(death)) continue;
            pairs.push_back({value(birth), value(death), birth.voxel, death.voxel});
        }
    }
    // The first vertex of all starts the piece that never dies; the frame's isn't reported.
    const std::int32_t first = cells[0].voxel;
    if (first != no_pixel) {
        diagram.dimension[0].push_back(
            {volume.at(first), -std::numeric_limits<Value>::infinity(), first, no_pixel});
    }
    for (std::size_t d = 0; d < 3; ++d) {
        if (!options.dimensions[d]) diagram.dimension[d].clear();
    }
    diagram.sort();
}

template class VolumeReduction<float>;
template class VolumeReduction<double>;

}  // namespace toponet
