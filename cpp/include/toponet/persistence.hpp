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

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/diagram.hpp"
#include "toponet/filtration.hpp"
#include "toponet/image_view.hpp"
#include "toponet/radix_sort.hpp"
#include "toponet/union_find.hpp"

namespace toponet {

/// Near-linear: O(n + c) for n pixels of which c are critical, times the inverse Ackermann
/// function. Workspace: 5 bytes a pixel and one value, and up to 40 bytes for each critical pixel.
template <class Value>
class UnionFindPersistence {
  public:
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 Diagram<Value>& diagram);

  private:
    struct Saddle {
        decltype(descending_bits(Value())) bits;
        std::int32_t cell;
        std::int32_t rank;  ///< Position among the saddles in index order.
    };

    void prepare_tables(std::int64_t stride, Connectivity connectivity);
    void load_cells(const ImageView<Value>& image, const FiltrationOptions& options);
    void find_critical_cells(const ImageView<Value>& image);
    void label_extrema(const std::vector<std::int32_t>& extrema, std::int64_t height);
    void merge_components(const FiltrationOptions& options,
                          std::vector<PersistencePair<Value>>& pairs);
    void merge_background(const FiltrationOptions& options,
                          std::vector<PersistencePair<Value>>& pairs);
    std::int32_t pixel_of(std::int32_t cell) const;
    Value value_of(std::int32_t cell) const { return cells_[static_cast<std::size_t>(cell)]; }

    // What follows from the stride and the connectivity, kept from image to image.
    std::int64_t stride_ = 0;
    Connectivity connectivity_ = Connectivity::eight;
    std::array<std::int32_t, 8> offsets_{};    ///< Direction -> step in the padded grid.
    std::array<std::int32_t, 256> climb_{};    ///< Upper link -> step towards a maximum.
    std::array<std::int32_t, 256> descend_{};  ///< Upper link -> step towards a minimum.

    std::vector<Value> cells_;            ///< The image, padded by one on each side.
    std::vector<std::uint8_t> links_;     ///< Upper link of each cell.
    std::vector<std::uint8_t> marks_;     ///< Which cells of some rows are critical.
    std::vector<std::int32_t> critical_;  ///< Cells, in index order; so the next three.
    std::vector<std::int32_t> maxima_;
    std::vector<std::int32_t> minima_;
    std::vector<std::int32_t> saddle_cells_;
    std::vector<Saddle> saddles_;  ///< In the order of the filtration.
    std::vector<Saddle> scratch_;
    std::vector<Saddle> loop_saddles_;  ///< Those that close loops, in filtration order.
    std::vector<std::int32_t> dying_;   ///< Per saddle rank: up to three dying components.
    std::vector<std::int32_t> labels_;  ///< Cell -> basin, 0 = not yet known.
    ElderUnionFind<Value> basins_;
};

/// The textbook algorithm on the explicit cubical complex: the oracle of the other engine and the
/// curve that the paper's O(n^3) refers to.
template <class Value>
class ReductionPersistence {
  public:
    void compute(const ImageView<Value>& image, const FiltrationOptions& options,
                 Diagram<Value>& diagram);
};

extern template class UnionFindPersistence<float>;
extern template class UnionFindPersistence<double>;
extern template class ReductionPersistence<float>;
extern template class ReductionPersistence<double>;

}  // namespace toponet
