/// Runs of ones in a row of bytes, and how they lie beside those of the row above.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace toponet {

/// Ones in a row, without a gap.
struct Run {
    std::int32_t begin;
    std::int32_t end;  ///< One past the last pixel.
};

/// The runs of one row, as nodes of a graph that are numbered from `first_node` on.
struct RowRuns {
    std::vector<Run> runs;
    std::int32_t first_node = 0;
};

/// Writes, for each run of ones, where it begins and where it ends (one past its last pixel).
///
/// Edges are found 64 pixels at a time: looking at pixel after pixel, the processor would guess
/// wrong at the end of each run (measured: 3 times as long).
///
/// \param row     bytes 0 and 1.
/// \param before  whether a one stands before the row: then the first run begins before it, and its
///                beginning isn't written.
/// \param edges   room for `width` numbers and one more.
/// \return how many were written. A run that the row ends in ends at `width`.
std::int32_t find_edges(const std::uint8_t* row, std::int32_t width, bool before,
                        std::int32_t* edges);

/// Finds the runs of ones in a row. With a frame, columns -1 and `width` are ones as well, and a
/// run that touches them includes them.
/// \param edges  workspace.
void find_runs(const std::uint8_t* row, std::int64_t width, bool frame,
               std::vector<std::int32_t>& edges, std::vector<Run>& runs);

/// Calls task(i, j) for the i-th run of a row and the j-th run of the next row that touch.
///
/// \param shift  from a place in the upper row to the place below it.
/// \param reach  0 if runs touch along edges only, 1 if corners count as well.
template <class AnyRun, class Task>
void for_each_overlap(const AnyRun* upper, std::size_t upper_count, const AnyRun* lower,
                      std::size_t lower_count, std::int32_t shift, std::int32_t reach,
                      const Task& task) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < upper_count && j < lower_count) {
        const std::int32_t begin = upper[i].begin + shift;
        const std::int32_t end = upper[i].end + shift;
        if (begin < lower[j].end + reach && lower[j].begin < end + reach) task(i, j);
        // What ends first overlaps no further run.
        const bool upper_ends = end < lower[j].end;
        i += upper_ends;
        j += !upper_ends;
    }
}

}  // namespace toponet
