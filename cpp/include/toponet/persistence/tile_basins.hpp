/// Basins of one tile: which of their deaths are final, and which wait for the other tiles.
///
/// A path that leaves the tile ends at a *gate*, the first pixel beyond the seam. A set of basins
/// is *open* if other tiles know of it: a path of theirs may end in it, or it holds a gate, or it
/// takes part in a meeting that waits. When a closed set meets an elder one, it dies for good: no
/// other tile can join it to anything before, and whatever the elder set is joined to elsewhere
/// makes it only older. When an open set meets an elder one, the meeting waits (see seams.hpp), and
/// both are open from then on.
///
/// So few meetings wait: about as many as basins lie along the seams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/persistence/basins.hpp"
#include "toponet/persistence/tiling.hpp"

namespace toponet {

/// What the other tiles have to know of one sweep over a tile. Sets are known by numbers, which
/// begin with that of the outside.
template <class Value>
struct Seam {
    static constexpr std::int32_t outside = 1;
    static constexpr std::int32_t first = 2;

    /// An extremum with number `first` + k, or a gate in the stead of one.
    struct Set {
        Value value;
        std::int32_t pixel;
        bool is_gate;
    };
    struct Meeting {
        std::int32_t pixel;
        std::int32_t younger;  ///< By what the tile knows.
        std::int32_t elder;
    };

    std::vector<Set> sets;
    std::vector<Meeting> meetings;   ///< In the order of the sweep.
    std::vector<std::int32_t> ends;  ///< Place in the tile's border -> set where its path ends.

    void clear() {
        sets.clear();
        meetings.clear();
        ends.clear();
    }
};

template <class Value>
class TileBasins {
  public:
    /// \param grid     of the tile; its padding is labelled as outside but for the gates.
    /// \param extrema  of the tile, in index order. Gates are put among them.
    void find(PaddedGrid<Value>& grid, SweepSteps& steps, const std::vector<std::int32_t>& extrema,
              const std::vector<std::int32_t>& saddles, const TileBorder& border,
              Seam<Value>& seam);

    /// Joins the basins around one saddle. Calls on_death(younger, elder) for each that dies for
    /// good. The others' meetings go to the seam.
    /// \return how many died for good.
    template <Sweep direction, class OnDeath>
    std::size_t join(std::size_t i, std::int32_t saddle, Seam<Value>& seam,
                     const OnDeath& on_death) {
        std::size_t deaths = 0;
        basins_.template join<direction>(i, [&](std::int32_t younger, std::int32_t elder) {
            if (number_[to_size(younger)] == closed) {
                on_death(younger, elder);
                ++deaths;
            } else {
                seam.meetings.push_back(
                    {grid_->pixel(saddle), number(younger, seam), number(elder, seam)});
            }
        });
        return deaths;
    }

    /// Cells of the extrema, with the gates among them, in index order.
    const std::vector<std::int32_t>& all() const { return *all_; }
    Value value(std::size_t k) const { return basins_.value(k); }
    std::size_t arm_count(std::size_t i) const { return basins_.arm_count(i); }
    /// The set that the basins around a saddle belong to, once they are joined.
    std::int32_t joined(std::size_t i) { return basins_.joined(i); }
    std::int32_t eldest() { return basins_.eldest(); }
    void bring_outside_first(std::size_t i) { basins_.bring_outside_first(i); }

    /// Whether the other tiles know of an extremum.
    bool at_seam(std::size_t k) const {
        return number_[k + ElderUnionFind<Value>::first_extremum] != closed;
    }

  private:
    // In the stead of a number.
    static constexpr std::int32_t closed = 0;
    static constexpr std::int32_t unnumbered_gate = -1;

    void add_gates(PaddedGrid<Value>& grid, const std::vector<std::int32_t>& extrema,
                   const TileBorder& border);
    void follow_border(PaddedGrid<Value>& grid, SweepSteps& steps, const TileBorder& border,
                       Seam<Value>& seam);
    std::int32_t number(std::int32_t node, Seam<Value>& seam);

    Basins<Value> basins_;
    const PaddedGrid<Value>* grid_ = nullptr;
    const std::vector<std::int32_t>* all_ = nullptr;
    std::vector<std::int32_t> gates_;
    std::vector<std::int32_t> extrema_and_gates_;
    std::vector<std::int32_t> border_ends_;
    std::vector<std::int32_t> number_;  ///< Per node, at the seam.
};

extern template class TileBasins<float>;
extern template class TileBasins<double>;

}  // namespace toponet
