/// Runs of ones in a row of bytes.
#pragma once

#include <cstdint>

namespace toponet {

/// Writes, for each run of ones, where it begins and where it ends (one past its last pixel).
///
/// Edges are found 64 pixels at a time: looking at pixel after pixel, the processor would guess
/// wrong at the end of each run (measured: 3 times as long).
///
/// \param row     bytes 0 and 1.
/// \param before  whether a one stands before the row: then the first run begins before it, and its
///                beginning isn't written.
/// \param edges   room for `width` numbers and one more.
/// \return how many were written. A run that the row ends in ends at `width`.
std::int32_t find_edges(const std::uint8_t* row, std::int32_t width, bool before,
                        std::int32_t* edges);

}  // namespace toponet
