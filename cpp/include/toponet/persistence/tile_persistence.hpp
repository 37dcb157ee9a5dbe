/// The part of a persistence diagram that one tile of an image settles by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/filtration/critical_cells.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/filtration/sorted_saddles.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/hole_names.hpp"
#include "toponet/persistence/tile_basins.hpp"
#include "toponet/persistence/tiling.hpp"

namespace toponet {

/// What a tile knows: pairs in the order of a diagram, and what it leaves to the seams.
template <class Value>
struct TileDiagram {
    Diagram<Value> pairs;
    Seam<Value> seams[2];
    RowCheck check{true, true};  ///< If it fails, the rest has no meaning.
};

/// Keeps its workspace from tile to tile, so each thread needs its own.
template <class Value>
class TilePersistence {
  public:
    /// The whole image as one tile.
    /// \param num_threads  share what comes before the sweeps.
    /// \param names  if given, gets a name for each hole of the diagram.
    /// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 Diagram<Value>& diagram, int num_threads, HoleNames<Value>* names);

    void compute_tile(const ImageView<Value>& image, const Tiling& tiling, std::int64_t tile,
                      const FiltrationOptions& options, TileDiagram<Value>& result);

  private:
    /// Cells in index order, and their places in the order of the filtration.
    struct OrderedCells {
        std::vector<std::int32_t> cells;
        std::vector<std::int32_t> order;
    };
    using Pairs = std::vector<PersistencePair<Value>>;

    void merge(const FiltrationOptions& options, const TileBorder& border, Diagram<Value>& diagram,
               Seam<Value>* seams, int num_threads, HoleNames<Value>* names);
    void sort_by_death(std::size_t saddles);
    void collect_loops();
    void take_all_saddles();
    void merge_components(const TileBorder& border, Seam<Value>& seam, Pairs& pairs);
    void merge_background(const FiltrationOptions& options, const TileBorder& border,
                          Seam<Value>& seam, Pairs& pairs, HoleNames<Value>* names);

    PaddedGrid<Value> grid_;
    CriticalCellFinder finder_;
    CriticalCells critical_;
    SortedSaddles<Value> saddles_;
    std::vector<std::uint8_t> closes_loop_;  ///< Per saddle rank.
    std::vector<std::int32_t> place_;        ///< Per saddle rank: place among the loops.
    OrderedCells loops_;                     ///< Saddles that close loops.
    SweepSteps upwards_{Sweep::upwards};
    SweepSteps downwards_{Sweep::downwards};
    TileBasins<Value> basins_;          ///< Of one sweep, then of the other.
    std::vector<std::int32_t> deaths_;  ///< Per maximum: where it dies.
    std::vector<std::int32_t> death_places_;
    std::vector<std::int32_t> by_death_;
    std::vector<std::int32_t> births_;  ///< Per minimum: the cell where its hole is born.
    Seam<Value> no_seams_[2];
};

extern template class TilePersistence<float>;
extern template class TilePersistence<double>;

}  // namespace toponet
