/// Saddles in the order of the filtration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/radix_sort.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/padded_grid.hpp"

namespace toponet {

template <class Value>
class SortedSaddles {
  public:
    struct Saddle {
        decltype(descending_bits(Value())) bits;
        std::int32_t rank;  ///< Position among the saddles in index order.
    };

    /// \param cells  the saddles in index order; none of them labelled yet.
    void sort(const PaddedGrid<Value>& grid, const std::vector<std::int32_t>& cells) {
        resize_lean(saddles_, cells.size());
        for (std::size_t rank = 0; rank < cells.size(); ++rank) {
            saddles_[rank] = {descending_bits(grid.value(cells[rank])),
                              static_cast<std::int32_t>(rank)};
        }
        radix_sort(saddles_, scratch_);
    }

    const std::vector<Saddle>& all() const { return saddles_; }

  private:
    std::vector<Saddle> saddles_;
    std::vector<Saddle> scratch_;
};

}  // namespace toponet
