/// The row of a place in a grid.
#pragma once

#include <cstdint>

namespace toponet {

/// A product takes a fraction of a division's time. The half keeps the product so far from whole
/// numbers that rounding can't change its whole part.
/// \param inverse_width  1 / width, in double precision.
inline std::int32_t row_of(std::int32_t place, double inverse_width) {
    return static_cast<std::int32_t>((place + 0.5) * inverse_width);
}

}  // namespace toponet
