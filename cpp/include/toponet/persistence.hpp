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
#include "toponet/monotone_paths.hpp"
#include "toponet/neighbourhood.hpp"
#include "toponet/radix_sort.hpp"
#include "toponet/union_find.hpp"

namespace toponet {

/// Near-linear: O(n + c) for n pixels of which c are critical, times the inverse Ackermann
/// function.
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

    void load_cells(const ImageView<Value>& image, const FiltrationOptions& options);
    void find_critical_cells(const ImageView<Value>& image);
    void sort_saddles();
    void merge_components(const FiltrationOptions& options,
                          std::vector<PersistencePair<Value>>& pairs);
    void merge_background(const FiltrationOptions& options,
                          std::vector<PersistencePair<Value>>& pairs);
    void find_basins(const std::vector<std::int32_t>& extrema,
                     const std::vector<std::int32_t>& saddles, const LinkTable& table,
                     unsigned flip, Value outside, MonotonePaths& paths);
    template <class IsElder, class OnDeath>
    std::size_t join_arms(const std::int32_t* arms, std::size_t count, IsElder is_elder,
                          OnDeath on_death);
    std::int32_t pixel_of(std::int32_t cell) const;
    Value value_of(std::int32_t cell) const { return cells_[static_cast<std::size_t>(cell)]; }

    std::int64_t stride_ = 0;  ///< Of the padded grid; the next five follow from it and
    Connectivity connectivity_ = Connectivity::eight;  ///< from the connectivity.
    double inverse_stride_ = 0;
    std::array<std::int32_t, 8> offsets_{};  ///< Direction -> step.
    MonotonePaths climbs_;
    MonotonePaths descents_;

    std::vector<Value> cells_;            ///< The image, padded by one on each side.
    std::vector<std::uint8_t> links_;     ///< Upper link of each cell.
    std::vector<std::uint8_t> marks_;     ///< Which cells of some rows are critical.
    std::vector<std::int32_t> critical_;  ///< Cells, in index order; so the next three.
    std::vector<std::int32_t> maxima_;
    std::vector<std::int32_t> minima_;
    std::vector<std::int32_t> saddle_cells_;
    std::vector<Saddle> saddles_;  ///< In the order of the filtration.
    std::vector<Saddle> scratch_;
    std::vector<std::int32_t> loop_cells_;  ///< Saddles that close loops, in that order.
    std::vector<std::int32_t> arms_;        ///< Basins around the saddles, one after the other.
    std::vector<std::int32_t> first_arm_;   ///< Per saddle: where its arms begin.
    std::vector<std::int32_t> dying_;       ///< Per saddle: a list of the maxima that die there.
    std::vector<std::int32_t> next_dying_;
    std::vector<std::int32_t> births_;  ///< Per minimum: the cell where its hole is born.
    std::vector<std::int32_t> nodes_;   ///< Cell -> node; set for extrema and padding only.
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
