/// Betti matching of two images: their features that are the same place.
///
/// Both images lie below c = max(f, g), so that their superlevel sets lie in c's. A feature of f
/// and a feature of g are partners if their images in c are the same feature of c. An image that
/// lives for no time makes no partners. The classes that never die are partners of each other.
///
/// Ties are broken by pixel index. A pixel where several clusters meet joins them one after the
/// other, in the order of their smallest neighbour index there, the frame or the outside first. So
/// the partners are a function of the two images.
///
/// Source: Stucki et al., "Topologically Faithful Image Segmentation via Induced Matching of
/// Persistence Barcodes", ICML 2023. The comparison image is their union.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/betti_matching/common_pieces.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/hole_names.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {

/// The diagrams of two images and, in each dimension, rows of both that are partners, in the order
/// of f's rows.
template <class Value>
struct MatchedDiagrams {
    Diagram<Value> f;
    Diagram<Value> g;
    std::vector<Partners> partners[2];
};

/// Time O(n + c log c) for n pixels of which c are critical. Keeps its workspace, so each thread
/// needs its own.
template <class Value>
class BettiMatcher {
  public:
    static constexpr std::int64_t pixels_per_thread =
        UnionFindPersistence<Value>::pixels_per_thread;
    static constexpr std::int64_t most_kept_pixels = UnionFindPersistence<Value>::most_kept_pixels;

    /// \param f, g  of one shape.
    /// \param num_threads  share these two images; the result doesn't depend on their number.
    /// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
    void match(const ImageView<Value>& f, const ImageView<Value>& g,
               const FiltrationOptions& options, MatchedDiagrams<Value>& result, int num_threads);

  private:
    void match_holes(std::vector<Partners>& partners);

    CommonPieces<Value> pieces_;
    UnionFindPersistence<Value> engine_;
    HoleNames<Value> names_f_;
    HoleNames<Value> names_g_;
    std::vector<std::int32_t> hole_of_;  ///< Per minimum of c: the hole of g that it names.
    std::vector<PieceBirth<Value>> births_f_;
    std::vector<PieceBirth<Value>> births_g_;
};

extern template class BettiMatcher<float>;
extern template class BettiMatcher<double>;

}  // namespace toponet
