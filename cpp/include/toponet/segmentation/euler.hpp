/// How the Euler number (components minus holes) of a set of pixels changes pixel by pixel.
#pragma once

#include "toponet/filtration/filtration.hpp"

namespace toponet {

/// Change of the Euler number when a pixel joins a set.
///
/// Under connectivity 8 pixels are closed squares: faces - edges + vertices. Under connectivity 4
/// they are vertices, and complete squares of four are faces.
///
/// \param link  the neighbours that belong to the set; bit d is direction d, clockwise from north.
constexpr int euler_gain(unsigned link, Connectivity connectivity) {
    int gain = 1;
    for (unsigned d = 0; d < 8; d += 2) {
        const unsigned edge = 1u << d;
        const unsigned corner = edge | 1u << (d + 1) | 1u << (d + 2) % 8;
        if (connectivity == Connectivity::eight) {
            gain -= (link & edge) == 0;
            gain += (link & corner) == 0;
        } else {
            gain -= (link & edge) != 0;
            gain += (link & corner) == corner;
        }
    }
    return gain;
}

}  // namespace toponet
