/// Pieces that meet, by the elder rule: dimension 0 of a set, or of its complement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/radix_sort.hpp"
#include "toponet/persistence/elder_union_find.hpp"
#include "toponet/volumes/swept_volume.hpp"

namespace toponet {

/// A critical edge (of the set) or square (of its complement): what lies on its two sides meets
/// here.
struct Meeting {
    std::int32_t cell;  ///< The voxel that it enters with.
    std::int32_t side;  ///< A cell on one side. Later the piece that it belongs to.
    std::int32_t other_side;
    std::int8_t faces[2];  ///< An edge has one face: its root in the link.
};

/// Birth and death of a class as cells of the padded volume, in the order of the sweep.
struct CellPair {
    std::int32_t birth;
    std::int32_t death;
};

/// no_cell in place of a cell: the outside, or never.
constexpr std::int32_t no_cell = -1;

enum class SweepDirection { of_the_set, of_the_complement };

template <class Value>
class ElderSweep {
  public:
    explicit ElderSweep(SweepDirection direction) : direction_(direction) {}

    void clear() {
        extrema_.clear();
        meetings_.clear();
        pairs_.clear();
        loops_.clear();
    }
    /// Cells and meetings are added in ascending order of their cells.
    void add_extremum(std::int32_t cell) { extrema_.push_back(cell); }
    void add_meeting(const Meeting& meeting) { meetings_.push_back(meeting); }

    /// \param labels  workspace of one entry a cell.
    void run(const SweptVolume<Value>& volume, std::vector<std::int32_t>& labels);

    /// Classes of positive persistence that ended, of the younger piece at a meeting. In the order
    /// of the set's sweep, a piece of the set is born at its extremum and dies at the meeting; a
    /// piece of the complement is born at the meeting and dies at its extremum.
    const std::vector<CellPair>& pairs() const { return pairs_; }
    /// The extremum of the eldest piece; no_cell if that is the outside.
    std::int32_t eldest() const { return eldest_; }
    /// Meetings of a piece with itself, in the order of the set's sweep. An edge opens a loop
    /// there, a square fills one.
    const std::vector<Meeting>& loops() const { return loops_; }

  private:
    using Union = ElderUnionFind<Value>;

    void label_extrema(const SweptVolume<Value>& volume, std::vector<std::int32_t>& labels);
    std::int32_t label(const SweptVolume<Value>& volume, std::vector<std::int32_t>& labels,
                       std::int32_t cell);
    void sort(const SweptVolume<Value>& volume);
    void meet(const SweptVolume<Value>& volume, const Meeting& meeting);

    struct Key {
        decltype(descending_bits(Value())) bits;
        std::int32_t meeting;
    };

    SweepDirection direction_;
    std::vector<std::int32_t> extrema_;  ///< Node 2 is the first of them.
    std::vector<Meeting> meetings_;
    std::vector<Key> keys_;
    std::vector<Key> scratch_;
    std::vector<std::int32_t> path_;
    Union pieces_;
    std::vector<CellPair> pairs_;
    std::vector<Meeting> loops_;
    std::int32_t eldest_ = no_cell;
};

extern template class ElderSweep<float>;
extern template class ElderSweep<double>;

}  // namespace toponet
