#include "toponet/betti_matching/mask_features.hpp"

#include <algorithm>
#include <utility>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/row_runs.hpp"

namespace toponet {

void MaskFeatures::begin_mask(const ImageView<std::uint8_t>& mask, Connectivity connectivity,
                              bool frame) {
    mask_ = mask;
    eight_ = connectivity == Connectivity::eight;
    frame_ = frame;
    edges_.resize(to_size(mask.width) + 1);
    parent_.assign(1, outside);
    peaks_.clear();
    ones_.runs.clear();
    zeros_.runs.clear();
}

void MaskFeatures::read_row(std::int64_t r) {
    std::swap(ones_, ones_above_);
    std::swap(zeros_, zeros_above_);
    const auto width = static_cast<std::int32_t>(mask_.width);
    const std::int32_t count = find_edges(mask_.row(r), width, false, edges_.data());
    ones_.runs.clear();
    zeros_.runs.clear();
    std::int32_t end = 0;
    for (std::size_t edge = 0; edge < to_size(count); edge += 2) {
        if (edges_[edge] > end) zeros_.runs.push_back({end, edges_[edge]});
        end = edges_[edge + 1];
        ones_.runs.push_back({edges_[edge], end});
    }
    if (end < width) zeros_.runs.push_back({end, width});

    zeros_.first_node = static_cast<std::int32_t>(parent_.size());
    for (const Run& run : zeros_.runs) {
        const auto node = static_cast<std::int32_t>(parent_.size());
        parent_.push_back(node);
        const bool at_border =
            r == 0 || r == mask_.height - 1 || run.begin == 0 || run.end == width;
        if (at_border && !frame_) join(node, outside);
    }
    for_each_overlap(zeros_above_.runs.data(), zeros_above_.runs.size(), zeros_.runs.data(),
                     zeros_.runs.size(), 0, eight_ ? 0 : 1, [&](std::size_t i, std::size_t j) {
                         join(zeros_above_.first_node + static_cast<std::int32_t>(i),
                              zeros_.first_node + static_cast<std::int32_t>(j));
                     });

    touched_.assign(ones_.runs.size(), 0);
    for_each_overlap(ones_above_.runs.data(), ones_above_.runs.size(), ones_.runs.data(),
                     ones_.runs.size(), 0, eight_ ? 1 : 0,
                     [&](std::size_t, std::size_t j) { touched_[j] = 1; });
    for (std::size_t j = 0; j < touched_.size(); ++j) {
        if (touched_[j]) continue;
        peaks_.push_back(static_cast<std::int32_t>(r * mask_.width) + ones_.runs[j].begin);
    }
}

void MaskFeatures::join(std::int32_t a, std::int32_t b) {
    a = find_representative(parent_, a);
    b = find_representative(parent_, b);
    parent_[to_size(std::max(a, b))] = std::min(a, b);  // The outside stays what it is.
}

}  // namespace toponet
