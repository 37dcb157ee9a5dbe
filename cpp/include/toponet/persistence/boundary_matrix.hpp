/// A sparse boundary matrix over Z/2 and its column reduction.
///
/// A column is the ascending list of its non-zero rows; its pivot is the last of them. Reduction
/// adds earlier columns from the left until no two columns share a pivot; then row i and column j
/// are a persistence pair if i is the pivot of j.
///
/// Source: Edelsbrunner, Harer, "Computational Topology" (2010), ch. VII.1; clearing: Chen, Kerber,
/// "Persistent homology computation with a twist" (2011).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "toponet/basics/to_size.hpp"

namespace toponet {

class BoundaryMatrix {
  public:
    using Column = std::vector<std::int32_t>;

    explicit BoundaryMatrix(std::size_t size) : columns_(size), column_of_pivot_(size, -1) {}

    void set_column(std::size_t j, Column rows) { columns_[j] = std::move(rows); }

    /// Reduces column j against the columns reduced before. \return its pivot, -1 if it is zero.
    std::int32_t reduce(std::size_t j) {
        Column& column = columns_[j];
        while (!column.empty()) {
            const auto pivot = to_size(column.back());
            const std::int32_t owner = column_of_pivot_[pivot];
            if (owner < 0) {
                column_of_pivot_[pivot] = static_cast<std::int32_t>(j);
                return column.back();
            }
            add(columns_[to_size(owner)], column);
        }
        return -1;
    }

    /// Whether some reduced column has this row as its pivot.
    bool is_pivot(std::size_t row) const { return column_of_pivot_[row] >= 0; }

  private:
    /// Sum over Z/2: what both columns hold cancels.
    void add(const Column& summand, Column& column) {
        scratch_.clear();
        std::set_symmetric_difference(summand.begin(), summand.end(), column.begin(), column.end(),
                                      std::back_inserter(scratch_));
        column.swap(scratch_);
    }

    std::vector<Column> columns_;
    std::vector<std::int32_t> column_of_pivot_;
    Column scratch_;
};

}  // namespace toponet
