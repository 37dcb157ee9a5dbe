#include "toponet/betti_numbers.hpp"

#include <cstddef>
#include <cstring>

namespace toponet {
namespace {

/// First column from `begin` on whose pixel is (not) foreground, `width` if there is none. Eight
/// pixels are looked at together: masks are mostly long stretches of one value.
std::int64_t skip(const std::uint8_t* row, std::int64_t begin, std::int64_t width,
                  bool foreground) {
    const std::uint64_t eight = foreground ? 0x0101010101010101u : 0u;
    while (begin + 8 <= width) {
        std::uint64_t pixels;
        std::memcpy(&pixels, row + begin, sizeof pixels);
        if (pixels != eight) break;
        begin += 8;
    }
    while (begin < width && (row[begin] != 0) == foreground) ++begin;
    return begin;
}

}  // namespace

std::int32_t BettiCounter::find(std::int32_t node) {
    const auto at = [&](std::int32_t i) -> std::int32_t& {
        return parent_[static_cast<std::size_t>(i)];
    };
    while (at(node) != node) {
        at(node) = at(at(node));
        node = at(node);
    }
    return node;
}

/// Columns -1 and width are the frame's; a run that touches them includes them.
void BettiCounter::find_runs(const std::uint8_t* row, std::int64_t width, bool frame) {
    current_.clear();
    const auto add_run = [&](std::int64_t begin, std::int64_t end) {
        if (!current_.empty() && current_.back().end == begin) {
            current_.back().end = end;
            return;
        }
        const auto node = static_cast<std::int32_t>(parent_.size());
        parent_.push_back(node);
        current_.push_back({begin, end, node});
    };
    if (frame) add_run(-1, 0);
    std::int64_t begin = skip(row, 0, width, false);
    while (begin < width) {
        const std::int64_t end = skip(row, begin, width, true);
        add_run(begin, end);
        begin = skip(row, end, width, false);
    }
    if (frame) add_run(width, width + 1);
}

/// Joins the runs of the current row to those of the row above, and makes it the row above.
void BettiCounter::join_overlaps(std::int64_t reach, BettiNumbers& numbers) {
    auto above = previous_.begin();
    for (const Run& run : current_) {
        while (above != previous_.end() && above->end + reach <= run.begin) ++above;
        for (auto other = above; other != previous_.end() && other->begin < run.end + reach;
             ++other) {
            const std::int32_t a = find(other->node);
            const std::int32_t b = find(run.node);
            if (a == b) {
                ++numbers.holes;
            } else {
                parent_[static_cast<std::size_t>(a > b ? a : b)] = a > b ? b : a;
                --numbers.components;
            }
        }
    }
    previous_.swap(current_);
}

BettiNumbers BettiCounter::count(const ImageView<std::uint8_t>& mask, Connectivity connectivity,
                                 bool frame) {
    const std::int64_t reach = connectivity == Connectivity::eight ? 1 : 0;
    const std::vector<std::uint8_t> frame_row(
        frame ? static_cast<std::size_t>(mask.width) : std::size_t{0}, std::uint8_t{1});
    BettiNumbers numbers{0, 0};
    parent_.clear();
    previous_.clear();
    if (frame) {
        find_runs(frame_row.data(), mask.width, true);
        previous_.swap(current_);
    }
    for (std::int64_t r = 0; r < mask.height; ++r) {
        find_runs(mask.row(r), mask.width, frame);
        join_overlaps(reach, numbers);
    }
    if (frame) {
        find_runs(frame_row.data(), mask.width, true);
        join_overlaps(reach, numbers);
        --numbers.components;
    }
    numbers.components += static_cast<std::int64_t>(parent_.size());
    return numbers;
}

}  // namespace toponet
