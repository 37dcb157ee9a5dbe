#include "toponet/filtration/monotone_paths.hpp"

#include <algorithm>

#include "toponet/basics/to_size.hpp"

namespace toponet {
namespace {

constexpr std::size_t side_by_side = 8;
constexpr int steps_at_once = 4;
constexpr int most_rounds = 8;

}  // namespace

std::int32_t MonotonePaths::follow_long(std::int32_t cell, const std::vector<std::uint8_t>& links) {
    if (ends_.size() < links.size()) ends_.resize(links.size());
    const auto next = [&](std::int32_t from) { return from + step[links[to_size(from)]]; };
    const auto known_end = [&](std::int32_t from) -> std::int32_t& { return ends_[to_size(from)]; };
    std::int32_t end = cell;
    while (known_end(end) == 0 && next(end) != end) end = next(end);
    if (known_end(end) != 0) end = known_end(end);
    while (known_end(cell) == 0 && cell != end) {
        known_end(cell) = end;
        known_.push_back(cell);
        cell = next(cell);
    }
    return end;
}

void MonotonePaths::follow(std::vector<std::int32_t>& cells,
                           const std::vector<std::uint8_t>& links) {
    for (const std::int32_t cell : known_) ends_[to_size(cell)] = 0;
    known_.clear();
    const std::size_t count = cells.size();
    // The last group is filled up with repetitions of the last cell, so that it is no special case.
    cells.resize((count + side_by_side - 1) / side_by_side * side_by_side,
                 count ? cells.back() : 0);
    const std::uint8_t* const link = links.data();
    for (std::size_t group = 0; group < cells.size(); group += side_by_side) {
        std::array<std::int32_t, side_by_side> at;
        std::copy_n(cells.begin() + static_cast<std::ptrdiff_t>(group), side_by_side, at.begin());
        std::int32_t moved = 1;
        for (int round = 0; moved != 0 && round < most_rounds; ++round) {
            for (int k = 0; k < steps_at_once; ++k) {
                moved = 0;
                for (std::int32_t& cell : at) {
                    const std::int32_t next = step[link[cell]];
                    moved |= next;
                    cell += next;
                }
            }
        }
        if (moved != 0) {
            for (std::int32_t& cell : at) cell = follow_long(cell, links);
        }
        std::copy_n(at.begin(), side_by_side, cells.begin() + static_cast<std::ptrdiff_t>(group));
    }
    cells.resize(count);
}

}  // namespace toponet
