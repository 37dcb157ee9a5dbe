#include "toponet/volumes/tunnels.hpp"

#include "toponet/basics/bits.hpp"
#include "toponet/basics/lean_vector.hpp"

namespace toponet {

template <class Value>
void Tunnels<Value>::run(const SweptVolume<Value>& volume, const std::vector<Meeting>& edges,
                         const std::vector<Meeting>& squares, std::vector<std::int32_t>& labels) {
    edges_ = &edges;
    first_edge_ = &labels;
    pairs_.clear();
    chains_.clear();
    columns_.assign(edges.size(), Column());
    assign_zeros_lean(labels, volume.size());
    for (std::size_t k = edges.size(); k-- > 0;) {
        labels[to_size(edges[k].cell)] = static_cast<std::int32_t>(k) + 1;
    }
    for (const Meeting& square : squares) {
        heap_.clear();
        const int a = square.faces[0];
        const int b = square.faces[1];
        add(volume, square.cell, 1u << a | 1u << b);
        add_square(volume, square.cell, a, b);
        const std::int32_t edge = reduce(volume);
        Column& column = columns_[to_size(edge)];
        column.known = true;
        column.begin = chains_.size();
        chains_.insert(chains_.end(), heap_.begin(), heap_.end());
        column.end = chains_.size();
        const std::int32_t birth = edges[to_size(edge)].cell;
        if (volume.value(birth) != volume.value(square.cell)) {
            pairs_.push_back({birth, square.cell});
        }
    }
}

template <class Value>
void Tunnels<Value>::add(const SweptVolume<Value>& volume, std::int32_t cell, Faces edges) {
    heap_.push_back({volume.value(cell), cell, edges});
    std::push_heap(heap_.begin(), heap_.end(), [](const Part& a, const Part& b) { return a < b; });
}

/// Adds the edge between two neighbours to the star of the later one. Edges of the outside are left
/// out: it has no loops.
template <class Value>
void Tunnels<Value>::add_edge(const SweptVolume<Value>& volume, std::int32_t from, int face) {
    if (volume.upper(from) & face_bit(face)) {
        add(volume, from, 1u << face);
        return;
    }
    const std::int32_t to = volume.across(from, face);
    if (!volume.is_outside(to)) add(volume, to, 1u << opposite_face(face));
}

/// The two edges of a square that don't hold its latest voxel.
template <class Value>
void Tunnels<Value>::add_square(const SweptVolume<Value>& volume, std::int32_t cell, int face,
                                int other) {
    add_edge(volume, volume.across(cell, face), other);
    add_edge(volume, volume.across(cell, other), face);
}

/// The latest star of the chain.
template <class Value>
typename Tunnels<Value>::Part Tunnels<Value>::pop() {
    Part part = heap_.front();
    part.edges = 0;
    while (!heap_.empty() && heap_.front().cell == part.cell) {
        part.edges ^= heap_.front().edges;
        std::pop_heap(heap_.begin(), heap_.end());
        heap_.pop_back();
    }
    return part;
}

/// Carries edges of a star to the roots of its link. \return the roots that are left.
template <class Value>
Faces Tunnels<Value>::flow(const SweptVolume<Value>& volume, std::int32_t cell, Faces edges) {
    const LinkForest forest(volume.upper(cell));
    for (int k = forest.size; k-- > 0;) {
        const int face = forest.order[to_size(k)];
        const int parent = forest.parent[to_size(face)];
        if (!(edges >> face & 1) || parent == face) continue;
        edges ^= 1u << face | 1u << parent;
        add_square(volume, cell, face, parent);
    }
    return edges;
}

/// Faces of a star's edges that open loops.
template <class Value>
Faces Tunnels<Value>::critical_faces(std::int32_t cell) const {
    Faces faces = 0;
    const std::int32_t first = (*first_edge_)[to_size(cell)] - 1;
    for (auto k = to_size(first); first >= 0 && k < edges_->size() && (*edges_)[k].cell == cell;
         ++k) {
        faces |= 1u << (*edges_)[k].faces[0];
    }
    return faces;
}

/// The last of a star's edges in `edges`, by its place among all.
template <class Value>
std::int32_t Tunnels<Value>::latest_critical(std::int32_t cell, Faces edges) const {
    std::int32_t latest = -1;
    const std::int32_t first = (*first_edge_)[to_size(cell)] - 1;
    for (auto k = to_size(first); k < edges_->size() && (*edges_)[k].cell == cell; ++k) {
        if (edges >> (*edges_)[k].faces[0] & 1) latest = static_cast<std::int32_t>(k);
    }
    return latest;
}

/// Reduces the chain in the heap. \return its latest edge, which is taken off the heap.
template <class Value>
std::int32_t Tunnels<Value>::reduce(const SweptVolume<Value>& volume) {
    for (;;) {
        const Part part = pop();
        if (part.edges == 0) continue;
        Faces left = flow(volume, part.cell, part.edges) & critical_faces(part.cell);
        if (left == 0) continue;
        const std::int32_t edge = latest_critical(part.cell, left);
        left ^= 1u << (*edges_)[to_size(edge)].faces[0];
        const Column& column = columns_[to_size(edge)];
        if (left) add(volume, part.cell, left);
        if (!column.known) return edge;
        for (std::size_t k = column.begin; k < column.end; ++k) {
            heap_.push_back(chains_[k]);
            std::push_heap(heap_.begin(), heap_.end());
        }
    }
}

template class Tunnels<float>;
template class Tunnels<double>;

}  // namespace toponet
