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
    parent_.assign(1, outside);
    peaks_.clear();
    zeros_.runs.clear();
    ones_.runs.clear();
    if (frame) ones_.runs.push_back({-1, static_cast<std::int32_t>(mask.width) + 1});
    euler_ = static_cast<std::int64_t>(ones_.runs.size());
}

void MaskFeatures::read_row(std::int64_t r) {
    std::swap(ones_, ones_above_);
    std::swap(zeros_, zeros_above_);
    find_runs(mask_.row(r), mask_.width, frame_, edges_, ones_.runs);
    list_zeros(r);
    for_each_overlap(zeros_above_.runs.data(), zeros_above_.runs.size(), zeros_.runs.data(),
                     zeros_.runs.size(), 0, eight_ ? 0 : 1, [&](std::size_t i, std::size_t j) {
                         join(zeros_above_.first_node + static_cast<std::int32_t>(i),
                              zeros_.first_node + static_cast<std::int32_t>(j));
                     });
    euler_ += static_cast<std::int64_t>(ones_.runs.size());
    std::size_t next = 0;  // No overlap with an earlier run is to come.
    const auto add_peaks = [&](std::size_t end) {
        for (; next < end; ++next) {
            peaks_.push_back(static_cast<std::int32_t>(r * mask_.width) + ones_.runs[next].begin);
        }
    };
    for_each_overlap(ones_above_.runs.data(), ones_above_.runs.size(), ones_.runs.data(),
                     ones_.runs.size(), 0, eight_ ? 1 : 0, [&](std::size_t, std::size_t j) {
                         add_peaks(j);
                         next = j + 1;
                         --euler_;
                     });
    add_peaks(ones_.runs.size());
}

/// The runs of zeros lie between those of ones, and are nodes.
void MaskFeatures::list_zeros(std::int64_t r) {
    const auto width = static_cast<std::int32_t>(mask_.width);
    zeros_.runs.clear();
    std::int32_t end = 0;
    for (const Run& run : ones_.runs) {
        if (run.begin > end) zeros_.runs.push_back({end, run.begin});
        end = run.end;
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
}

/// Holes are the roots among the nodes. Runs and overlaps make a graph (see BettiCounter), whose
/// components outnumber its loops by its nodes minus its edges.
void MaskFeatures::count_features() {
    std::int64_t holes = 0;
    for (std::size_t node = outside + 1; node < parent_.size(); ++node) {
        holes += parent_[node] == static_cast<std::int32_t>(node);
    }
    std::int64_t euler = euler_;
    // The frame's lower row is a run that overlaps all of the last row's. The frame's own component
    // isn't counted.
    if (frame_) euler -= static_cast<std::int64_t>(ones_.runs.size());
    numbers_ = {euler + holes, holes};
}

void MaskFeatures::join(std::int32_t a, std::int32_t b) {
    a = find_representative(parent_, a);
    b = find_representative(parent_, b);
    parent_[to_size(std::max(a, b))] = std::min(a, b);  // The outside stays what it is.
}

}  // namespace toponet
