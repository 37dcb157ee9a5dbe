#include "toponet/volumes/voxel_link.hpp"

#include "toponet/basics/to_size.hpp"

namespace toponet {
namespace {

constexpr Neighbours corners = 0x5u | 0x5u << 6 | 0x5u << 18 | 0x5u << 24;

// Bits of the 27 places that have no neighbour one step further along an axis.
constexpr Neighbours first_x = 0x1249249u;
constexpr Neighbours last_x = first_x << 2;
constexpr Neighbours first_y = 0x7u | 0x7u << 9 | 0x7u << 18;
constexpr Neighbours last_y = first_y << 6;
constexpr Neighbours all_places = 0x7FFFFFFu;

Neighbours along_x(Neighbours set) { return (set & ~last_x) << 1 | (set & ~first_x) >> 1; }
Neighbours along_y(Neighbours set) { return (set & ~last_y) << 3 | (set & ~first_y) >> 3; }
Neighbours along_z(Neighbours set) { return (set << 9 & all_places) | set >> 9; }

/// With the places that touch the set at a face.
Neighbours grown_by_6(Neighbours set) { return set | along_x(set) | along_y(set) | along_z(set); }

/// With the places that touch the set at a face, an edge or a corner.
Neighbours grown_by_26(Neighbours set) {
    set |= along_x(set);
    set |= along_y(set);
    return set | along_z(set);
}

template <class Grow>
Neighbours piece_of(Neighbours seed, Neighbours within, const Grow& grow) {
    Neighbours piece = seed;
    for (;;) {
        const Neighbours grown = grow(piece) & within;
        if (grown == piece) return piece;
        piece = grown;
    }
}

Neighbours lowest(Neighbours set) { return set & (~set + 1); }

/// Faces that a face is connected with by an edge of the link.
Faces linked_faces(Neighbours upper, int face, Faces faces) {
    Faces linked = 0;
    for (int other = 0; other < 6; ++other) {
        if (other == face || other == opposite_face(face)) continue;
        linked |= upper & edge_bit(face, other) ? 1u << other : 0u;
    }
    return linked & faces;
}

struct Triangle {
    std::array<int, 3> faces;
    Neighbours neighbours;  ///< The seven that it needs.
};

constexpr std::array<Triangle, 8> make_triangles() {
    std::array<Triangle, 8> triangles{};
    for (int t = 0; t < 8; ++t) {
        const int z = t & 4 ? 5 : 0;
        const int y = t & 2 ? 4 : 1;
        const int x = t & 1 ? 3 : 2;
        const int corner =
            centre_bit + face_steps[to_size(z)] + face_steps[to_size(y)] + face_steps[to_size(x)];
        triangles[to_size(t)] = {{z, y, x},
                                 face_bit(z) | face_bit(y) | face_bit(x) | edge_bit(z, y) |
                                     edge_bit(z, x) | edge_bit(y, x) | 1u << corner};
    }
    return triangles;
}

constexpr std::array<Triangle, 8> triangles = make_triangles();

/// The edge of a triangle opposite its face `k`, and the triangle beyond that edge.
struct Crossing {
    int faces[2];
    int beyond;
};

Crossing crossing(int triangle, int k) {
    const auto& faces = triangles[to_size(triangle)].faces;
    // Beyond the edge opposite the face along z lies the triangle of the other z, and so on.
    return {{faces[to_size((k + 1) % 3)], faces[to_size((k + 2) % 3)]}, triangle ^ (4 >> k)};
}

}  // namespace

bool is_regular(Neighbours upper) {
    const Neighbours lower = ~upper & all_neighbours;
    const Neighbours upper_faces = upper & all_faces;
    if (upper_faces == 0 || lower == 0) return false;
    const Neighbours piece = piece_of(lowest(upper_faces), upper & ~corners, grown_by_6);
    if (upper_faces & ~piece) return false;
    return piece_of(lowest(lower), lower, grown_by_26) == lower;
}

LinkForest::LinkForest(Neighbours upper) : faces(faces_of(upper)), order{}, parent{} {
    Faces left = faces;
    int done = 0;
    while (left) {
        const int root = lowest_bit(left);
        roots |= 1u << root;
        left &= ~(1u << root);
        parent[to_size(root)] = static_cast<std::int8_t>(root);
        order[to_size(size++)] = static_cast<std::int8_t>(root);
        for (; done < size; ++done) {
            const int face = order[to_size(done)];
            for (Faces next = linked_faces(upper, face, left); next; next &= next - 1) {
                const int child = lowest_bit(next);
                left &= ~(1u << child);
                parent[to_size(child)] = static_cast<std::int8_t>(face);
                order[to_size(size++)] = static_cast<std::int8_t>(child);
            }
        }
    }
}

LinkHoles::LinkHoles(Neighbours upper, const LinkForest& forest) : holes{} {
    std::array<Neighbours, 8> pieces{};
    for (Neighbours left = ~upper & all_neighbours; left;) {
        const Neighbours piece = piece_of(lowest(left), left, grown_by_26);
        pieces[to_size(size)] = piece;
        holes[to_size(size++)].neighbour = lowest(piece);
        left &= ~piece;
    }
    if (size < 2) return;
    // A triangle's node: itself, or the hole that it lies in. All that it lacks is in one hole.
    constexpr int first_triangle = 8;
    std::array<int, 8> node_of{};
    for (int t = 0; t < 8; ++t) {
        const Neighbours lacking = triangles[to_size(t)].neighbours & ~upper;
        node_of[to_size(t)] = first_triangle + t;
        for (int hole = 0; lacking && hole < size; ++hole) {
            if (pieces[to_size(hole)] & lacking) node_of[to_size(t)] = hole;
        }
    }
    // From node to node, along edges of the link that aren't in the forest.
    std::array<bool, 16> seen{};
    std::array<int, 16> queue{};
    std::array<int, 16> hole_of{};
    int queued = 1;
    seen[0] = true;
    for (int done = 0; done < queued; ++done) {
        const int node = queue[to_size(done)];
        for (int t = 0; t < 8; ++t) {
            if (node_of[to_size(t)] != node) continue;
            for (int k = 0; k < 3; ++k) {
                const Crossing step = crossing(t, k);
                const int a = step.faces[0];
                const int b = step.faces[1];
                const Faces both = 1u << a | 1u << b;
                const int next = node_of[to_size(step.beyond)];
                if (seen[to_size(next)] || (forest.faces & both) != both ||
                    !(upper & edge_bit(a, b)) || forest.parent[to_size(a)] == b ||
                    forest.parent[to_size(b)] == a) {
                    continue;
                }
                seen[to_size(next)] = true;
                queue[to_size(queued++)] = next;
                hole_of[to_size(next)] = hole_of[to_size(node)];
                if (next >= first_triangle) continue;
                hole_of[to_size(next)] = next;
                Hole& hole = holes[to_size(next)];
                hole.next = hole_of[to_size(node)];
                hole.faces[0] = static_cast<std::int8_t>(a);
                hole.faces[1] = static_cast<std::int8_t>(b);
            }
        }
    }
}

}  // namespace toponet
