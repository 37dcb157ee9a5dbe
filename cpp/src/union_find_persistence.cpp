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

std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

const LinkTable& foreground_table(Connectivity connectivity) {
    return connectivity == Connectivity::eight ? link_table_8 : link_table_4;
}

const LinkTable& background_table(Connectivity connectivity) {
    return connectivity == Connectivity::eight ? link_table_4 : link_table_8;
}

}  // namespace

/// The half keeps the product away from whole numbers by more than it can be rounded, and a product
/// takes a fraction of a division's time.
template <class Value>
std::int32_t UnionFindPersistence<Value>::pixel_of(std::int32_t cell) const {
    const auto row = static_cast<std::int32_t>((cell + 0.5) * inverse_stride_) - 1;
    return cell - static_cast<std::int32_t>(stride_) - 1 - 2 * row;
}

/// Copies the image into the padded grid and refuses what has no place in the order.
template <class Value>
void UnionFindPersistence<Value>::load_cells(const ImageView<Value>& image,
                                             const FiltrationOptions& options) {
    const Value infinity = std::numeric_limits<Value>::infinity();
    const Value padding = options.frame ? infinity : -infinity;
    const Value limit = options.frame ? static_cast<Value>(options.frame_value) : infinity;
    const std::int64_t stride = image.width + 2;
    if (stride != stride_ || options.connectivity != connectivity_) {
        stride_ = stride;
        inverse_stride_ = 1.0 / static_cast<double>(stride);
        connectivity_ = options.connectivity;
        offsets_ = ring_offsets(static_cast<std::int32_t>(stride));
        for (std::size_t link = 0; link < 256; ++link) {
            const LinkComponents& upper = foreground_table(connectivity_)[link];
            const LinkComponents& lower = background_table(connectivity_)[link ^ 0xFF];
            climbs_.step[link] = upper.count ? offsets_[upper.direction[0]] : 0;
            descents_.step[link] = lower.count ? offsets_[lower.direction[0]] : 0;
        }
    }
    cells_.resize(static_cast<std::size_t>((image.height + 2) * stride));
    std::fill_n(cells_.begin(), stride, padding);
    std::fill_n(cells_.end() - stride, stride, padding);
    bool finite = true;
    bool below_limit = true;
    for (std::int64_t r = 0; r < image.height; ++r) {
        Value* row = cells_.data() + (r + 1) * stride;
        row[0] = padding;
        row[stride - 1] = padding;
        const RowCheck check = copy_row(image.row(r), image.width, limit, row + 1);
        finite &= check.finite;
        below_limit &= check.below_limit;
    }
    if (!finite) throw std::invalid_argument("holds NaN or an infinite value");
    if (!below_limit) throw std::invalid_argument("holds a value above frame_value");
}

template <class Value>
void UnionFindPersistence<Value>::find_critical_cells(const ImageView<Value>& image) {
    // A few rows at a time, so that large images stay in the cache between the steps.
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, 16384 / stride_);
    links_.resize(cells_.size());
    marks_.resize(static_cast<std::size_t>(rows_at_once * stride_));
    critical_.resize(static_cast<std::size_t>(image.pixel_count()) + 1);
    std::int32_t* critical = critical_.data();
    for (std::int64_t r = 0; r < image.height; r += rows_at_once) {
        const std::int64_t rows = std::min(rows_at_once, image.height - r);
        const std::int64_t first = (r + 1) * stride_ + 1;
        const std::int64_t count = rows * stride_ - 2;
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

    const auto& kind_of = connectivity_ == Connectivity::eight ? cell_kinds_8 : cell_kinds_4;
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
}

template <class Value>
void UnionFindPersistence<Value>::sort_saddles() {
    saddles_.resize(saddle_cells_.size());
    for (std::size_t rank = 0; rank < saddles_.size(); ++rank) {
        const std::int32_t cell = saddle_cells_[rank];
        saddles_[rank] = {descending_bits(value_of(cell)), cell, static_cast<std::int32_t>(rank)};
    }
    radix_sort(saddles_, scratch_);
}

/// Makes a node of every extremum, and finds for each saddle the nodes that its arms lead to.
///
/// \param flip       0x00 for upper links (maxima), 0xFF for lower ones (minima).
/// \param outside    value of the padding: older than all extrema.
template <class Value>
void UnionFindPersistence<Value>::find_basins(const std::vector<std::int32_t>& extrema,
                                              const std::vector<std::int32_t>& saddles,
                                              const LinkTable& table, unsigned flip, Value outside,
                                              MonotonePaths& paths) {
    nodes_.resize(cells_.size());
    basins_.reset(extrema.size());
    basins_.set_value(basins_.outside, outside);
    std::int32_t node = basins_.first_extremum;
    for (const std::int32_t cell : extrema) {
        nodes_[index(cell)] = node;
        basins_.set_value(node, value_of(cell));
        ++node;
    }
    // The padding is one node, and all paths end there. Its links say so: nothing before it, or
    // nothing after it; only one of the two passes can reach it.
    const auto padding_link = static_cast<std::uint8_t>(flip);
    const auto stride = static_cast<std::size_t>(stride_);
    const auto pad = [&](std::size_t cell) {
        nodes_[cell] = basins_.outside;
        links_[cell] = padding_link;
    };
    for (std::size_t c = 0; c < stride; ++c) {
        pad(c);
        pad(cells_.size() - 1 - c);
    }
    for (std::size_t left = stride; left + stride < cells_.size(); left += stride) {
        pad(left);
        pad(left + stride - 1);
    }

    arms_.resize(4 * saddles.size());
    first_arm_.resize(saddles.size());
    std::size_t end = 0;
    for (std::size_t i = 0; i < saddles.size(); ++i) {
        const std::int32_t cell = saddles[i];
        const LinkComponents& arms = table[links_[index(cell)] ^ flip];
        first_arm_[i] = static_cast<std::int32_t>(end);
        // Always four, so that nothing has to be predicted; the next saddle overwrites the surplus.
        for (std::size_t arm = 0; arm < 4; ++arm) {
            arms_[end + arm] = cell + offsets_[arms.direction[arm]];
        }
        end += arms.count;
    }
    arms_.resize(end);
    paths.follow(arms_, links_);
    for (std::int32_t& arm : arms_) arm = nodes_[index(arm)];
}

/// Joins the basins around one saddle, eldest last to remain.
/// \return how many died.
template <class Value>
template <class IsElder, class OnDeath>
std::size_t UnionFindPersistence<Value>::join_arms(const std::int32_t* arms, std::size_t count,
                                                   IsElder is_elder, OnDeath on_death) {
    std::size_t deaths = 0;
    std::int32_t elder = basins_.find(arms[0]);
    for (std::size_t arm = 1; arm < count; ++arm) {
        const std::int32_t other = basins_.find(arms[arm]);
        if (other == elder) continue;
        const bool other_is_elder =
            is_elder(basins_.value(other), other, basins_.value(elder), elder);
        const std::int32_t younger = other_is_elder ? elder : other;
        elder = other_is_elder ? other : elder;
        basins_.join(younger, elder);
        on_death(younger);
        ++deaths;
    }
    return deaths;
}

template <class Value>
void UnionFindPersistence<Value>::merge_components(const FiltrationOptions& options,
                                                   std::vector<PersistencePair<Value>>& pairs) {
    const LinkTable& table = foreground_table(connectivity_);
    find_basins(maxima_, saddle_cells_, table, 0x00, std::numeric_limits<Value>::infinity(),
                climbs_);

    // Per saddle rank, the first maximum that dies there; per maximum, the next one that does.
    dying_.assign(saddles_.size(), 0);
    next_dying_.assign(maxima_.size() + basins_.first_extremum, 0);
    loop_cells_.resize(saddles_.size());
    std::size_t loops = 0;
    for (const Saddle& saddle : saddles_) {
        const std::size_t count = table[links_[index(saddle.cell)]].count;
        const std::size_t deaths =
            join_arms(arms_.data() + first_arm_[index(saddle.rank)], count,
                      enters_before<Value, std::int32_t>, [&](std::int32_t node) {
                          // Nodes are numbered in index order: sorted by node is sorted by birth
                          // pixel.
                          std::int32_t* link = &dying_[index(saddle.rank)];
                          while (*link != 0 && *link < node) link = &next_dying_[index(*link)];
                          next_dying_[index(node)] = *link;
                          *link = node;
                      });
        loop_cells_[loops] = saddle.cell;
        loops += deaths + 1 < count;
    }
    loop_cells_.resize(loops);

    if (!options.frame) {
        const std::int32_t eldest = basins_.find(basins_.first_extremum);
        const std::int32_t cell = maxima_[index(eldest - basins_.first_extremum)];
        pairs.push_back(
            {value_of(cell), -std::numeric_limits<Value>::infinity(), pixel_of(cell), no_pixel});
    }
    for (std::size_t rank = 0; rank < saddle_cells_.size(); ++rank) {
        const std::int32_t cell = saddle_cells_[rank];
        for (std::int32_t node = dying_[rank]; node != 0; node = next_dying_[index(node)]) {
            const Value birth = basins_.value(node);
            if (birth == value_of(cell)) continue;
            const std::int32_t maximum = maxima_[index(node - basins_.first_extremum)];
            pairs.push_back({birth, value_of(cell), pixel_of(maximum), pixel_of(cell)});
        }
    }
}

template <class Value>
void UnionFindPersistence<Value>::merge_background(const FiltrationOptions& options,
                                                   std::vector<PersistencePair<Value>>& pairs) {
    const LinkTable& table = background_table(connectivity_);
    find_basins(minima_, loop_cells_, table, 0xFF, -std::numeric_limits<Value>::infinity(),
                descents_);

    // Per minimum, the cell where the hole that it fills is born; 0 = with the frame.
    births_.assign(minima_.size(), 0);
    for (std::size_t i = loop_cells_.size(); i-- > 0;) {
        const std::int32_t cell = loop_cells_[i];
        join_arms(
            arms_.data() + first_arm_[i], table[links_[index(cell)] ^ 0xFFu].count,
            [](Value a, std::int32_t node_a, Value b, std::int32_t node_b) {
                return enters_before(b, node_b, a, node_a);
            },
            [&](std::int32_t node) { births_[index(node - basins_.first_extremum)] = cell; });
    }
    for (std::size_t i = 0; i < minima_.size(); ++i) {
        const bool with_frame = births_[i] == 0;
        const Value birth =
            with_frame ? static_cast<Value>(options.frame_value) : value_of(births_[i]);
        const Value death = value_of(minima_[i]);
        if (birth == death) continue;
        pairs.push_back(
            {birth, death, with_frame ? no_pixel : pixel_of(births_[i]), pixel_of(minima_[i])});
    }
}

template <class Value>
void UnionFindPersistence<Value>::compute(const ImageView<Value>& image,
                                          const FiltrationOptions& options,
                                          Diagram<Value>& diagram) {
    diagram.clear();
    load_cells(image, options);
    find_critical_cells(image);
    sort_saddles();
    if (options.dimension_0) {
        merge_components(options, diagram.dimension[0]);
    } else {
        loop_cells_.clear();
        for (const Saddle& saddle : saddles_) loop_cells_.push_back(saddle.cell);
    }
    if (options.dimension_1) merge_background(options, diagram.dimension[1]);
}

template class UnionFindPersistence<float>;
template class UnionFindPersistence<double>;

}  // namespace toponet
