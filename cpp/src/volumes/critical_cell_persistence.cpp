#include <limits>

#include "toponet/basics/bits.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/volumes/volume_persistence.hpp"

namespace toponet {

template <class Value>
void CriticalCellPersistence<Value>::compute(const VolumeView<Value>& volume,
                                             const VolumeOptions& options,
                                             VolumeDiagram<Value>& diagram) {
    diagram.clear();
    swept_.load(volume, options);
    find_meetings();
    const bool background = swept_.is_background();
    const auto of_pieces = to_size(background ? 2 : 0);
    const auto of_complement = to_size(background ? 0 : 2);
    // For tunnels both: they tell what is left.
    const bool tunnels = options.dimensions[1];
    if (tunnels || options.dimensions[of_pieces]) pieces_.run(swept_, labels_);
    if (tunnels || options.dimensions[of_complement]) complement_.run(swept_, labels_);
    if (options.dimensions[of_pieces]) {
        report(volume, pieces_.pairs(), diagram.dimension[of_pieces]);
    }
    if (options.dimensions[of_complement]) {
        report(volume, complement_.pairs(), diagram.dimension[of_complement]);
    }
    if (tunnels) {
        tunnels_.run(swept_, pieces_.loops(), complement_.loops(), labels_);
        report(volume, tunnels_.pairs(), diagram.dimension[1]);
    }
    report_eldest(volume, options, diagram);
    diagram.sort();
}

template <class Value>
void CriticalCellPersistence<Value>::find_meetings() {
    pieces_.clear();
    complement_.clear();
    swept_.for_each_row([&](std::int32_t first, std::int32_t end) {
        for (std::int32_t cell = first; cell < end; ++cell) {
            if (!is_regular(swept_.upper(cell))) add_meetings(cell);
        }
    });
}

/// The critical cells of one star.
template <class Value>
void CriticalCellPersistence<Value>::add_meetings(std::int32_t cell) {
    const Neighbours upper = swept_.upper(cell);
    const LinkForest forest(upper);
    if (forest.size == 0) pieces_.add_extremum(cell);
    if (upper == all_neighbours) complement_.add_extremum(cell);
    const int first_root = forest.order[0];
    for (Faces roots = forest.roots & (forest.roots - 1); roots; roots &= roots - 1) {
        const int root = lowest_bit(roots);
        pieces_.add_meeting({cell,
                             swept_.across(cell, first_root),
                             swept_.across(cell, root),
                             {static_cast<std::int8_t>(root), 0}});
    }
    const LinkHoles holes(upper, forest);
    for (int k = 1; k < holes.size; ++k) {
        const auto& hole = holes.holes[to_size(k)];
        const auto& next = holes.holes[to_size(hole.next)];
        complement_.add_meeting({cell,
                                 swept_.neighbour(cell, lowest_bit(hole.neighbour)),
                                 swept_.neighbour(cell, lowest_bit(next.neighbour)),
                                 {hole.faces[0], hole.faces[1]}});
    }
}

/// Pairs of the sweep as pairs of the volume.
template <class Value>
void CriticalCellPersistence<Value>::report(const VolumeView<Value>& volume,
                                            const std::vector<CellPair>& pairs,
                                            std::vector<PersistencePair<Value>>& found) const {
    found.reserve(pairs.size() + 1);
    for (const CellPair& pair : pairs) {
        std::int32_t birth = swept_.voxel(pair.birth);
        std::int32_t death = swept_.voxel(pair.death);
        if (swept_.is_background()) std::swap(birth, death);
        found.push_back({volume.at(birth), volume.at(death), birth, death});
    }
}

/// The piece that never dies, or the cavity that is born with the frame.
template <class Value>
void CriticalCellPersistence<Value>::report_eldest(const VolumeView<Value>& volume,
                                                   const VolumeOptions& options,
                                                   VolumeDiagram<Value>& diagram) const {
    if (!options.dimensions[options.frame ? 2 : 0]) return;
    const std::int32_t cell =
        swept_.outside_enters_first() ? complement_.eldest() : pieces_.eldest();
    const std::int32_t voxel = swept_.voxel(cell);
    const Value value = volume.at(voxel);
    if (!options.frame) {
        diagram.dimension[0].push_back(
            {value, -std::numeric_limits<Value>::infinity(), voxel, no_pixel});
        return;
    }
    const auto frame_value = static_cast<Value>(options.frame_value);
    if (value != frame_value) {
        diagram.dimension[2].push_back({frame_value, value, no_pixel, voxel});
    }
}

template class CriticalCellPersistence<float>;
template class CriticalCellPersistence<double>;

}  // namespace toponet
