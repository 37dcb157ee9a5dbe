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

#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/hole_names.hpp"
#include "toponet/persistence/seams.hpp"
#include "toponet/persistence/tile_persistence.hpp"
#include "toponet/persistence/tiling.hpp"

namespace toponet {

/// Time O(n + c log c) for n pixels of which c are critical: union-find without union by rank takes
/// O(log c) for each search (see disjoint_sets.hpp); measured, the time is nearly linear.
///
/// A large image is cut into tiles that fit the cache, and that threads share; see seams.hpp.
template <class Value>
class UnionFindPersistence {
  public:
    /// An image of fewer pixels isn't worth starting a thread for (measured:
    /// benchmarks/threads.py).
    static constexpr std::int64_t pixels_per_thread = 65536;
    /// Noise of this size keeps 7 MB as float, and 15 as double; Betti matching up to 63.
    static constexpr std::int64_t most_kept_pixels = std::int64_t{1} << 19;

    /// \param num_threads  share this one image; the result doesn't depend on their number.
    /// \param names  if given, gets a name for each hole of the diagram; there are no tiles then.
    /// \param tile   the result doesn't depend on it either.
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 Diagram<Value>& diagram, int num_threads = 1, HoleNames<Value>* names = nullptr,
                 TileSize tile = {});

  private:
    using Pair = PersistencePair<Value>;
    using Pairs = std::vector<Pair>;

    void compute_tiles(const ImageView<Value>& image, const FiltrationOptions& options,
                       int num_threads);
    void merge_seams(const ImageView<Value>& image, const FiltrationOptions& options,
                     std::size_t dimension);
    void gather(std::size_t dimension, std::int64_t image_width, Pairs& pairs, int num_threads);
    void gather_row_of_tiles(std::size_t dimension, std::int64_t tile_row, std::int64_t image_width,
                             const Pair* seam_pair, const Pair* seam_end, Pair* next);

    std::vector<TilePersistence<Value>> workers_;  ///< One for each thread.
    Tiling tiling_;
    std::vector<TileDiagram<Value>> tiles_;
    Seams<Value> seams_[2];
    std::vector<const Seam<Value>*> tile_seams_[2];
    Pairs seam_pairs_[2];  ///< In the order of a diagram.
    // Of the gathering of one dimension. Per row of tiles, where its pairs begin; and the end.
    std::vector<std::size_t> first_pair_;
    std::vector<std::size_t> first_seam_pair_;
    std::vector<std::size_t> gathered_;  ///< Per tile: how many of its pairs.
};

/// The textbook algorithm on the explicit cubical complex, for which the paper states O(n^3). It is
/// the oracle of the other engine.
template <class Value>
class ReductionPersistence {
  public:
    static constexpr std::int64_t pixels_per_thread = 128;
    static constexpr std::int64_t most_kept_pixels = 0;

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
