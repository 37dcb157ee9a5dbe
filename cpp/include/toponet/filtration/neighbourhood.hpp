/// The eight neighbours around a pixel: which of them enter the filtration before the pixel, and
/// how many pieces they form.
///
/// One bit for each neighbour is enough. The eight bits tell whether the pixel is a maximum, a
/// minimum, a saddle or regular, and in which directions the components lie that meet in it.
#pragma once

#include <array>
#include <cstdint>

#include "toponet/filtration/filtration.hpp"

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
    /// In the order of the smallest neighbour index in each component.
    std::array<std::uint8_t, 4> direction{};
    std::uint8_t path = 0;  ///< The direction in which a path goes on from here.
};

/// Place of a direction among the eight in the order of their indices.
constexpr std::array<std::uint8_t, 8> index_places = {1, 2, 4, 7, 6, 5, 3, 0};

/// Fills in each corner that lies between two edge neighbours of the link. In an 8-connected set
/// the two edge neighbours touch each other, so that the corner makes no difference.
constexpr unsigned bridge_corners(unsigned link) {
    const unsigned left = (link << 1 | link >> 7) & 0xFFu;
    const unsigned right = (link >> 1 | link << 7) & 0xFFu;
    return link | (left & right & 0xAAu);
}

/// Components of one link under the connectivity of the set that it belongs to.
///
/// Under connectivity 4, a corner alone doesn't touch the pixel. The direction chosen lies in the
/// middle of the component's arc, near the direction of the gradient: paths made of such steps are
/// short.
constexpr LinkComponents link_components(unsigned link, Connectivity connectivity) {
    const bool eight = connectivity == Connectivity::eight;
    const unsigned arcs = eight ? bridge_corners(link) : link;
    LinkComponents components;
    std::array<std::uint8_t, 4> smallest{};  // Index place of each component's first neighbour.
    if (arcs == 0xFF) {
        components.count = 1;
        components.direction[0] = north;
        return components;
    }
    for (unsigned start = 0; start < 8; ++start) {
        if (!(arcs >> start & 1u) || (arcs >> (start + 7) % 8 & 1u)) continue;
        unsigned length = 0;
        while (arcs >> (start + length) % 8 & 1u) ++length;
        const bool corner_alone = length == 1 && start % 2 == 1;
        if (!eight && corner_alone) continue;
        unsigned middle = (start + length / 2) % 8;
        if (!(link >> middle & 1u)) middle = (middle + 1) % 8;  // A filled-in corner.
        if (components.count == 0) components.path = static_cast<std::uint8_t>(middle);
        std::uint8_t first = 8;
        for (unsigned d = start; d < start + length; ++d) {
            const bool touches = (link >> d % 8 & 1u) && (eight || d % 2 == 0);
            if (touches && index_places[d % 8] < first) first = index_places[d % 8];
        }
        unsigned place = components.count++;
        for (; place > 0 && smallest[place - 1] > first; --place) {
            smallest[place] = smallest[place - 1];
            components.direction[place] = components.direction[place - 1];
        }
        smallest[place] = first;
        components.direction[place] = static_cast<std::uint8_t>(middle);
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

/// What a pixel is. Most pixels are regular (none of the three) and change no topology.
struct CellKind {
    bool is_maximum;
    bool is_minimum;
    bool is_saddle;
};

constexpr CellKind cell_kind(unsigned upper_link, Connectivity connectivity) {
    const Connectivity dual =
        connectivity == Connectivity::eight ? Connectivity::four : Connectivity::eight;
    const unsigned upper = link_components(upper_link, connectivity).count;
    const unsigned lower = link_components(upper_link ^ 0xFFu, dual).count;
    return {upper == 0, lower == 0, upper > 1};
}

using CellKindTable = std::array<CellKind, 256>;

constexpr CellKindTable make_cell_kinds(Connectivity connectivity) {
    CellKindTable table{};
    for (unsigned link = 0; link < 256; ++link) table[link] = cell_kind(link, connectivity);
    return table;
}

inline constexpr CellKindTable cell_kinds_4 = make_cell_kinds(Connectivity::four);
inline constexpr CellKindTable cell_kinds_8 = make_cell_kinds(Connectivity::eight);

/// What a row of pixels holds.
struct RowCheck {
    bool finite;       ///< No NaN, no infinity.
    bool below_limit;  ///< Nothing above the limit.

    /// What this and the other hold together.
    void add(const RowCheck& other) {
        finite &= other.finite;
        below_limit &= other.below_limit;
    }
};

/// Copies a row and looks at its values on the way.
RowCheck copy_row(const float* source, std::int64_t count, float limit, float* target);
RowCheck copy_row(const double* source, std::int64_t count, double limit, double* target);

/// Upper links of a stretch of cells. Bit d is set if the neighbour in direction d enters before
/// the cell.
///
/// \param cells   first of `count` values in a grid of the given stride. Memory must be readable
///                from one row and one cell before the stretch to one row and one cell after it.
/// \param links   `count` bytes.
void find_upper_links(const float* cells, std::int64_t stride, std::int64_t count,
                      std::uint8_t* links);
void find_upper_links(const double* cells, std::int64_t stride, std::int64_t count,
                      std::uint8_t* links);

/// Writes a mark for each upper link: 1 if the cell is critical, 0 if it is regular.
void mark_critical(const std::uint8_t* links, std::int64_t count, Connectivity connectivity,
                   std::uint8_t* marks);

}  // namespace toponet
