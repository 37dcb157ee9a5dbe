/// Persistence of one image by either of two engines with one contract.
///
/// Persistence diagrams over Z/2 of the superlevel filtration, dimensions 0 and 1, as pairs of
/// critical pixels. Pairs of equal value are dropped. One class of dimension 0 never dies; with a
/// frame it is the frame's own and is not reported. With a frame the whole image is a hole of the
/// frame, born with it: birth pixel no_pixel.
///
/// Ties in value are broken by pixel index, so the critical pixels are a function of the image
/// alone: the same on every machine, for every number of threads and for both engines.
///
/// An engine keeps its workspace from image to image, so each thread needs its own.
/// The image must be at least 1 x 1, with fewer than 2^31 pixels padded by one on each side.
/// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
///
/// Source: Edelsbrunner, Harer, "Computational Topology" (2010), ch. VII; relative homology: Hu et
/// al., NeurIPS 2019, section 2.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/filtration/critical_cells.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/filtration/sorted_saddles.hpp"
#include "toponet/persistence/basins.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/hole_names.hpp"

namespace toponet {

/// Time O(n + c log c) for n pixels of which c are critical: union-find without union by rank takes
/// O(log c) for each search (see disjoint_sets.hpp); measured, the time is nearly linear.
template <class Value>
class UnionFindPersistence {
  public:
    /// An image of fewer pixels isn't worth starting a thread for (measured:
    /// benchmarks/threads.py).
    static constexpr std::int64_t pixels_per_thread = 65536;

    /// \param num_threads  share this one image; the result doesn't depend on their number.
    /// \param names  if given, gets a name for each hole of the diagram.
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 Diagram<Value>& diagram, int num_threads = 1, HoleNames<Value>* names = nullptr);

  private:
    /// Cells in index order, and their places in the order of the filtration.
    struct OrderedCells {
        std::vector<std::int32_t> cells;
        std::vector<std::int32_t> order;
    };

    void sort_by_death(std::size_t saddles);
    void collect_loops();
    void merge_components(const FiltrationOptions& options,
                          std::vector<PersistencePair<Value>>& pairs);
    void merge_background(const FiltrationOptions& options, const OrderedCells& saddles,
                          Basins<Value>& basins, std::vector<PersistencePair<Value>>& pairs,
                          HoleNames<Value>* names);

    PaddedGrid<Value> grid_;
    CriticalCellFinder finder_;
    CriticalCells critical_;
    SortedSaddles<Value> saddles_;
    std::vector<std::uint8_t> closes_loop_;  ///< Per saddle rank.
    std::vector<std::int32_t> place_;        ///< Per saddle rank: place among the loops.
    OrderedCells loops_;                     ///< Saddles that close loops.
    OrderedCells all_saddles_;               ///< When both sweeps go side by side.
    SweepSteps upwards_{Sweep::upwards};
    SweepSteps downwards_{Sweep::downwards};
    Basins<Value> basins_;              ///< Of one sweep, then of the other.
    Basins<Value> background_basins_;   ///< When both go side by side.
    std::vector<std::int32_t> deaths_;  ///< Per maximum: where it dies.
    std::vector<std::int32_t> death_places_;
    std::vector<std::int32_t> by_death_;
    std::vector<std::int32_t> births_;  ///< Per minimum: the cell where its hole is born.
};

/// The textbook algorithm on the explicit cubical complex, for which the paper states O(n^3). It is
/// the oracle of the other engine.
template <class Value>
class ReductionPersistence {
  public:
    static constexpr std::int64_t pixels_per_thread = 128;

    /// \param num_threads  has no effect: this engine works in the caller's thread. It is there so
    ///                     that both engines are called alike.
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 Diagram<Value>& diagram, int num_threads = 1);
};

extern template class UnionFindPersistence<float>;
extern template class UnionFindPersistence<double>;
extern template class ReductionPersistence<float>;
extern template class ReductionPersistence<double>;

}  // namespace toponet
