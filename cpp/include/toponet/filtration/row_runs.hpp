/// Runs of ones in a row of bytes.
#pragma once

#include <cstdint>
#include <vector>

namespace toponet {

/// Appends, for each run of ones, where it begins and where it ends (one past its last pixel).
///
/// Edges are found 64 pixels at a time: looking at pixel after pixel, the processor would guess
/// wrong at the end of each run (measured: 3 times as long).
///
/// \param row     bytes 0 and 1.
/// \param before  whether a one stands before the row: then the first run begins before it, and its
///                beginning isn't appended.
/// \return whether the row ends in a run, whose end isn't appended.
bool append_edges(const std::uint8_t* row, std::int64_t width, bool before,
                  std::vector<std::int32_t>& edges);

}  // namespace toponet
