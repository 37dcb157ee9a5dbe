/// Which square fills the loop that an edge opens: dimension 1, by reduction of the columns that
/// dimensions 0 and 2 leave.
///
/// The chain of a square is carried down the star of its latest voxel until nothing but a critical
/// edge is latest (the discrete gradient of voxel_link.hpp, so that no column of any other square
/// is ever built). If no earlier square has that edge, the two are a pair; else the earlier
/// square's chain is added, as in the textbook (boundary_matrix.hpp). Edges that join pieces can't
/// be the latest of a cycle, and are dropped.
///
/// Source: clearing: Chen, Kerber 2011; Bauer, Kerber, Reininghaus, "Clear and compress" (2014).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

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

    /// Where the chain of a reduced square lies; `end` 0 if there is none yet.
    struct Column {
        std::size_t begin = 0;
        std::size_t end = 0;
        bool known = false;
    };

    void add(const SweptVolume<Value>& volume, std::int32_t cell, Faces edges);
    void add_edge(const SweptVolume<Value>& volume, std::int32_t from, int face);
    void add_square(const SweptVolume<Value>& volume, std::int32_t cell, int face, int other);
    Part pop();
    Faces flow(const SweptVolume<Value>& volume, std::int32_t cell, Faces edges);
    std::int32_t reduce(const SweptVolume<Value>& volume);
    std::int32_t latest_critical(std::int32_t cell, Faces edges) const;
    Faces critical_faces(std::int32_t cell) const;

    const std::vector<Meeting>* edges_ = nullptr;
    const std::vector<std::int32_t>* first_edge_ = nullptr;  ///< By cell; 0 = none, else + 1.
    std::vector<Part> heap_;
    std::vector<Part> chains_;
    std::vector<Column> columns_;  ///< By the edge that is their pair.
    std::vector<CellPair> pairs_;
};

extern template class Tunnels<float>;
extern template class Tunnels<double>;

}  // namespace toponet
