/// Follows monotone paths through a padded grid to the extrema where they end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace toponet {

/// Each cell's upper link says where its path goes on; at an end the step is 0.
class MonotonePaths {
  public:
    std::array<std::int32_t, 256> step{};  ///< Upper link -> step to the next cell.

    /// Replaces each cell by the end of its path.
    ///
    /// A step waits for two loads, and a branch would be mispredicted at every end. So eight paths
    /// go side by side, a few steps at a time and without looking whether one has ended: a third of
    /// the time of one after the other (65 x 65 likelihood maps). Paths that are still on their way
    /// after that are long; they are followed one by one and remembered, which bounds the work by
    /// the number of cells.
    void follow(std::vector<std::int32_t>& cells, const std::vector<std::uint8_t>& links);

  private:
    std::int32_t follow_long(std::int32_t cell, const std::vector<std::uint8_t>& links);

    std::vector<std::int32_t> ends_;  ///< Cell -> end, 0 = not known; used for long paths only.
    bool ends_are_clear_ = false;
};

}  // namespace toponet
