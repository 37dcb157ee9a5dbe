#include "toponet/basins.hpp"

#include <limits>

namespace toponet {

template <class Value>
void Basins<Value>::prepare_steps(std::int64_t stride, Connectivity connectivity) {
    if (stride == stride_ && connectivity == connectivity_) return;
    stride_ = stride;
    connectivity_ = connectivity;
    offsets_ = ring_offsets(static_cast<std::int32_t>(stride));
    // The lower link is the complement, and has the dual connectivity.
    const bool upwards = sweep_ == Sweep::upwards;
    const bool eight = (connectivity == Connectivity::eight) == upwards;
    const LinkTable& table = eight ? link_table_8 : link_table_4;
    for (std::size_t link = 0; link < 256; ++link) {
        const LinkComponents& arms = table[upwards ? link : link ^ 0xFF];
        arms_of_link_[link] = arms;
        paths_.step[link] = arms.count ? offsets_[arms.direction[0]] : 0;
    }
}

template <class Value>
void Basins<Value>::find(const PaddedGrid<Value>& grid, Connectivity connectivity,
                         const std::vector<std::int32_t>& extrema,
                         const std::vector<std::int32_t>& saddles,
                         std::vector<std::int32_t>& nodes) {
    prepare_steps(grid.stride(), connectivity);
    sets_.reset(extrema.size());
    const Value infinity = std::numeric_limits<Value>::infinity();
    sets_.set_value(sets_.outside, sweep_ == Sweep::upwards ? infinity : -infinity);
    std::int32_t node = sets_.first_extremum;
    for (const std::int32_t cell : extrema) {
        nodes[static_cast<std::size_t>(cell)] = node;
        sets_.set_value(node, grid.value(cell));
        ++node;
    }

    arms_.resize(4 * saddles.size());
    first_arm_.resize(saddles.size() + 1);
    std::size_t end = 0;
    for (std::size_t i = 0; i < saddles.size(); ++i) {
        const LinkComponents& arms = arms_of_link_[grid.upper_link(saddles[i])];
        first_arm_[i] = end;
        // Always four, so that nothing has to be predicted; the next saddle overwrites the surplus.
        for (std::size_t arm = 0; arm < 4; ++arm) {
            arms_[end + arm] = saddles[i] + offsets_[arms.direction[arm]];
        }
        end += arms.count;
    }
    first_arm_[saddles.size()] = end;
    arms_.resize(end);
    paths_.follow(arms_, grid.upper_links());
    for (std::int32_t& arm : arms_) arm = nodes[static_cast<std::size_t>(arm)];
}

template class Basins<float>;
template class Basins<double>;

}  // namespace toponet
