/// Betti matching of an image with a binary truth, without the truth's own diagram.
///
/// Outside the truth, c = max(f, g) is f; on the truth it is 1. A true hole lies where g is 0, so
/// that its hole in c is named by the lowest pixel of f there. A hole of f is matched if it has one
/// of these names. Of the truth's pieces it is enough to know which clusters of c hold some.
/// Which feature of the truth is whose partner isn't told: all of them live from 1 to 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/betti_matching/common_pieces.hpp"
#include "toponet/betti_matching/mask_features.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/hole_names.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {

/// Time O(n + c log c) for n pixels of which c are critical. Keeps its workspace, so each thread
/// needs its own.
template <class Value>
class BinaryBettiMatcher {
  public:
    static constexpr std::int64_t pixels_per_thread =
        UnionFindPersistence<Value>::pixels_per_thread;

    /// \param f        values of at most 1; finite.
    /// \param truth    0 and 1, of f's shape.
    /// \param options  the frame's value must be 1.
    void match(const ImageView<Value>& f, const ImageView<std::uint8_t>& truth,
               const FiltrationOptions& options, int num_threads);

    /// The diagram of the latest f.
    const Diagram<Value>& diagram() const { return diagram_; }

    /// How many features the latest truth has.
    const BettiNumbers& truth_numbers() const { return features_.numbers(); }

    /// Whether a dot that dies has a partner; `row` counts within the dimension.
    bool is_matched(std::size_t dimension, std::size_t row) const {
        return is_matched_[dimension][row] != 0;
    }

  private:
    void match_pieces(const FiltrationOptions& options);
    void match_holes();

    CommonPieces<Value> pieces_;
    UnionFindPersistence<Value> engine_;
    HoleNames<Value> names_;
    MaskFeatures features_;
    Diagram<Value> diagram_;
    std::vector<PieceBirth<Value>> births_;
    std::vector<PieceBirth<Value>> peaks_;
    std::vector<Partners> partners_;
    std::vector<std::uint8_t> is_matched_[2];  ///< Per row.
};

extern template class BinaryBettiMatcher<float>;
extern template class BinaryBettiMatcher<double>;

}  // namespace toponet
