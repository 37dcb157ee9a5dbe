// Persistence by union-find over extrema.
//
// Most pixels change nothing when they enter the filtration. Eight comparisons with its neighbours
// (its upper link, see neighbourhood.hpp) tell whether a pixel is a maximum, a minimum or a saddle;
// the rest is regular, and never sorted.
//
// Dimension 0: components of the foreground are born at maxima and meet at saddles. From a saddle,
// any path that climbs into one piece of its upper link ends at a maximum of the component that the
// piece belongs to, because all of the path enters before the saddle. So union-find runs over
// maxima, at saddles only, in the order of the filtration.
//
// Dimension 1, by duality: holes are the components of the background that don't reach the
// outside. Against the filtration they are born at minima and meet at the same saddles, under the
// dual connectivity. Of the j pieces of a saddle's link, m meetings join foreground components and
// the other j - 1 - m close a loop, which is where background components part: the second pass
// visits the saddles of the second kind only.
//
// Pixels live in a grid padded by one on each side, whose cells are the frame (before all pixels)
// or the outside background (after all pixels).

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "toponet/neighbourhood.hpp"
#include "toponet/persistence.hpp"

namespace toponet {
namespace {

constexpr std::size_t deaths_per_saddle = 3;  // Four pieces of a link at the most.

std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

const LinkTable& foreground_table(Connectivity connectivity) {
    return connectivity == Connectivity::eight ? link_table_8 : link_table_4;
}

const LinkTable& background_table(Connectivity connectivity) {
    return connectivity == Connectivity::eight ? link_table_4 : link_table_8;
}

/// Node of the extremum that a monotone path from a cell ends at. Cells on the way are labelled, so
/// that no stretch is walked twice.
template <class NextStep>
std::int32_t follow(std::int32_t cell, std::vector<std::int32_t>& labels, NextStep next_step) {
    std::int32_t end = cell;
    while (labels[index(end)] == 0) end = next_step(end);
    const std::int32_t label = labels[index(end)];
    while (labels[index(cell)] == 0) {
        labels[index(cell)] = label;
        cell = next_step(cell);
    }
    return label;
}

/// Labels of the extrema are their nodes; those of the padding, the outside; all others unknown.
void label_extrema(const std::vector<std::int32_t>& extrema, std::int64_t height,
                   std::int64_t padded_width, std::vector<std::int32_t>& labels) {
    constexpr std::int32_t outside = ElderUnionFind<float>::outside;
    const auto stride = static_cast<std::size_t>(padded_width);
    const auto rows = static_cast<std::size_t>(height) + 2;
    labels.assign(rows * stride, 0);
    std::fill_n(labels.begin(), stride, outside);
    std::fill_n(labels.end() - padded_width, stride, outside);
    for (std::size_t r = 1; r + 1 < rows; ++r) {
        labels[r * stride] = outside;
        labels[r * stride + stride - 1] = outside;
    }
    std::int32_t node = ElderUnionFind<float>::first_extremum;
    for (const std::int32_t cell : extrema) labels[index(cell)] = node++;
}

/// Copies one row between two padding values and refuses what has no place in the order.
template <class Value>
void load_row(const ImageView<Value>& image, std::int64_t r, Value padding, Value* row) {
    const Value* source = image.row(r);
    bool finite = true;
    row[0] = padding;
    for (std::int64_t c = 0; c < image.width; ++c) {
        row[c + 1] = source[c];
        finite &= source[c] - source[c] == Value(0);
    }
    row[image.width + 1] = padding;
    if (!finite) throw std::invalid_argument("holds NaN or an infinite value");
}

}  // namespace

template <class Value>
std::int32_t UnionFindPersistence<Value>::pixel_of(std::int32_t cell) const {
    const std::int64_t r = cell / padded_width_ - 1;
    return static_cast<std::int32_t>(cell - padded_width_ - 1 - 2 * r);
}

template <class Value>
Value UnionFindPersistence<Value>::value_at(const ImageView<Value>& image,
                                            std::int32_t cell) const {
    return image.row(cell / padded_width_ - 1)[cell % padded_width_ - 1];
}

template <class Value>
void UnionFindPersistence<Value>::classify_cells(const ImageView<Value>& image,
                                                 const FiltrationOptions& options) {
    const std::int64_t height = image.height;
    const std::int64_t width = image.width;
    const std::int64_t stride = padded_width_;
    const Value infinity = std::numeric_limits<Value>::infinity();
    const Value padding = options.frame ? infinity : -infinity;
    const LinkTable& foreground = foreground_table(options.connectivity);
    const LinkTable& background = background_table(options.connectivity);

    upper_.resize(static_cast<std::size_t>((height + 2) * stride));
    rows_.assign(static_cast<std::size_t>(3 * stride), padding);
    maxima_.clear();
    minima_.clear();
    saddle_cells_.clear();
    Value* above = rows_.data();
    Value* row = above + stride;
    Value* below = row + stride;
    load_row(image, 0, padding, row);
    for (std::int64_t r = 0; r < height; ++r) {
        if (r + 1 < height) {
            load_row(image, r + 1, padding, below);
        } else {
            std::fill_n(below, stride, padding);
        }
        const std::int64_t first = (r + 1) * stride + 1;
        std::uint8_t* links = upper_.data() + first;
        upper_links(above + 1, row + 1, below + 1, width, links);
        for (std::int64_t c = 0; c < width; ++c) {
            const unsigned upper = foreground[links[c]].count;
            const unsigned lower = background[links[c] ^ 0xFFu].count;
            if (upper == 1 && lower == 1) continue;
            const auto cell = static_cast<std::int32_t>(first + c);
            if (upper == 0) maxima_.push_back(cell);
            if (lower == 0) minima_.push_back(cell);
            if (upper > 1) saddle_cells_.push_back(cell);
        }
        std::swap(above, row);
        std::swap(row, below);
    }
}

template <class Value>
void UnionFindPersistence<Value>::sort_saddles(const ImageView<Value>& image) {
    saddles_.clear();
    for (const std::int32_t cell : saddle_cells_) {
        const auto rank = static_cast<std::int32_t>(saddles_.size());
        saddles_.push_back({value_at(image, cell), cell, rank});
    }
    std::sort(saddles_.begin(), saddles_.end(), [](const Saddle& a, const Saddle& b) {
        return enters_before(a.value, a.cell, b.value, b.cell);
    });
}

template <class Value>
void UnionFindPersistence<Value>::merge_components(const ImageView<Value>& image,
                                                   const FiltrationOptions& options,
                                                   std::vector<PersistencePair>& pairs) {
    const LinkTable& table = foreground_table(options.connectivity);
    const auto step = ring_offsets(static_cast<std::int32_t>(padded_width_));
    label_extrema(maxima_, image.height, padded_width_, labels_);
    basins_.reset(maxima_.size());
    std::int32_t eldest = basins_.outside;
    for (std::size_t i = 0; i < maxima_.size(); ++i) {
        const auto node = static_cast<std::int32_t>(i) + basins_.first_extremum;
        basins_.set_value(node, value_at(image, maxima_[i]));
        if (eldest == basins_.outside ||
            enters_before(basins_.value(node), node, basins_.value(eldest), eldest)) {
            eldest = node;
        }
    }
    const auto maximum_of = [&](std::int32_t node) {
        return maxima_[index(node - basins_.first_extremum)];
    };
    const auto climb = [&](std::int32_t cell) {
        return cell + step[table[upper_[index(cell)]].direction[0]];
    };
    const auto younger_than = [&](std::int32_t a, std::int32_t b) {
        if (b == basins_.outside) return true;
        if (a == basins_.outside) return false;
        return enters_before(basins_.value(b), b, basins_.value(a), a);
    };

    dying_.assign(saddles_.size() * deaths_per_saddle, 0);
    loop_saddles_.clear();
    for (const Saddle& saddle : saddles_) {
        const LinkComponents& arms = table[upper_[index(saddle.cell)]];
        std::int32_t elder =
            basins_.find(follow(saddle.cell + step[arms.direction[0]], labels_, climb));
        std::size_t meetings = 0;
        for (std::size_t arm = 1; arm < arms.count; ++arm) {
            std::int32_t other =
                basins_.find(follow(saddle.cell + step[arms.direction[arm]], labels_, climb));
            if (other == elder) continue;
            if (younger_than(elder, other)) std::swap(elder, other);
            basins_.join(other, elder);
            dying_[index(saddle.rank) * deaths_per_saddle + meetings++] = other;
        }
        if (meetings + 1 < arms.count) loop_saddles_.push_back(saddle);
    }

    if (!options.frame) pairs.push_back({pixel_of(maximum_of(eldest)), no_pixel});
    for (std::size_t rank = 0; rank < saddle_cells_.size(); ++rank) {
        // Nodes are numbered in index order, so sorting nodes sorts birth pixels.
        std::int32_t* dying = dying_.data() + rank * deaths_per_saddle;
        std::size_t count = 0;
        while (count < deaths_per_saddle && dying[count] != 0) ++count;
        std::sort(dying, dying + count);
        const Value death = count ? value_at(image, saddle_cells_[rank]) : Value(0);
        for (std::size_t i = 0; i < count; ++i) {
            if (basins_.value(dying[i]) == death) continue;
            pairs.push_back({pixel_of(maximum_of(dying[i])), pixel_of(saddle_cells_[rank])});
        }
    }
}

template <class Value>
void UnionFindPersistence<Value>::merge_background(const ImageView<Value>& image,
                                                   const FiltrationOptions& options,
                                                   std::vector<PersistencePair>& pairs) {
    const LinkTable& table = background_table(options.connectivity);
    const auto step = ring_offsets(static_cast<std::int32_t>(padded_width_));
    label_extrema(minima_, image.height, padded_width_, labels_);
    basins_.reset(minima_.size());
    for (std::size_t i = 0; i < minima_.size(); ++i) {
        basins_.set_value(static_cast<std::int32_t>(i) + basins_.first_extremum,
                          value_at(image, minima_[i]));
    }
    const auto descend = [&](std::int32_t cell) {
        return cell + step[table[upper_[index(cell)] ^ 0xFFu].direction[0]];
    };
    const auto younger_than = [&](std::int32_t a, std::int32_t b) {
        if (b == basins_.outside) return true;
        if (a == basins_.outside) return false;
        return enters_before(basins_.value(a), a, basins_.value(b), b);
    };

    // Per minimum, the cell where the hole that it fills is born; 0 = with the frame.
    dying_.assign(minima_.size(), 0);
    for (auto saddle = loop_saddles_.rbegin(); saddle != loop_saddles_.rend(); ++saddle) {
        const LinkComponents& arms = table[upper_[index(saddle->cell)] ^ 0xFFu];
        std::int32_t elder =
            basins_.find(follow(saddle->cell + step[arms.direction[0]], labels_, descend));
        for (std::size_t arm = 1; arm < arms.count; ++arm) {
            std::int32_t other =
                basins_.find(follow(saddle->cell + step[arms.direction[arm]], labels_, descend));
            if (other == elder) continue;
            if (younger_than(elder, other)) std::swap(elder, other);
            basins_.join(other, elder);
            dying_[index(other - basins_.first_extremum)] = saddle->cell;
        }
    }
    for (std::size_t i = 0; i < minima_.size(); ++i) {
        const auto node = static_cast<std::int32_t>(i) + basins_.first_extremum;
        const bool with_frame = dying_[i] == 0;
        const Value birth =
            with_frame ? static_cast<Value>(options.frame_value) : value_at(image, dying_[i]);
        if (birth == basins_.value(node)) continue;
        pairs.push_back({with_frame ? no_pixel : pixel_of(dying_[i]), pixel_of(minima_[i])});
    }
}

template <class Value>
void UnionFindPersistence<Value>::compute(const ImageView<Value>& image,
                                          const FiltrationOptions& options, PixelDiagram& diagram) {
    diagram.clear();
    padded_width_ = image.width + 2;
    classify_cells(image, options);
    if (options.frame) {
        for (const std::int32_t cell : maxima_) {
            if (value_at(image, cell) > static_cast<Value>(options.frame_value)) {
                throw std::invalid_argument("holds a value above frame_value");
            }
        }
    }
    sort_saddles(image);
    if (options.dimension_0) {
        merge_components(image, options, diagram.dimension[0]);
    } else {
        loop_saddles_ = saddles_;
    }
    if (options.dimension_1) merge_background(image, options, diagram.dimension[1]);
}

template class UnionFindPersistence<float>;
template class UnionFindPersistence<double>;

}  // namespace toponet
