/// Pieces of two images that become the same piece of c, which is nowhere below either.
///
/// While the superlevel sets of c grow, each of their clusters carries the eldest maximum of f and
/// that of g in it. Where two clusters meet, the younger of f's and the younger of g's elders die
/// in c. They are the same place if both are born above the level of that meeting.
///
/// Only births of f's own diagram come into question as its elders: a higher neighbour would lie in
/// the same cluster. A birth is given to the whole basin of c that it lies in, although the basin
/// may not have grown to it yet. A birth that c hasn't reached is no higher than the level of the
/// meeting, so that it makes no partners.
///
/// Source: Stucki et al., ICML 2023.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/filtration/critical_cells.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/filtration/sorted_saddles.hpp"
#include "toponet/persistence/basins.hpp"
#include "toponet/persistence/diagram.hpp"

namespace toponet {

/// Positions of two partners in the lists that they come from.
struct Partners {
    std::int32_t f;
    std::int32_t g;
};

/// Where a piece is born.
template <class Value>
struct PieceBirth {
    Value value;
    std::int32_t pixel;
};

/// The births of a diagram's pieces, in its order.
template <class Value>
void list_births(const Diagram<Value>& diagram, std::vector<PieceBirth<Value>>& births) {
    births.clear();
    for (const auto& pair : diagram.dimension[0]) births.push_back({pair.birth, pair.birth_pixel});
}

/// Keeps its workspace, so each thread needs its own.
template <class Value>
class CommonPieces {
  public:
    /// Takes an image that is made row by row; see PaddedGrid::load_rows.
    /// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
    template <class WriteRow>
    void load_rows(std::int64_t height, std::int64_t width, const FiltrationOptions& options,
                   int num_threads, const WriteRow& write_row) {
        grid_.load_rows(height, width, options, num_threads, write_row);
        find_critical_cells(options, num_threads);
    }

    /// Calls use(pixel, value) for every local minimum of c, in index order. Call it before match,
    /// which writes labels over the values.
    template <class Use>
    void for_each_minimum(const Use& use) const {
        for (const std::int32_t cell : critical_.minima) use(grid_.pixel(cell), grid_.value(cell));
    }

    /// Lists the partners; once for each image that was loaded.
    /// \param f  all births of its diagram; the one that never dies may be among them.
    /// \param g  the same of the other image.
    void match(const std::vector<PieceBirth<Value>>& f, const std::vector<PieceBirth<Value>>& g,
               std::vector<Partners>& partners);

  private:
    /// The eldest birth of one image in a cluster.
    struct Elder {
        Value value;
        std::int32_t pixel;
        std::int32_t position;
    };

    void find_critical_cells(const FiltrationOptions& options, int num_threads);
    void place(const std::vector<PieceBirth<Value>>& births, std::vector<Elder>& elders);
    static Elder meet(Elder& of_younger, Elder& of_elder);

    PaddedGrid<Value> grid_;
    CriticalCellFinder finder_;
    CriticalCells critical_;
    SortedSaddles<Value> saddles_;
    SweepSteps upwards_{Sweep::upwards};
    Basins<Value> basins_;
    std::vector<std::int32_t> cells_;
    std::vector<Elder> f_;  ///< Per node of c's sets.
    std::vector<Elder> g_;
};

extern template class CommonPieces<float>;
extern template class CommonPieces<double>;

}  // namespace toponet
