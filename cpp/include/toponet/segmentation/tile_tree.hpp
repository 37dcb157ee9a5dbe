/// The part of a merge tree that one tile of an image knows.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/filtration/critical_cells.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/filtration/sorted_saddles.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/tile_basins.hpp"
#include "toponet/persistence/tiling.hpp"

namespace toponet {

/// Pieces that a tile sees, by their first pixels.
template <class Value>
struct TilePieces {
    /// The elder may be one that is no longer the eldest: other tiles know more.
    struct Death {
        std::int32_t first_pixel;
        std::int32_t meeting;
        std::int32_t elder;  ///< Its first pixel, or one from where a path leads there; no_pixel =
                             ///< the outside.
    };

    std::vector<std::int32_t> first_pixels;  ///< In index order.
    std::vector<Death> deaths;               ///< Those that are final.
    Seam<Value> seam;
    RowCheck check{true, true};  ///< If it fails, the rest has no meaning.
};

/// Keeps its workspace from tile to tile, so each thread needs its own.
template <class Value>
class TileTree {
  public:
    /// \param whole  takes the tile's links.
    void grow(const ImageView<Value>& image, const Tiling& tiling, std::int64_t tile,
              const FiltrationOptions& options, Sweep direction, PaddedGrid<Value>& whole,
              TilePieces<Value>& pieces);

  private:
    template <Sweep direction, class Saddles>
    void join(Saddles begin, Saddles end, TilePieces<Value>& pieces);

    PaddedGrid<Value> grid_;
    CriticalCellFinder finder_;
    CriticalCells critical_;
    SortedSaddles<Value> saddles_;
    SweepSteps upwards_{Sweep::upwards};
    SweepSteps downwards_{Sweep::downwards};
    TileBasins<Value> basins_;
};

extern template class TileTree<float>;
extern template class TileTree<double>;

}  // namespace toponet
