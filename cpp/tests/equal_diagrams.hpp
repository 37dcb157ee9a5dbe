/// Whether two diagrams hold the same pairs in the same order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace toponet {

/// \tparam Diagram  of an image or of a volume.
template <class Diagram>
bool equal_diagrams(const Diagram& a, const Diagram& b) {
    const auto same = [](const auto& p, const auto& q) {
        return p.birth == q.birth && p.death == q.death && p.birth_pixel == q.birth_pixel &&
               p.death_pixel == q.death_pixel;
    };
    for (std::size_t d = 0; d < std::size(a.dimension); ++d) {
        const auto& pairs = a.dimension[d];
        const auto& others = b.dimension[d];
        if (!std::equal(pairs.begin(), pairs.end(), others.begin(), others.end(), same)) {
            return false;
        }
    }
    return true;
}

}  // namespace toponet
