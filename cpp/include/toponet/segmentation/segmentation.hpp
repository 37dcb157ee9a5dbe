/// Segmentation by persistence: the likelihood that shows wanted features and no others.
///
/// Holes are settled first; then pieces, by the features that the image has after that, and without
/// a change of any hole. See settling.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/persistence.hpp"
#include "toponet/persistence/tiling.hpp"
#include "toponet/segmentation/settling.hpp"

namespace toponet {

struct SegmentationOptions {
    bool dimension_0 = true;
    bool dimension_1 = true;
    Connectivity connectivity = Connectivity::eight;
    bool frame = true;  ///< Of value 1: no pixel may have a larger value.
    double threshold = 0.5;
    Wishes wishes{0.5, 0.3};
    TileSize tile{};  ///< Of merge trees. The result doesn't depend on it; it is there for tests.
};

/// What was done for one feature; pixels are -1 for the frame and for never.
struct Decision {
    double birth;
    double death;  ///< 0 if it never dies.
    double cost;   ///< Largest change of a pixel.
    std::int32_t birth_pixel;
    std::int32_t death_pixel;
    std::int32_t changed;  ///< How many pixels.
    std::int8_t dimension;
    std::int8_t action;  ///< 0 to 3 for pieces, 4 to 7 for holes; see Action.
};

struct Decisions {
    std::vector<Decision> rows;
    std::vector<std::int32_t> pixels;  ///< Those changed, row after row.
    Remainder remainder;               ///< Of the pieces, if both dimensions were settled.
};

/// Keeps its workspace from image to image, so each thread needs its own.
template <class Value>
class Segmenter {
  public:
    static constexpr std::int64_t most_kept_pixels = UnionFindPersistence<Value>::most_kept_pixels;

    /// \param settled  takes the changed likelihood, row after row.
    /// \param cells    takes the number of each pixel's component of the background, from 1 on in
    ///                 the order of first pixels; 0 = structure.
    void segment(const ImageView<Value>& image, const SegmentationOptions& options, Value* settled,
                 std::int32_t* cells, Decisions& decisions, int num_threads = 1);

  private:
    void settle(int dimension, const ImageView<Value>& image, const SegmentationOptions& options,
                Value* settled, std::int32_t* labels, Decisions& decisions, int num_threads);
    void collect(const Side<Value>& side, Value* settled, Decisions& decisions);

    MergeTree<Value> tree_;
    Settling<Value> settling_;
    Pieces pieces_;
    std::vector<std::int32_t> holes_;
    std::vector<std::int32_t> order_;  ///< Features that something was done for.
    std::vector<std::int32_t> rows_;   ///< Per feature: where its pixels go.
    Decisions holes_decisions_;
};

/// Segments the images of a batch, shared out over threads.
/// \param settled  as many pixels as all images together, one image after the other; so `cells`.
/// \throws std::invalid_argument if a value is not finite, or lies above the frame's.
template <class Value>
std::vector<Decisions> batch_segmentation(const std::vector<ImageView<Value>>& images,
                                          const SegmentationOptions& options, Value* settled,
                                          std::int32_t* cells, int num_threads);

extern template class Segmenter<float>;
extern template class Segmenter<double>;

}  // namespace toponet
