/// A column of a matrix over Z/2 that many others are added to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"

namespace toponet {

/// One bit a row, and above 64 words one bit that tells which of them aren't 0, up to a single
/// word. Changing a row and finding the largest one take a few steps whatever the column holds; a
/// sorted list or a heap would be walked again for each sum.
///
/// Source: Bauer, Kerber, Reininghaus, Wagner, "PHAT" (2017): bit trees as pivot columns.
class BitColumn {
  public:
    static constexpr std::int32_t none = -1;

    /// An empty column.
    void reset(std::size_t rows);

    /// Adds 1 to a row.
    void flip(std::int32_t row) {
        auto place = to_size(row);
        for (auto& level : levels_) {
            std::uint64_t& word = level[place >> 6];
            const std::uint64_t before = word;
            word ^= std::uint64_t{1} << (place & 63);
            // The level above changes only if the word became 0, or was 0.
            if (before != 0 && word != 0) return;
            place >>= 6;
        }
    }

    /// The largest row that holds 1.
    std::int32_t largest() const;

  private:
    std::vector<std::vector<std::uint64_t>> levels_;  ///< The last one is a single word.
};

}  // namespace toponet
