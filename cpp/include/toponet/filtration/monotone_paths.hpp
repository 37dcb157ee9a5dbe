/// Follows monotone paths through a padded grid to the extrema where they end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace toponet {

/// The upper link of a cell says where a path goes on from there. The step is 0 at its end.
class MonotonePaths {
  public:
    std::array<std::int32_t, 256> step{};  ///< Upper link -> step to the next cell.

    /// Replaces each cell by the end of its path.
    ///
    /// A step waits for two loads from memory, and a branch would be mispredicted at the end of
    /// every path. So eight paths are followed side by side, a few steps at a time, without looking
    /// whether one of them has ended. This takes a third of the time of one path after the other
    /// (65 x 65 likelihood maps).
    ///
    /// A path that hasn't ended after some rounds is long. Long paths are followed one by one, and
    /// their ends are remembered. So the work is bounded by the number of cells.
    void follow(std::vector<std::int32_t>& cells, const std::vector<std::uint8_t>& links);

  private:
    std::int32_t follow_long(std::int32_t cell, const std::vector<std::uint8_t>& links);

    // Of long paths only.
    std::vector<std::int32_t> ends_;   ///< Cell -> end, 0 = not known.
    std::vector<std::int32_t> known_;  ///< Cells whose end is known.
};

}  // namespace toponet
