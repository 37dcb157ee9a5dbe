/// The ring of eight neighbours around a pixel: which enter the filtration before it, and in how
/// many pieces.
///
/// Eight bits say it all: from them follow whether the pixel is a maximum, a minimum, a saddle or
/// regular, and in which directions the components lie that meet in it.
#pragma once

#include <array>
#include <cstdint>

#include "toponet/filtration.hpp"

namespace toponet {

/// Ring directions, clockwise; direction d is bit d of a link.
/// Even ones share an edge with the pixel, odd ones a corner.
enum Direction { north, north_east, east, south_east, south, south_west, west, north_west };

/// Offset in the flat index of an image of the given row stride.
template <class Index>
constexpr std::array<Index, 8> ring_offsets(Index stride) {
    return {-stride, -stride + 1, 1, stride + 1, stride, stride - 1, -1, -stride - 1};
}

/// The components of a subset of the ring that touch the pixel, with one direction for each.
struct LinkComponents {
    std::uint8_t count = 0;
    std::array<std::uint8_t, 4> direction{};
};

/// Components of one link under the connectivity of the set that it belongs to.
///
/// Under 8, two edge neighbours around a missing corner touch each other. Under 4, a corner alone
/// doesn't touch the pixel. The direction chosen is an edge neighbour's where there is one.
constexpr LinkComponents link_components(unsigned link, Connectivity connectivity) {
    const bool eight = connectivity == Connectivity::eight;
    unsigned bridged = link;
    if (eight) {
        for (unsigned corner = 1; corner < 8; corner += 2) {
            const unsigned before = 1u << (corner - 1);
            const unsigned after = 1u << ((corner + 1) % 8);
            if ((link & before) && (link & after)) bridged |= 1u << corner;
        }
    }
    LinkComponents components;
    if (bridged == 0xFF) {
        components.count = 1;
        components.direction[0] = north;
        return components;
    }
    for (unsigned start = 0; start < 8; ++start) {
        const unsigned previous = (start + 7) % 8;
        if (!(bridged >> start & 1u) || (bridged >> previous & 1u)) continue;
        bool has_edge_neighbour = false;
        unsigned chosen = start;
        for (unsigned d = start; bridged >> (d % 8) & 1u; ++d) {
            if (d % 2 == 0 && !has_edge_neighbour) {
                has_edge_neighbour = true;
                chosen = d % 8;
            }
        }
        if (eight || has_edge_neighbour) {
            components.direction[components.count++] = static_cast<std::uint8_t>(chosen);
        }
    }
    return components;
}

using LinkTable = std::array<LinkComponents, 256>;

constexpr LinkTable make_link_table(Connectivity connectivity) {
    LinkTable table{};
    for (unsigned link = 0; link < 256; ++link) {
        table[link] = link_components(link, connectivity);
    }
    return table;
}

inline constexpr LinkTable link_table_4 = make_link_table(Connectivity::four);
inline constexpr LinkTable link_table_8 = make_link_table(Connectivity::eight);

/// Upper links of one row of pixels: bit d is set where the neighbour in direction d enters before.
///
/// \param above, row, below  first pixel of three consecutive rows; readable from -1 to width.
/// \param links              width bytes.
void upper_links(const float* above, const float* row, const float* below, std::int64_t width,
                 std::uint8_t* links);
void upper_links(const double* above, const double* row, const double* below, std::int64_t width,
                 std::uint8_t* links);

}  // namespace toponet
