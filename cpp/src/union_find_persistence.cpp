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
#include <limits>
#include <stdexcept>

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
std::int32_t follow(std::int32_t cell, const std::uint8_t* links,
                    const std::array<std::int32_t, 256>& step, std::int32_t* labels) {
    std::int32_t end = cell;
    while (labels[end] == 0) end += step[links[end]];
    const std::int32_t label = labels[end];
    while (labels[cell] == 0) {
        labels[cell] = label;
        cell += step[links[cell]];
    }
    return label;
}

}  // namespace

template <class Value>
std::int32_t UnionFindPersistence<Value>::pixel_of(std::int32_t cell) const {
    const auto row = cell / static_cast<std::int32_t>(stride_) - 1;
    return cell - static_cast<std::int32_t>(stride_) - 1 - 2 * row;
}

template <class Value>
void UnionFindPersistence<Value>::prepare_tables(std::int64_t stride, Connectivity connectivity) {
    if (stride == stride_ && connectivity == connectivity_) return;
    stride_ = stride;
    connectivity_ = connectivity;
    offsets_ = ring_offsets(static_cast<std::int32_t>(stride));
    for (std::size_t link = 0; link < 256; ++link) {
        climb_[link] = offsets_[foreground_table(connectivity)[link].direction[0]];
        descend_[link] = offsets_[background_table(connectivity)[link ^ 0xFF].direction[0]];
    }
}

/// Copies the image into the padded grid and refuses what has no place in the order.
template <class Value>
void UnionFindPersistence<Value>::load_cells(const ImageView<Value>& image,
                                             const FiltrationOptions& options) {
    const Value infinity = std::numeric_limits<Value>::infinity();
    const Value padding = options.frame ? infinity : -infinity;
    cells_.resize(static_cast<std::size_t>((image.height + 2) * stride_));
    std::fill_n(cells_.begin(), stride_, padding);
    std::fill_n(cells_.end() - stride_, stride_, padding);
    bool finite = true;
    Value largest = -infinity;
    for (std::int64_t r = 0; r < image.height; ++r) {
        const Value* source = image.row(r);
        Value* row = cells_.data() + (r + 1) * stride_;
        row[0] = padding;
        row[stride_ - 1] = padding;
        for (std::int64_t c = 0; c < image.width; ++c) {
            row[c + 1] = source[c];
            finite &= source[c] - source[c] == Value(0);
            largest = source[c] > largest ? source[c] : largest;
        }
    }
    if (!finite) throw std::invalid_argument("holds NaN or an infinite value");
    if (options.frame && largest > static_cast<Value>(options.frame_value)) {
        throw std::invalid_argument("holds a value above frame_value");
    }
}

template <class Value>
void UnionFindPersistence<Value>::find_critical_cells(const ImageView<Value>& image) {
    // A few rows at a time, so that large images stay in the cache between the steps.
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, 16384 / stride_);
    links_.resize(cells_.size());
    critical_.resize(static_cast<std::size_t>(image.pixel_count()) + 1);
    std::int32_t* critical = critical_.data();
    for (std::int64_t r = 0; r < image.height; r += rows_at_once) {
        const std::int64_t rows = std::min(rows_at_once, image.height - r);
        const std::int64_t first = (r + 1) * stride_ + 1;
        const std::int64_t count = rows * stride_ - 2;
        marks_.resize(static_cast<std::size_t>(count) + 2);
        find_upper_links(cells_.data() + first, stride_, count, links_.data() + first);
        mark_critical(links_.data() + first, count, connectivity_, marks_.data());
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::uint8_t* marks = marks_.data() + row * stride_;
            const auto cell = static_cast<std::int32_t>(first + row * stride_);
            // Without a branch: which cells are critical can't be predicted.
            for (std::int32_t c = 0; c < image.width; ++c) {
                *critical = cell + c;
                critical += marks[c];
            }
        }
    }
    const auto found = static_cast<std::size_t>(critical - critical_.data());

    static constexpr auto kinds = [] {
        std::array<std::array<CellKind, 256>, 2> table{};
        for (unsigned link = 0; link < 256; ++link) {
            table[0][link] = cell_kind(link, Connectivity::four);
            table[1][link] = cell_kind(link, Connectivity::eight);
        }
        return table;
    }();
    const auto& kind_of = kinds[connectivity_ == Connectivity::eight ? 1 : 0];
    maxima_.resize(found + 1);
    minima_.resize(found + 1);
    saddle_cells_.resize(found + 1);
    std::size_t maxima = 0;
    std::size_t minima = 0;
    std::size_t saddles = 0;
    for (std::size_t i = 0; i < found; ++i) {
        const std::int32_t cell = critical_[i];
        const CellKind kind = kind_of[links_[index(cell)]];
        maxima_[maxima] = cell;
        minima_[minima] = cell;
        saddle_cells_[saddles] = cell;
        maxima += kind.is_maximum;
        minima += kind.is_minimum;
        saddles += kind.is_saddle;
    }
    maxima_.resize(maxima);
    minima_.resize(minima);
    saddle_cells_.resize(saddles);
    saddles_.resize(saddles);
    for (std::size_t rank = 0; rank < saddles; ++rank) {
        const std::int32_t cell = saddle_cells_[rank];
        saddles_[rank] = {descending_bits(value_of(cell)), cell, static_cast<std::int32_t>(rank)};
    }
    radix_sort(saddles_, scratch_);
}

/// Labels of the extrema are their nodes; those of the padding, the outside; all others unknown.
template <class Value>
void UnionFindPersistence<Value>::label_extrema(const std::vector<std::int32_t>& extrema,
                                                std::int64_t height) {
    const auto stride = static_cast<std::size_t>(stride_);
    const auto rows = static_cast<std::size_t>(height) + 2;
    labels_.assign(rows * stride, 0);
    std::fill_n(labels_.begin(), stride, basins_.outside);
    std::fill_n(labels_.end() - stride_, stride, basins_.outside);
    for (std::size_t r = 1; r + 1 < rows; ++r) {
        labels_[r * stride] = basins_.outside;
        labels_[r * stride + stride - 1] = basins_.outside;
    }
    basins_.reset(extrema.size());
    std::int32_t node = basins_.first_extremum;
    for (const std::int32_t cell : extrema) {
        labels_[index(cell)] = node;
        basins_.set_value(node, value_of(cell));
        ++node;
    }
}

template <class Value>
void UnionFindPersistence<Value>::merge_components(const FiltrationOptions& options,
                                                   std::vector<PersistencePair<Value>>& pairs) {
    const LinkTable& table = foreground_table(connectivity_);
    const auto maximum_of = [&](std::int32_t node) {
        return maxima_[index(node - basins_.first_extremum)];
    };
    const auto younger_than = [&](std::int32_t a, std::int32_t b) {
        if (b == basins_.outside) return true;
        if (a == basins_.outside) return false;
        return enters_before(basins_.value(b), b, basins_.value(a), a);
    };
    const auto component_in = [&](std::int32_t cell) {
        return basins_.find(follow(cell, links_.data(), climb_, labels_.data()));
    };

    dying_.assign(saddles_.size() * deaths_per_saddle, 0);
    loop_saddles_.clear();
    for (const Saddle& saddle : saddles_) {
        const LinkComponents& arms = table[links_[index(saddle.cell)]];
        std::int32_t elder = component_in(saddle.cell + offsets_[arms.direction[0]]);
        std::size_t meetings = 0;
        for (std::size_t arm = 1; arm < arms.count; ++arm) {
            std::int32_t other = component_in(saddle.cell + offsets_[arms.direction[arm]]);
            if (other == elder) continue;
            if (younger_than(elder, other)) std::swap(elder, other);
            basins_.join(other, elder);
            dying_[index(saddle.rank) * deaths_per_saddle + meetings++] = other;
        }
        if (meetings + 1 < arms.count) loop_saddles_.push_back(saddle);
    }

    if (!options.frame) {
        const std::int32_t eldest = basins_.find(basins_.first_extremum);
        pairs.push_back({basins_.value(eldest), -std::numeric_limits<Value>::infinity(),
                         pixel_of(maximum_of(eldest)), no_pixel});
    }
    for (std::size_t rank = 0; rank < saddle_cells_.size(); ++rank) {
        std::int32_t* dying = dying_.data() + rank * deaths_per_saddle;
        if (dying[0] == 0) continue;
        std::size_t count = 1;
        while (count < deaths_per_saddle && dying[count] != 0) ++count;
        // Nodes are numbered in index order, so sorting nodes sorts birth pixels.
        std::sort(dying, dying + count);
        const std::int32_t cell = saddle_cells_[rank];
        for (std::size_t i = 0; i < count; ++i) {
            const Value birth = basins_.value(dying[i]);
            if (birth == value_of(cell)) continue;
            pairs.push_back(
                {birth, value_of(cell), pixel_of(maximum_of(dying[i])), pixel_of(cell)});
        }
    }
}

template <class Value>
void UnionFindPersistence<Value>::merge_background(const FiltrationOptions& options,
                                                   std::vector<PersistencePair<Value>>& pairs) {
    const LinkTable& table = background_table(connectivity_);
    const auto younger_than = [&](std::int32_t a, std::int32_t b) {
        if (b == basins_.outside) return true;
        if (a == basins_.outside) return false;
        return enters_before(basins_.value(a), a, basins_.value(b), b);
    };
    const auto component_in = [&](std::int32_t cell) {
        return basins_.find(follow(cell, links_.data(), descend_, labels_.data()));
    };

    // Per minimum, the cell where the hole that it fills is born; 0 = with the frame.
    dying_.assign(minima_.size(), 0);
    for (auto saddle = loop_saddles_.rbegin(); saddle != loop_saddles_.rend(); ++saddle) {
        const LinkComponents& arms = table[links_[index(saddle->cell)] ^ 0xFFu];
        std::int32_t elder = component_in(saddle->cell + offsets_[arms.direction[0]]);
        for (std::size_t arm = 1; arm < arms.count; ++arm) {
            std::int32_t other = component_in(saddle->cell + offsets_[arms.direction[arm]]);
            if (other == elder) continue;
            if (younger_than(elder, other)) std::swap(elder, other);
            basins_.join(other, elder);
            dying_[index(other - basins_.first_extremum)] = saddle->cell;
        }
    }
    for (std::size_t i = 0; i < minima_.size(); ++i) {
        const bool with_frame = dying_[i] == 0;
        const Value birth =
            with_frame ? static_cast<Value>(options.frame_value) : value_of(dying_[i]);
        const Value death = value_of(minima_[i]);
        if (birth == death) continue;
        pairs.push_back(
            {birth, death, with_frame ? no_pixel : pixel_of(dying_[i]), pixel_of(minima_[i])});
    }
}

template <class Value>
void UnionFindPersistence<Value>::compute(const ImageView<Value>& image,
                                          const FiltrationOptions& options,
                                          Diagram<Value>& diagram) {
    diagram.clear();
    prepare_tables(image.width + 2, options.connectivity);
    load_cells(image, options);
    find_critical_cells(image);
    if (options.dimension_0) {
        label_extrema(maxima_, image.height);
        merge_components(options, diagram.dimension[0]);
    } else {
        loop_saddles_ = saddles_;
    }
    if (options.dimension_1) {
        label_extrema(minima_, image.height);
        merge_background(options, diagram.dimension[1]);
    }
}

template class UnionFindPersistence<float>;
template class UnionFindPersistence<double>;

}  // namespace toponet
