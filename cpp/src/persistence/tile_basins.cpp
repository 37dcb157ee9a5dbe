#include "toponet/persistence/tile_basins.hpp"

#include <algorithm>
#include <iterator>

namespace toponet {

template <class Value>
void TileBasins<Value>::find(PaddedGrid<Value>& grid, SweepSteps& steps,
                             const std::vector<std::int32_t>& extrema,
                             const std::vector<std::int32_t>& saddles, const TileBorder& border,
                             Seam<Value>& seam) {
    grid_ = &grid;
    all_ = &extrema;
    seam.clear();
    const bool whole_image = border.size() == 0;
    if (!whole_image) {
        grid.link_padding(steps.direction == Sweep::upwards ? 0x00 : 0xFF);
        add_gates(grid, extrema, border);
    }
    basins_.find(grid, steps, *all_, saddles);
    assign_zeros_lean(number_, all_->size() + ElderUnionFind<Value>::first_extremum);
    number_[ElderUnionFind<Value>::outside] = Seam<Value>::outside;
    if (!whole_image) follow_border(grid, steps, border, seam);
}

/// Gates stand among the extrema in index order, because nodes of equal value are compared by their
/// numbers. The pixel itself stands for the end of the path that goes on from it, which is at least
/// as old.
template <class Value>
void TileBasins<Value>::add_gates(PaddedGrid<Value>& grid, const std::vector<std::int32_t>& extrema,
                                  const TileBorder& border) {
    gates_.clear();
    const auto stride = static_cast<std::int32_t>(grid.stride());
    border.for_each_outside([&](std::int64_t row, std::int64_t column) {
        gates_.push_back(static_cast<std::int32_t>(row + 1) * stride +
                         static_cast<std::int32_t>(column + 1));
    });
    resize_lean(extrema_and_gates_, extrema.size() + gates_.size());
    std::merge(extrema.begin(), extrema.end(), gates_.begin(), gates_.end(),
               extrema_and_gates_.begin());
    all_ = &extrema_and_gates_;
}

/// Paths of other tiles go on from the border. The sets where they end are open.
template <class Value>
void TileBasins<Value>::follow_border(PaddedGrid<Value>& grid, SweepSteps& steps,
                                      const TileBorder& border, Seam<Value>& seam) {
    for (const std::int32_t gate : gates_) number_[to_size(grid.label(gate))] = unnumbered_gate;
    border_ends_.clear();
    const auto stride = static_cast<std::int32_t>(grid.stride());
    border.for_each_inside([&](std::int64_t row, std::int64_t column) {
        border_ends_.push_back(static_cast<std::int32_t>(row + 1) * stride +
                               static_cast<std::int32_t>(column + 1));
    });
    steps.paths.follow(border_ends_, grid.upper_links());
    for (const std::int32_t end : border_ends_) {
        seam.ends.push_back(number(grid.label(end), seam));
    }
    // The other sweep needs their values.
    for (const std::int32_t gate : gates_) {
        grid.set_value(gate, basins_.value(Basins<Value>::extremum(grid.label(gate))));
    }
}

/// The number of a node at the seam. Gates are numbered only when they are needed.
template <class Value>
std::int32_t TileBasins<Value>::number(std::int32_t node, Seam<Value>& seam) {
    std::int32_t& known = number_[to_size(node)];
    if (known == closed || known == unnumbered_gate) {
        const std::size_t k = Basins<Value>::extremum(node);
        seam.sets.push_back({basins_.value(k), grid_->pixel((*all_)[k]), known == unnumbered_gate});
        known = static_cast<std::int32_t>(seam.sets.size()) + Seam<Value>::first - 1;
    }
    return known;
}

template class TileBasins<float>;
template class TileBasins<double>;

}  // namespace toponet
