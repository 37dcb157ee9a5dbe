#include "toponet/persistence/basins.hpp"

#include <limits>

#include "toponet/basics/lean_vector.hpp"

namespace toponet {

void SweepSteps::prepare(std::int64_t stride, Connectivity connectivity) {
    if (stride == stride_ && connectivity == connectivity_) return;
    stride_ = stride;
    connectivity_ = connectivity;
    offsets = ring_offsets(static_cast<std::int32_t>(stride));
    // The lower link is the complement, and has the dual connectivity.
    const bool upwards = direction == Sweep::upwards;
    const bool eight = (connectivity == Connectivity::eight) == upwards;
    const LinkTable& table = eight ? link_table_8 : link_table_4;
    for (std::size_t link = 0; link < 256; ++link) {
        arms[link] = table[upwards ? link : link ^ 0xFF];
        paths.step[link] = arms[link].count ? offsets[arms[link].path] : 0;
    }
}

template <class Value>
void Basins<Value>::find(PaddedGrid<Value>& grid, SweepSteps& steps,
                         const std::vector<std::int32_t>& extrema,
                         const std::vector<std::int32_t>& saddles) {
    const Value infinity = std::numeric_limits<Value>::infinity();
    sets_.reset(extrema.size());
    sets_.set_value(sets_.outside, steps.direction == Sweep::upwards ? infinity : -infinity);
    std::int32_t node = sets_.first_extremum;
    for (const std::int32_t cell : extrema) {
        sets_.set_value(node, grid.value(cell));
        grid.set_label(cell, node);
        ++node;
    }

    resize_lean(first_arm_, saddles.size() + 1);
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < saddles.size(); ++i) {
        first_arm_[i] = end;
        end += steps.arms[grid.upper_link(saddles[i])].count;
    }
    first_arm_[saddles.size()] = end;
    // Four arms are written for each saddle, so that there is no branch to predict. The next saddle
    // overwrites the arms that don't exist.
    resize_lean(arms_, end + std::size_t{8});
    for (std::size_t i = 0; i < saddles.size(); ++i) {
        const LinkComponents& arms = steps.arms[grid.upper_link(saddles[i])];
        for (std::size_t arm = 0; arm < 4; ++arm) {
            arms_[first_arm_[i] + arm] = saddles[i] + steps.offsets[arms.direction[arm]];
        }
    }
    arms_.resize(end);
    steps.paths.follow(arms_, grid.upper_links());
    for (std::int32_t& arm : arms_) arm = grid.label(arm);
}

template class Basins<float>;
template class Basins<double>;

}  // namespace toponet
