/// The persistence diagram of one image, with critical pixels.
#pragma once

#include <cstdint>
#include <vector>

namespace toponet {

/// In place of a birth pixel: born with the frame. In place of a death pixel: never dies.
constexpr std::int32_t no_pixel = -1;

/// One class of positive persistence; pixels are flat indices into height x width.
template <class Value>
struct PersistencePair {
    Value birth;
    Value death;  ///< -infinity if it never dies.
    std::int32_t birth_pixel;
    std::int32_t death_pixel;
};

/// The order of a diagram: by death pixel, then by birth pixel.
template <class Value>
bool comes_before(const PersistencePair<Value>& a, const PersistencePair<Value>& b) {
    return a.death_pixel != b.death_pixel ? a.death_pixel < b.death_pixel
                                          : a.birth_pixel < b.birth_pixel;
}

/// Pairs by dimension, each ordered by (death pixel, birth pixel): the essential class comes first.
template <class Value>
struct Diagram {
    std::vector<PersistencePair<Value>> dimension[2];

    void clear() {
        dimension[0].clear();
        dimension[1].clear();
    }
};

}  // namespace toponet
