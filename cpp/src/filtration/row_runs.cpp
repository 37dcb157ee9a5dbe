#include "toponet/filtration/row_runs.hpp"

#include <algorithm>

#include "toponet/basics/bits.hpp"
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
std::uint64_t pack(const std::uint8_t* pixels, std::int32_t count) {
    std::uint64_t bits = 0;
    std::int32_t i = 0;
    for (; i + 8 <= count; i += 8) bits |= pack_eight(pixels + i) << i;
    for (; i < count; ++i) bits |= static_cast<std::uint64_t>(pixels[i]) << i;
    return bits;
}

}  // namespace

std::int32_t find_edges(const std::uint8_t* row, std::int32_t width, bool before,
                        std::int32_t* edges) {
    std::int32_t* next = edges;
    std::uint64_t last = before;
    for (std::int32_t first = 0; first < width; first += 64) {
        const std::int32_t pixels = std::min(64, width - first);
        const std::uint64_t bits = pack(row + first, pixels);
        std::uint64_t found = bits ^ (bits << 1 | last);
        last = bits >> 63;
        if (pixels < 64) {
            found &= (std::uint64_t(1) << pixels) - 1;
            last = bits >> (pixels - 1);
        }
        for (; found != 0; found &= found - 1) *next++ = first + lowest_bit(found);
    }
    if (last) *next++ = width;
    return static_cast<std::int32_t>(next - edges);
}

void find_runs(const std::uint8_t* row, std::int64_t width, bool frame,
               std::vector<std::int32_t>& edges, std::vector<Run>& runs) {
    const auto end = static_cast<std::int32_t>(width);
    edges.resize(to_size(width) + 4);
    edges[0] = -1;
    std::int32_t count = frame + find_edges(row, end, frame, edges.data() + frame);
    if (frame) {
        // A run at the end of the row goes on into the frame; else the frame is a run of its own.
        if (row[end - 1]) {
            edges[to_size(count) - 1] = end + 1;
        } else {
            edges[to_size(count++)] = end;
            edges[to_size(count++)] = end + 1;
        }
    }
    runs.resize(to_size(count) / 2);
    for (std::size_t run = 0; run < runs.size(); ++run) {
        runs[run] = {edges[2 * run], edges[2 * run + 1]};
    }
}

}  // namespace toponet
