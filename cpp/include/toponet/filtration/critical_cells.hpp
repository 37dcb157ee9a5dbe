/// The cells of a padded grid at which topology changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/filtration/filtration.hpp"

namespace toponet {

/// The cells of each kind, in index order.
struct CriticalCells {
    std::vector<std::int32_t> maxima;
    std::vector<std::int32_t> minima;
    std::vector<std::int32_t> saddles;
};

/// Tells by the upper links which cells are maxima, minima and saddles. All others are regular.
class CriticalCellFinder {
  public:
    /// \param upper_links  of a padded grid of `height` + 2 rows of `stride` cells.
    void find(const std::vector<std::uint8_t>& upper_links, std::int64_t height,
              std::int64_t stride, Connectivity connectivity, int num_threads,
              CriticalCells& cells);

  private:
    /// What one thread finds in its rows, and its workspace.
    struct Strip {
        CriticalCells cells;
        std::vector<std::uint8_t> marks;
        std::vector<std::int32_t> critical;
    };

    std::vector<Strip> strips_;
};

}  // namespace toponet
