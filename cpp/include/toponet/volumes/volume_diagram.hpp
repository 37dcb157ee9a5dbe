/// The persistence diagram of one volume, with critical voxels.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "toponet/persistence/diagram.hpp"

namespace toponet {

/// Pairs by dimension, each ordered by (death voxel, birth voxel): the essential class comes first.
template <class Value>
struct VolumeDiagram {
    std::array<std::vector<PersistencePair<Value>>, 3> dimension;

    void clear() {
        for (auto& pairs : dimension) pairs.clear();
    }

    void sort() {
        for (auto& pairs : dimension) {
            std::sort(pairs.begin(), pairs.end(), comes_before<Value>);
        }
    }
};

}  // namespace toponet
