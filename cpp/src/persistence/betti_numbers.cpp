#include "toponet/persistence/betti_numbers.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/row_runs.hpp"

namespace toponet {

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
        find_runs(mask.row(r), mask.width, frame, edges_, current_.runs);
        add_nodes();
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
