/// Which square fills the loop that an edge opens: dimension 1, by reduction of the columns that
/// dimensions 0 and 2 leave.
///
/// The chain of a square is carried down the star of its latest voxel, and so on, until nothing but
/// critical edges is left (the discrete gradient of voxel_link.hpp; no column of any other square
/// is ever built). If no earlier square has the latest of these edges, the two are a pair; else the
/// earlier square's column is added, as in the textbook (boundary_matrix.hpp). Edges that join
/// pieces can't be the latest of a cycle, and are dropped.
///
/// Most squares meet a free edge first. So a chain is carried no further than to its first critical
/// edge, until somebody needs the others.
///
/// Source: clearing: Chen, Kerber 2011; Bauer, Kerber, Reininghaus, "Clear and compress" (2014).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/volumes/bit_column.hpp"
#include "toponet/volumes/elder_sweep.hpp"
#include "toponet/volumes/swept_volume.hpp"

namespace toponet {

template <class Value>
class Tunnels {
  public:
    /// \param edges    meetings of the set with itself, in the order of its sweep.
    /// \param squares  those of the complement; there are as many.
    /// \param labels   workspace of one entry a cell.
    void run(const SweptVolume<Value>& volume, const std::vector<Meeting>& edges,
             const std::vector<Meeting>& squares, std::vector<std::int32_t>& labels);

    /// Births and deaths of positive persistence.
    const std::vector<CellPair>& pairs() const { return pairs_; }

  private:
    /// Some edges of one star; in a heap, the star that entered last comes first.
    struct Part {
        Value value;
        std::int32_t cell;
        Faces edges;

        bool operator<(const Part& other) const {
            return value > other.value || (value == other.value && cell < other.cell);
        }
    };

    /// What a reduced square holds beside its pair.
    struct Column {
        enum class State { free, chain, edges } state = State::free;
        std::size_t begin = 0;  ///< In chains_ or rows_.
        std::size_t end = 0;
    };

    void add(const SweptVolume<Value>& volume, std::int32_t cell, Faces edges);
    void add_edge(const SweptVolume<Value>& volume, std::int32_t from, int face);
    void add_square(const SweptVolume<Value>& volume, std::int32_t cell, int face, int other);
    Part pop();
    Faces flow(const SweptVolume<Value>& volume, const Part& part);
    std::int32_t first_critical(const SweptVolume<Value>& volume);
    template <class Found>
    void for_each_critical(const SweptVolume<Value>& volume, const Found& found);
    std::int32_t reduce(const SweptVolume<Value>& volume, std::int32_t latest);
    const Column& column_of_edges(const SweptVolume<Value>& volume, std::int32_t edge);
    Faces critical_faces(std::int32_t cell) const;
    std::int32_t edge_of(std::int32_t cell, int face) const;

    const std::vector<Meeting>* edges_ = nullptr;
    const std::vector<std::int32_t>* first_edge_ = nullptr;  ///< By cell; 0 = none, else + 1.
    std::vector<Part> heap_;
    std::vector<Part> chains_;
    std::vector<std::int32_t> rows_;  ///< Edges, by their place among all.
    std::vector<Column> columns_;     ///< By the edge that is their pair.
    BitColumn sum_;
    std::vector<CellPair> pairs_;
};

extern template class Tunnels<float>;
extern template class Tunnels<double>;

}  // namespace toponet
