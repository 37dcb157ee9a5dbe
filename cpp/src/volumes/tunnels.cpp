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
    rows_.clear();
    columns_.assign(edges.size(), Column());
    sum_.reset(edges.size());
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
        std::int32_t edge = first_critical(volume);
        if (columns_[to_size(edge)].state == Column::State::free) {
            const std::size_t begin = chains_.size();
            chains_.insert(chains_.end(), heap_.begin(), heap_.end());
            columns_[to_size(edge)] = {Column::State::chain, begin, chains_.size()};
        } else {
            edge = reduce(volume, edge);
        }
        const std::int32_t birth = edges[to_size(edge)].cell;
        if (volume.value(birth) != volume.value(square.cell)) {
            pairs_.push_back({birth, square.cell});
        }
    }
}

template <class Value>
void Tunnels<Value>::add(const SweptVolume<Value>& volume, std::int32_t cell, Faces edges) {
    heap_.push_back({volume.value(cell), cell, edges});
    std::push_heap(heap_.begin(), heap_.end());
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

/// Carries edges of a star to the roots of its link. \return the roots that are left and critical.
template <class Value>
Faces Tunnels<Value>::flow(const SweptVolume<Value>& volume, const Part& part) {
    Faces edges = part.edges;
    if (edges == 0) return 0;
    const LinkForest forest(volume.upper(part.cell));
    for (int k = forest.size; k-- > 0;) {
        const int face = forest.order[to_size(k)];
        const int parent = forest.parent[to_size(face)];
        if (!(edges >> face & 1) || parent == face) continue;
        edges ^= 1u << face | 1u << parent;
        add_square(volume, part.cell, face, parent);
    }
    return edges & critical_faces(part.cell);
}

/// Faces of a star's edges that open loops.
template <class Value>
Faces Tunnels<Value>::critical_faces(std::int32_t cell) const {
    Faces faces = 0;
    const std::int32_t first = (*first_edge_)[to_size(cell)] - 1;
    if (first < 0) return 0;
    for (auto k = to_size(first); k < edges_->size() && (*edges_)[k].cell == cell; ++k) {
        faces |= 1u << (*edges_)[k].faces[0];
    }
    return faces;
}

/// The place of a star's critical edge among all.
template <class Value>
std::int32_t Tunnels<Value>::edge_of(std::int32_t cell, int face) const {
    std::int32_t edge = (*first_edge_)[to_size(cell)] - 1;
    while ((*edges_)[to_size(edge)].faces[0] != face) ++edge;
    return edge;
}

/// Carries the chain in the heap to its latest critical edge, which is taken off.
template <class Value>
std::int32_t Tunnels<Value>::first_critical(const SweptVolume<Value>& volume) {
    for (;;) {
        const Part part = pop();
        Faces left = flow(volume, part);
        if (left == 0) continue;
        // Roots of a star are numbered in the order of their faces.
        const int last = highest_bit(left);
        left ^= 1u << last;
        if (left) add(volume, part.cell, left);
        return edge_of(part.cell, last);
    }
}

/// Carries the chain in the heap to its end.
template <class Value>
template <class Found>
void Tunnels<Value>::for_each_critical(const SweptVolume<Value>& volume, const Found& found) {
    while (!heap_.empty()) {
        const Part part = pop();
        for (Faces left = flow(volume, part); left; left &= left - 1) {
            found(edge_of(part.cell, lowest_bit(left)));
        }
    }
}

/// The column of an edge's square, carried to its end.
template <class Value>
const typename Tunnels<Value>::Column& Tunnels<Value>::column_of_edges(
    const SweptVolume<Value>& volume, std::int32_t edge) {
    Column& column = columns_[to_size(edge)];
    if (column.state == Column::State::edges) return column;
    heap_.assign(chains_.begin() + static_cast<std::ptrdiff_t>(column.begin),
                 chains_.begin() + static_cast<std::ptrdiff_t>(column.end));
    const std::size_t begin = rows_.size();
    for_each_critical(volume, [&](std::int32_t row) { rows_.push_back(row); });
    column = {Column::State::edges, begin, rows_.size()};
    return column;
}

/// Reduces a chain whose latest critical edge has a square already. \return the edge that is left.
template <class Value>
std::int32_t Tunnels<Value>::reduce(const SweptVolume<Value>& volume, std::int32_t latest) {
    for_each_critical(volume, [&](std::int32_t row) { sum_.flip(row); });
    while (columns_[to_size(latest)].state != Column::State::free) {
        const Column& column = column_of_edges(volume, latest);
        for (std::size_t k = column.begin; k < column.end; ++k) sum_.flip(rows_[k]);
        latest = sum_.largest();
        sum_.flip(latest);
    }
    const std::size_t begin = rows_.size();
    for (std::int32_t row = sum_.largest(); row != BitColumn::none; row = sum_.largest()) {
        rows_.push_back(row);
        sum_.flip(row);
    }
    columns_[to_size(latest)] = {Column::State::edges, begin, rows_.size()};
    return latest;
}

template class Tunnels<float>;
template class Tunnels<double>;

}  // namespace toponet
