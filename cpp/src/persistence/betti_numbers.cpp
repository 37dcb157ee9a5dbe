#include "toponet/persistence/betti_numbers.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/row_runs.hpp"

namespace toponet {
/// Columns -1 and width are the frame's; a run that touches them includes them.
void BettiCounter::find_runs(const std::uint8_t* row, std::int64_t width, bool frame) {
    const auto end = static_cast<std::int32_t>(width);
    edges_.resize(to_size(width) + 4);
    edges_[0] = -1;
    std::int32_t count = frame + find_edges(row, end, frame, edges_.data() + frame);
    if (frame) {
        // A run at the end of the row goes on into the frame; else the frame is a run of its own.
        if (row[end - 1]) {
            edges_[to_size(count) - 1] = end + 1;
        } else {
            edges_[to_size(count++)] = end;
            edges_[to_size(count++)] = end + 1;
        }
    }
    current_.runs.resize(to_size(count) / 2);
    for (std::size_t run = 0; run < current_.runs.size(); ++run) {
        current_.runs[run] = {edges_[2 * run], edges_[2 * run + 1]};
    }
    add_nodes();
}

/// One node for each run of the current row.
void BettiCounter::add_nodes() {
    current_.first_node = static_cast<std::int32_t>(parent_.size());
    parent_.resize(parent_.size() + current_.runs.size());
    for (std::size_t node = parent_.size() - current_.runs.size(); node < parent_.size(); ++node) {
        parent_[node] = static_cast<std::int32_t>(node);
    }
}

/// Joins the runs of the current row to those of the row above, and makes it the row above.
void BettiCounter::join_overlaps(std::int32_t reach, BettiNumbers& numbers) {
    for_each_overlap(above_.runs.data(), above_.runs.size(), current_.runs.data(),
                     current_.runs.size(), 0, reach, [&](std::size_t i, std::size_t j) {
                         const std::int32_t a = find_representative(
                             parent_, above_.first_node + static_cast<std::int32_t>(i));
                         const std::int32_t b = find_representative(
                             parent_, current_.first_node + static_cast<std::int32_t>(j));
                         parent_[to_size(std::max(a, b))] = std::min(a, b);
                         numbers.holes += a == b;
                         numbers.components -= a != b;
                     });
    std::swap(above_, current_);
}

BettiNumbers BettiCounter::count(const ImageView<std::uint8_t>& mask, Connectivity connectivity,
                                 bool frame) {
    const std::int32_t reach = connectivity == Connectivity::eight ? 1 : 0;
    const auto find_frame = [&] {
        current_.runs.assign(1, {-1, static_cast<std::int32_t>(mask.width) + 1});
        add_nodes();
    };
    BettiNumbers numbers{0, 0};
    parent_.clear();
    above_.runs.clear();
    if (frame) {
        find_frame();
        std::swap(above_, current_);
    }
    for (std::int64_t r = 0; r < mask.height; ++r) {
        find_runs(mask.row(r), mask.width, frame);
        join_overlaps(reach, numbers);
    }
    if (frame) {
        find_frame();
        join_overlaps(reach, numbers);
        --numbers.components;
    }
    numbers.components += static_cast<std::int64_t>(parent_.size());
    return numbers;
}

}  // namespace toponet
