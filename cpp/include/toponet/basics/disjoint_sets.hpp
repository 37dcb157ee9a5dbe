/// The one search that all disjoint sets of the kernel share.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"

namespace toponet {

/// The representative of a node's set; halves the path to it on the way.
///
/// With joins by age instead of rank a search takes O(log n), amortised (Tarjan, van Leeuwen 1984).
///
/// \param parent  of each node; a representative is its own.
inline std::int32_t find_representative(std::vector<std::int32_t>& parent, std::int32_t node) {
    while (parent[to_size(node)] != node) {
        parent[to_size(node)] = parent[to_size(parent[to_size(node)])];
        node = parent[to_size(node)];
    }
    return node;
}

}  // namespace toponet
