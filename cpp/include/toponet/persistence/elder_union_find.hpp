/// Disjoint sets that obey the elder rule: when two sets meet, the younger one dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/to_size.hpp"

namespace toponet {

/// Node 0 is no node, node 1 is the outside of the image (frame or background), older than all.
/// Nodes from 2 on are extrema, in index order.
template <class Value>
class ElderUnionFind {
  public:
    static constexpr std::int32_t outside = 1;
    static constexpr std::int32_t first_extremum = 2;

    void reset(std::size_t extrema) {
        resize_lean(parent_, extrema + first_extremum);
        resize_lean(value_, extrema + first_extremum);
        for (std::size_t node = 0; node < parent_.size(); ++node) {
            parent_[node] = static_cast<std::int32_t>(node);
        }
    }

    void set_value(std::int32_t node, Value value) { value_[to_size(node)] = value; }
    Value value(std::int32_t node) const { return value_[to_size(node)]; }

    /// No union by rank: rank would choose the representative by tree height and lose the elder.
    std::int32_t find(std::int32_t node) { return find_representative(parent_, node); }

    /// Joins two representatives; the elder stays one.
    void join(std::int32_t younger, std::int32_t elder) { parent_[to_size(younger)] = elder; }

  private:
    std::vector<std::int32_t> parent_;
    std::vector<Value> value_;
};

}  // namespace toponet
