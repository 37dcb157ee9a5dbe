/// Basins of extrema, and how they grow together at saddles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/monotone_paths.hpp"
#include "toponet/filtration/neighbourhood.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/persistence/elder_union_find.hpp"

namespace toponet {

/// The direction of a pass through the filtration. Upwards, basins are basins of maxima, and sets
/// of basins are components of the foreground. Downwards, basins are basins of minima, and sets of
/// basins are components of the background.
enum class Sweep { upwards, downwards };

/// Where to go from a cell, by its upper link. The tables are made again when the stride or the
/// connectivity changes.
class SweepSteps {
  public:
    explicit SweepSteps(Sweep sweep) : direction(sweep) {}

    void prepare(std::int64_t stride, Connectivity connectivity);

    const Sweep direction;
    std::array<std::int32_t, 8> offsets{};  ///< Direction of the ring -> step.
    LinkTable arms{};                       ///< Upper link -> arms in this sweep's direction.
    MonotonePaths paths;

  private:
    std::int64_t stride_ = 0;
    Connectivity connectivity_ = Connectivity::eight;
};

template <class Value>
class Basins {
  public:
    /// Makes a node of every extremum and finds, for each saddle, the nodes that its arms lead to.
    ///
    /// A monotone path that leaves a saddle into one piece of its link ends at an extremum. All of
    /// the path enters before the saddle does. So the extremum lies in the component that the piece
    /// belongs to.
    ///
    /// \param grid   its padding labelled as ElderUnionFind::outside; extrema get their nodes as
    ///               labels, and keep their values here.
    /// \param steps  prepared for the grid.
    void find(PaddedGrid<Value>& grid, SweepSteps& steps, const std::vector<std::int32_t>& extrema,
              const std::vector<std::int32_t>& saddles);

    /// Value of the k-th extremum.
    Value value(std::size_t k) const {
        return sets_.value(static_cast<std::int32_t>(k) + sets_.first_extremum);
    }

    /// Joins the basins around one saddle, one after the other in the order of the arms: that of
    /// their smallest neighbour index. Calls on_death(younger, elder) at each meeting.
    /// \param i     position of the saddle in the `saddles` of find.
    /// \return how many died.
    template <Sweep direction, class OnDeath>
    std::size_t join(std::size_t i, const OnDeath& on_death) {
        std::size_t deaths = 0;
        std::int32_t elder = sets_.find(arms_[first_arm_[i]]);
        for (std::uint32_t arm = first_arm_[i] + 1; arm < first_arm_[i + 1]; ++arm) {
            const std::int32_t other = sets_.find(arms_[arm]);
            if (other == elder) continue;
            const bool other_is_elder = is_elder<direction>(other, elder);
            const std::int32_t younger = other_is_elder ? elder : other;
            elder = other_is_elder ? other : elder;
            sets_.join(younger, elder);
            on_death(younger, elder);
            ++deaths;
        }
        return deaths;
    }

    /// Brings an arm that leads to the outside's basins to the front, if there is one.
    void bring_outside_first(std::size_t i) {
        for (std::uint32_t arm = first_arm_[i]; arm < first_arm_[i + 1]; ++arm) {
            if (sets_.find(arms_[arm]) != sets_.outside) continue;
            std::swap(arms_[first_arm_[i]], arms_[arm]);
            return;
        }
    }

    /// The node that stands for the basins around a saddle, once they are joined.
    std::int32_t joined(std::size_t i) { return sets_.find(arms_[first_arm_[i]]); }

    std::size_t arm_count(std::size_t i) const { return first_arm_[i + 1] - first_arm_[i]; }

    /// The extremum that all others have been joined to, once all are joined.
    std::int32_t eldest() { return sets_.find(sets_.first_extremum); }

    /// Position of a node among the extrema.
    static std::size_t extremum(std::int32_t node) {
        return to_size(node - ElderUnionFind<Value>::first_extremum);
    }

  private:
    template <Sweep direction>
    bool is_elder(std::int32_t a, std::int32_t b) const {
        return direction == Sweep::upwards ? enters_before(sets_.value(a), a, sets_.value(b), b)
                                           : enters_before(sets_.value(b), b, sets_.value(a), a);
    }

    std::vector<std::int32_t> arms_;        ///< First cells, then nodes; saddle after saddle.
    std::vector<std::uint32_t> first_arm_;  ///< Per saddle, and the end.
    ElderUnionFind<Value> sets_;
};

extern template class Basins<float>;
extern template class Basins<double>;

}  // namespace toponet
