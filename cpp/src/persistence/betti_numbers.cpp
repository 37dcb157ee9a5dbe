#include "toponet/persistence/betti_numbers.hpp"

#include <algorithm>
#include <cstddef>

#include "toponet/basics/bits.hpp"
#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/to_size.hpp"

namespace toponet {
namespace {

/// Bit i is pixel i of eight bytes 0 and 1.
std::uint64_t pack_eight(const std::uint8_t* pixels) {
    std::uint64_t bytes = 0;
    for (int i = 0; i < 8; ++i) bytes |= static_cast<std::uint64_t>(pixels[i]) << (8 * i);
    // Gathers the lowest bit of each byte in the highest byte.
    return bytes * 0x0102040810204080u >> 56;
}

/// Bit i is pixel i, of up to 64 pixels.
std::uint64_t pack(const std::uint8_t* pixels, std::int64_t count) {
    std::uint64_t bits = 0;
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8) bits |= pack_eight(pixels + i) << i;
    for (; i < count; ++i) bits |= static_cast<std::uint64_t>(pixels[i]) << i;
    return bits;
}

}  // namespace

/// Columns -1 and width are the frame's; a run that touches them includes them.
///
/// Edges are found 64 pixels at a time: looking at pixel after pixel, the processor would guess
/// wrong at the end of each run (measured: 3 times as long).
void BettiCounter::find_runs(const std::uint8_t* row, std::int64_t width, bool frame) {
    edges_.resize(to_size(width) + 4);
    std::size_t count = 0;
    std::uint64_t last = frame;
    if (frame) edges_[count++] = -1;
    for (std::int64_t first = 0; first < width; first += 64) {
        const std::int64_t pixels = std::min<std::int64_t>(64, width - first);
        const std::uint64_t bits = pack(row + first, pixels);
        std::uint64_t edges = bits ^ (bits << 1 | last);
        last = bits >> 63;
        if (pixels < 64) {
            edges &= (std::uint64_t(1) << pixels) - 1;
            last = bits >> (pixels - 1);
        }
        for (; edges != 0; edges &= edges - 1) {
            edges_[count++] = static_cast<std::int32_t>(first) + lowest_bit(edges);
        }
    }
    const auto end = static_cast<std::int32_t>(width);
    if (frame && !last) edges_[count++] = end;
    if (frame || last) edges_[count++] = end + frame;
    current_.runs.resize(count / 2);
    for (std::size_t run = 0; run < count / 2; ++run) {
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
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < above_.runs.size() && j < current_.runs.size()) {
        const Run& upper = above_.runs[i];
        const Run& lower = current_.runs[j];
        if (upper.begin < lower.end + reach && lower.begin < upper.end + reach) {
            const std::int32_t a =
                find_representative(parent_, above_.first_node + static_cast<std::int32_t>(i));
            const std::int32_t b =
                find_representative(parent_, current_.first_node + static_cast<std::int32_t>(j));
            parent_[to_size(std::max(a, b))] = std::min(a, b);
            numbers.holes += a == b;
            numbers.components -= a != b;
        }
        // What ends first overlaps no further run.
        const bool upper_ends = upper.end < lower.end;
        i += upper_ends;
        j += !upper_ends;
    }
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
