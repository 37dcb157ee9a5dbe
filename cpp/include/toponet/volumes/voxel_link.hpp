/// What a voxel meets when it enters a 6-connected set: the link of the voxel.
///
/// Voxels are the vertices of a cubical complex, and a cell enters with the last of its vertices.
/// The cells that enter with a voxel v form its star. Each of them stands for a cell of the
/// octahedron around v: an edge of the complex for one of 6 vertices ("faces", because they are the
/// neighbours across a face of the voxel), a square for one of 12 edges, a cube for one of 8
/// triangles. The cells of the octahedron that are there are the link: a subset of the sphere.
///
/// The pieces of the link, but for one, are edges of the complex that are critical: each joins two
/// pieces of the set, or closes a loop. The pieces of the sphere that remain ("holes" of the link),
/// but for one, are squares that are critical: each fills a loop, or closes off a cavity. So most
/// voxels, with one piece and one hole, change nothing.
///
/// Source: discrete Morse theory, Forman 1998; by stars: Robins, Wood, Sheppard, "Theory and
/// algorithms for constructing discrete Morse complexes from grayscale digital images" (2011).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "toponet/basics/bits.hpp"

namespace toponet {

/// One bit a neighbour: bit 13 + 9 dz + 3 dy + dx. Bit 13 is the voxel itself, and never set.
using Neighbours = std::uint32_t;
/// One bit a face, in the order of the voxels' indices: -z, -y, -x, +x, +y, +z.
using Faces = std::uint32_t;

constexpr std::array<int, 6> face_steps{-9, -3, -1, 1, 3, 9};  ///< In bits of Neighbours.
constexpr int centre_bit = 13;
constexpr Neighbours all_neighbours = 0x7FFFFFFu & ~(1u << centre_bit);

constexpr int opposite_face(int face) { return 5 - face; }
constexpr Neighbours face_bit(int face) {
    return 1u << (centre_bit + face_steps[static_cast<std::size_t>(face)]);
}
/// The neighbours across all faces.
constexpr Neighbours all_faces =
    face_bit(0) | face_bit(1) | face_bit(2) | face_bit(3) | face_bit(4) | face_bit(5);
/// The neighbour across the edge between two faces that aren't opposite.
constexpr Neighbours edge_bit(int face, int other) {
    return 1u << (centre_bit + face_steps[static_cast<std::size_t>(face)] +
                  face_steps[static_cast<std::size_t>(other)]);
}

/// The faces among neighbours.
inline Faces faces_of(Neighbours neighbours) {
    return (neighbours >> 4 & 1) | (neighbours >> 9 & 2) | (neighbours >> 10 & 4) |
           (neighbours >> 11 & 8) | (neighbours >> 12 & 16) | (neighbours >> 17 & 32);
}

/// Whether the link has one piece and one hole.
bool is_regular(Neighbours upper);

/// A spanning forest of the link's vertices and edges.
///
/// The root of the first tree is the edge of the complex that enters with the voxel itself; the
/// other roots are critical. Every other vertex enters with the square between it and its parent.
struct LinkForest {
    /// \param upper  the neighbours that enter before the voxel.
    explicit LinkForest(Neighbours upper);

    Faces faces;                        ///< All vertices of the link.
    Faces roots = 0;                    ///< One a piece, the smallest face of each.
    int size = 0;                       ///< Number of vertices.
    std::array<std::int8_t, 6> order;   ///< Parents before their children.
    std::array<std::int8_t, 6> parent;  ///< By face; a root is its own.
};

/// The holes of a link, and the squares that are critical.
///
/// The edges of the link that aren't in the forest connect triangles and holes: by them these are
/// the nodes of a tree (Euler's formula). With the first hole as its root, each triangle enters
/// with the edge to its parent. The edge from another hole to its parent is critical: it lies
/// between that hole and the next one towards the root.
struct LinkHoles {
    struct Hole {
        Neighbours neighbour = 0;       ///< One that lies in the hole, as a bit.
        int next = 0;                   ///< The next hole towards the first one.
        std::int8_t faces[2] = {0, 0};  ///< The critical square between them.
    };

    LinkHoles(Neighbours upper, const LinkForest& forest);

    int size = 0;
    std::array<Hole, 8> holes;  ///< The first one has no square.
};

}  // namespace toponet
