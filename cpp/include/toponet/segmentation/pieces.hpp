/// Connected pieces of one side of a cut, as runs of pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/segmentation/side.hpp"

namespace toponet {

/// Pieces are numbered in the order of their first pixels. If the outside grows, piece 0 is its own
/// and holds all that touches the border.
///
/// Time O(pixels + runs log runs), the logarithm that of disjoint_sets.hpp. Keeps its workspace.
class Pieces {
  public:
    struct Run {
        std::int32_t begin;  ///< Flat pixels; a run lies in one row.
        std::int32_t end;
        std::int32_t piece;
    };

    template <class Value>
    void find(const Side<Value>& side);

    std::int32_t count() const { return static_cast<std::int32_t>(runs_minus_overlaps_.size()); }
    const std::vector<Run>& runs() const { return runs_; }

    /// The piece of a pixel that lies in one.
    std::int32_t at(std::int32_t pixel) const;

    /// Pieces minus holes. Not for the outside's piece.
    std::int32_t euler_number(std::int32_t piece) const {
        return runs_minus_overlaps_[to_size(piece)];
    }

    /// Calls task(run) for the runs of one piece, in index order. After group_runs.
    template <class Task>
    void for_each_run(std::int32_t piece, const Task& task) const {
        for (std::int32_t k = first_[to_size(piece)]; k < first_[to_size(piece) + 1]; ++k) {
            task(runs_[to_size(by_piece_[to_size(k)])]);
        }
    }
    void group_runs();

  private:
    void join_overlaps(std::size_t above, std::size_t row, std::size_t end, std::int32_t width,
                       std::int32_t reach);
    void number_pieces(bool outside);

    std::vector<Run> runs_;
    std::vector<std::size_t> first_of_row_;  ///< And the end.
    std::int64_t width_ = 0;
    std::vector<std::int32_t> parent_;    ///< Of each run; of the outside, if it grows, first.
    std::vector<std::int32_t> overlaps_;  ///< Of each run with the row above.
    std::vector<std::int32_t> runs_minus_overlaps_;
    std::vector<std::int32_t> numbers_;
    std::vector<std::int32_t> first_;     ///< Per piece, and the end: places in by_piece_.
    std::vector<std::int32_t> by_piece_;  ///< Runs, piece after piece.
    std::vector<std::uint8_t> row_;
    std::vector<std::int32_t> edges_;
};

}  // namespace toponet
