/// Basins of extrema, and how they grow together at saddles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/monotone_paths.hpp"
#include "toponet/neighbourhood.hpp"
#include "toponet/padded_grid.hpp"
#include "toponet/union_find.hpp"

namespace toponet {

/// One direction of the filtration: upwards, basins are those of maxima and their sets the
/// components of the foreground; downwards, those of minima and of the background.
enum class Sweep { upwards, downwards };

template <class Value>
class Basins {
  public:
    explicit Basins(Sweep sweep) : sweep_(sweep) {}

    /// Makes a node of every extremum and finds, for each saddle, the nodes that its arms lead to.
    ///
    /// From a saddle, any path that goes on into one piece of its link ends at an extremum of the
    /// component that the piece belongs to, because all of the path enters before the saddle.
    ///
    /// \param nodes  cell -> node, as large as the grid; written for extrema and padding only, so
    ///               both sweeps can share it.
    void find(const PaddedGrid<Value>& grid, Connectivity connectivity,
              const std::vector<std::int32_t>& extrema, const std::vector<std::int32_t>& saddles,
              std::vector<std::int32_t>& nodes);

    /// Joins the basins around one saddle. Calls on_death(node) for each but the eldest.
    /// \param i     position of the saddle in the `saddles` of find.
    /// \return how many arms were joined to basins that they had not belonged to.
    template <class OnDeath>
    std::size_t join(std::size_t i, const OnDeath& on_death) {
        std::size_t deaths = 0;
        std::int32_t elder = sets_.find(arms_[first_arm_[i]]);
        for (std::size_t arm = first_arm_[i] + 1; arm < first_arm_[i + 1]; ++arm) {
            const std::int32_t other = sets_.find(arms_[arm]);
            if (other == elder) continue;
            const bool other_is_elder = is_elder(other, elder);
            const std::int32_t younger = other_is_elder ? elder : other;
            elder = other_is_elder ? other : elder;
            sets_.join(younger, elder);
            on_death(younger);
            ++deaths;
        }
        return deaths;
    }

    std::size_t arm_count(std::size_t i) const { return first_arm_[i + 1] - first_arm_[i]; }

    /// The extremum that all others have been joined to, if all have.
    std::int32_t eldest() { return sets_.find(sets_.first_extremum); }

    /// Position of a node among the extrema.
    static std::size_t extremum(std::int32_t node) {
        return static_cast<std::size_t>(node - ElderUnionFind<Value>::first_extremum);
    }

  private:
    bool is_elder(std::int32_t a, std::int32_t b) const {
        return sweep_ == Sweep::upwards ? enters_before(sets_.value(a), a, sets_.value(b), b)
                                        : enters_before(sets_.value(b), b, sets_.value(a), a);
    }
    void prepare_steps(std::int64_t stride, Connectivity connectivity);

    Sweep sweep_;
    std::int64_t stride_ = 0;  ///< Of the last grid; steps follow from it and the connectivity.
    Connectivity connectivity_ = Connectivity::eight;
    std::array<std::int32_t, 8> offsets_{};
    LinkTable arms_of_link_{};  ///< Upper link -> arms in this sweep's direction.
    MonotonePaths paths_;
    std::vector<std::int32_t> arms_;      ///< First cells, then nodes; saddle after saddle.
    std::vector<std::size_t> first_arm_;  ///< Per saddle, and the end.
    ElderUnionFind<Value> sets_;
};

extern template class Basins<float>;
extern template class Basins<double>;

}  // namespace toponet
