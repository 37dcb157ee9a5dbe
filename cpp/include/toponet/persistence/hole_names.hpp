/// Names for the holes of an image f: pixels of another image c that is nowhere below f.
///
/// A hole of f contains a hole of c, whose lowest pixel is its name. The holes of two images below
/// the same c that have one name are the same place. This is the map from the holes of f to those
/// of c that the inclusion of superlevel sets induces.
///
/// While the background of f grows together, each cluster carries its lowest pixel of c. Where two
/// clusters meet, the higher of the two pixels names the hole that is born there. Only local minima
/// of c come into question: a lower neighbour would lie in the same cluster.
///
/// Source: Stucki et al., "Topologically Faithful Image Segmentation via Induced Matching of
/// Persistence Barcodes", ICML 2023.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/persistence/basins.hpp"
#include "toponet/persistence/elder_union_find.hpp"

namespace toponet {

template <class Value>
class HoleNames {
  public:
    static constexpr std::int32_t no_name = -1;

    /// A local minimum of c.
    struct Minimum {
        std::int32_t pixel;
        Value value;
    };

    /// The minima of c that may be names, in index order. Filled in by the caller.
    std::vector<Minimum> minima;

    /// For each hole of f, in the order of its diagram: the place of its name among the minima.
    /// no_name: where the hole is born, c's hole is filled already.
    const std::vector<std::int32_t>& names() const { return names_; }

    /// Gives each cluster its lowest pixel.
    /// \param grid   of f, its extrema labelled with their nodes.
    /// \param steps  of the background's sweep.
    /// \param count  how many minima f has.
    void begin(const PaddedGrid<Value>& grid, SweepSteps& steps, std::size_t count) {
        cells_.clear();
        for (const Minimum& minimum : minima) cells_.push_back(grid.cell(minimum.pixel));
        steps.paths.follow(cells_, grid.upper_links());
        constexpr Value highest = std::numeric_limits<Value>::infinity();
        lowest_.assign(count + Sets::first_extremum, {highest, no_name});
        lowest_[Sets::outside].value = -highest;
        name_of_.assign(count, no_name);
        names_.clear();
        for (std::size_t k = 0; k < minima.size(); ++k) {
            Lowest& lowest = lowest_[to_size(grid.label(cells_[k]))];
            // Minima come in index order, and among equal ones the larger index is the lower.
            if (minima[k].value <= lowest.value) {
                lowest = {minima[k].value, static_cast<std::int32_t>(k)};
            }
        }
    }

    /// Two clusters of the background meet, and the younger one's hole is born.
    void meet(std::int32_t younger, std::int32_t elder, Value birth) {
        Lowest higher = lowest_[to_size(younger)];
        Lowest& kept = lowest_[to_size(elder)];
        if (is_lower(higher, kept)) std::swap(higher, kept);
        give(younger, higher, birth);
    }

    /// The frame closes the last hole.
    void end(std::int32_t eldest, Value birth) { give(eldest, lowest_[to_size(eldest)], birth); }

    /// The hole of f's i-th minimum is the next one of the diagram.
    void keep(std::size_t i) { names_.push_back(name_of_[i]); }

  private:
    using Sets = ElderUnionFind<Value>;

    struct Lowest {
        Value value;
        std::int32_t minimum;
    };

    static bool is_lower(const Lowest& a, const Lowest& b) {
        return a.value < b.value || (a.value == b.value && a.minimum > b.minimum);
    }

    void give(std::int32_t node, const Lowest& name, Value birth) {
        if (birth > name.value) name_of_[Basins<Value>::extremum(node)] = name.minimum;
    }

    std::vector<std::int32_t> cells_;
    std::vector<Lowest> lowest_;         ///< Per node of the background's sets.
    std::vector<std::int32_t> name_of_;  ///< Per minimum of f.
    std::vector<std::int32_t> names_;
};

}  // namespace toponet
