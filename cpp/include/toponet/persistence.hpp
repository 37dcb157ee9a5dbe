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
/// An engine owns its workspace and reuses it from image to image; one thread, one engine.
/// The image must be at least 1 x 1, with fewer than 2^31 pixels padded by one on each side.
/// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
///
/// Source: Edelsbrunner, Harer, "Computational Topology" (2010), ch. VII; relative homology: Hu et
/// al., NeurIPS 2019, section 2.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/diagram.hpp"
#include "toponet/filtration.hpp"
#include "toponet/image_view.hpp"
#include "toponet/union_find.hpp"

namespace toponet {

/// Near-linear: O(n + c log c) for n pixels of which c are critical.
template <class Value>
class UnionFindPersistence {
  public:
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 PixelDiagram& diagram);

  private:
    struct Saddle {
        Value value;
        std::int32_t cell;
        std::int32_t rank;  ///< Position among the saddles in index order.
    };

    void classify_cells(const ImageView<Value>& image, const FiltrationOptions& options);
    void sort_saddles(const ImageView<Value>& image);
    void merge_components(const ImageView<Value>& image, const FiltrationOptions& options,
                          std::vector<PersistencePair>& pairs);
    void merge_background(const ImageView<Value>& image, const FiltrationOptions& options,
                          std::vector<PersistencePair>& pairs);
    Value value_at(const ImageView<Value>& image, std::int32_t cell) const;
    std::int32_t pixel_of(std::int32_t cell) const;

    std::int64_t padded_width_ = 0;
    std::vector<Value> rows_;           ///< Three padded rows, used in turn.
    std::vector<std::uint8_t> upper_;   ///< Per padded cell: which ring neighbours come before.
    std::vector<std::int32_t> maxima_;  ///< Padded cells, in index order; so the two below.
    std::vector<std::int32_t> minima_;
    std::vector<std::int32_t> saddle_cells_;
    std::vector<Saddle> saddles_;       ///< In the order of the filtration.
    std::vector<std::int32_t> dying_;   ///< Per saddle rank: up to three components that die.
    std::vector<Saddle> loop_saddles_;  ///< Saddles that close loops, in filtration order.
    std::vector<std::int32_t> labels_;  ///< Padded cell -> basin, 0 = not yet known.
    ElderUnionFind<Value> basins_;
};

/// The textbook algorithm on the explicit cubical complex: the oracle of the other engine and the
/// curve that the paper's O(n^3) refers to.
template <class Value>
class ReductionPersistence {
  public:
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 PixelDiagram& diagram);
};

extern template class UnionFindPersistence<float>;
extern template class UnionFindPersistence<double>;
extern template class ReductionPersistence<float>;
extern template class ReductionPersistence<double>;

}  // namespace toponet
