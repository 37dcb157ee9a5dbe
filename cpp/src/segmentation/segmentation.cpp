#include "toponet/segmentation/segmentation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "toponet/basics/divide_threads.hpp"
#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/workspaces.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {
namespace {

Connectivity dual(Connectivity connectivity) {
    return connectivity == Connectivity::eight ? Connectivity::four : Connectivity::eight;
}

template <class Value>
Side<Value> make_side(int dimension, const Value* values, const ImageView<Value>& image,
                      const SegmentationOptions& options) {
    const bool foreground = dimension == 0;
    return Side<Value>{values,
                       image.height,
                       image.width,
                       static_cast<Value>(options.threshold),
                       dimension,
                       foreground ? options.connectivity : dual(options.connectivity),
                       options.frame == foreground};
}

}  // namespace

template <class Value>
void Segmenter<Value>::segment(const ImageView<Value>& image, const SegmentationOptions& options,
                               Value* settled, std::int32_t* cells, Decisions& decisions,
                               int num_threads) {
    parallel_for(image.height, num_threads, [&](int, std::int64_t r) {
        std::copy_n(image.row(r), image.width, settled + r * image.width);
    });
    decisions = {};
    if (options.dimension_1) settle(1, image, options, settled, cells, decisions, num_threads);
    std::swap(holes_decisions_, decisions);
    decisions = {};
    if (options.dimension_0) settle(0, image, options, settled, cells, decisions, num_threads);
    // Rows of pieces come first.
    decisions.rows.insert(decisions.rows.end(), holes_decisions_.rows.begin(),
                          holes_decisions_.rows.end());
    decisions.pixels.insert(decisions.pixels.end(), holes_decisions_.pixels.begin(),
                            holes_decisions_.pixels.end());
    holes_decisions_ = {};

    Side<Value> background = make_side(1, settled, image, options);
    background.outside_grows = false;
    pieces_.find(background);
    std::fill_n(cells, image.pixel_count(), 0);
    for (const Pieces::Run& run : pieces_.runs()) {
        std::fill(cells + run.begin, cells + run.end, run.piece + 1);
    }
}

template <class Value>
void Segmenter<Value>::settle(int dimension, const ImageView<Value>& image,
                              const SegmentationOptions& options, Value* settled,
                              std::int32_t* labels, Decisions& decisions, int num_threads) {
    const Side<Value> side = make_side(dimension, settled, image, options);
    tree_.grow(side, options.connectivity, options.frame, num_threads, options.tile);
    const bool protect = dimension == 0 && options.dimension_1;
    settling_.settle(side, tree_, options.wishes, protect ? &holes_ : nullptr, pieces_, labels,
                     num_threads);
    if (dimension == 1) holes_ = settling_.wanted_pixels();
    if (protect) decisions.remainder = settling_.remainder();
    collect(side, settled, decisions);
}

/// Makes rows of what was done, sorted by death and birth pixel, and does it.
template <class Value>
void Segmenter<Value>::collect(const Side<Value>& side, Value* settled, Decisions& decisions) {
    const std::vector<Action>& actions = settling_.actions();
    order_.clear();
    for (std::size_t feature = 0; feature < actions.size(); ++feature) {
        if (actions[feature] != Action::none) order_.push_back(static_cast<std::int32_t>(feature));
    }
    const auto dot = [&](std::int32_t feature) {
        // (death, birth)
        std::pair<std::int32_t, std::int32_t> ends{tree_.meeting(feature),
                                                   tree_.first_pixel(feature)};
        if (!side.upwards()) std::swap(ends.first, ends.second);
        return ends;
    };
    std::sort(order_.begin(), order_.end(),
              [&](std::int32_t a, std::int32_t b) { return dot(a) < dot(b); });
    resize_lean(rows_, actions.size());
    for (std::size_t row = 0; row < order_.size(); ++row) {
        const std::int32_t feature = order_[row];
        rows_[to_size(feature)] = static_cast<std::int32_t>(row);
        const auto [death, birth] = dot(feature);
        const int action = static_cast<int>(actions[to_size(feature)]) - 1 + 4 * side.dimension;
        decisions.rows.push_back({settling_.birth(feature), settling_.death(feature), 0.0, birth,
                                  death, 0, static_cast<std::int8_t>(side.dimension),
                                  static_cast<std::int8_t>(action)});
    }
    for (const Edit& edit : settling_.edits()) {
        ++decisions.rows[to_size(rows_[to_size(edit.feature)])].changed;
    }
    std::vector<std::int32_t> next(order_.size() + 1, 0);
    for (std::size_t row = 0; row < order_.size(); ++row) {
        next[row + 1] = next[row] + decisions.rows[row].changed;
    }
    decisions.pixels.resize(settling_.edits().size());
    const Value below = std::nextafter(side.threshold, -std::numeric_limits<Value>::infinity());
    for (const Edit& edit : settling_.edits()) {
        const auto row = to_size(rows_[to_size(edit.feature)]);
        decisions.pixels[to_size(next[row]++)] = edit.pixel;
        const Value before = side.value(edit.pixel);
        const Value after = before >= side.threshold ? below : side.threshold;
        const double change = std::abs(static_cast<double>(after) - static_cast<double>(before));
        decisions.rows[row].cost = std::max(decisions.rows[row].cost, change);
    }
    auto begin = decisions.pixels.begin();
    for (const Decision& row : decisions.rows) {
        std::sort(begin, begin + row.changed);
        begin += row.changed;
    }
    for (const std::int32_t pixel : decisions.pixels) {
        settled[pixel] = settled[pixel] >= side.threshold ? below : side.threshold;
    }
}

template <class Value>
std::vector<Decisions> batch_segmentation(const std::vector<ImageView<Value>>& images,
                                          const SegmentationOptions& options, Value* settled,
                                          std::int32_t* cells, int num_threads) {
    const Division division =
        divide_threads(images, num_threads, UnionFindPersistence<Value>::pixels_per_thread);
    Workspaces<Segmenter<Value>> segmenters(division.tasks, images);
    std::vector<Decisions> decisions(images.size());
    std::vector<std::int64_t> first(images.size() + 1, 0);
    for (std::size_t i = 0; i < images.size(); ++i) {
        first[i + 1] = first[i] + images[i].pixel_count();
    }
    const auto count = static_cast<std::int64_t>(images.size());
    parallel_for(count, division.tasks, [&](int thread, std::int64_t i) {
        const auto image = to_size(i);
        try {
            segmenters[thread].segment(images[image], options, settled + first[image],
                                       cells + first[image], decisions[image],
                                       division.threads_each);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument("image " + std::to_string(i) + " " + error.what());
        }
    });
    return decisions;
}

template class Segmenter<float>;
template class Segmenter<double>;
template std::vector<Decisions> batch_segmentation(const std::vector<ImageView<float>>&,
                                                   const SegmentationOptions&, float*,
                                                   std::int32_t*, int);
template std::vector<Decisions> batch_segmentation(const std::vector<ImageView<double>>&,
                                                   const SegmentationOptions&, double*,
                                                   std::int32_t*, int);

}  // namespace toponet
