/// Glues the tiles of an image: the meetings that had to wait, in the order of the sweep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/radix_sort.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/basins.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/tile_basins.hpp"
#include "toponet/persistence/tiling.hpp"

namespace toponet {

/// Time O(s log s) for s sets and meetings at the seams. Keeps its workspace.
template <class Value>
class Seams {
  public:
    /// A set that dies, or never does.
    struct Death {
        Value value;           ///< Of the extremum.
        std::int32_t pixel;    ///< The extremum.
        std::int32_t meeting;  ///< no_pixel = it never meets an elder.
        std::int32_t elder;    ///< The eldest extremum there, or no_pixel for the outside.
    };

    /// \param seams  of each tile, by pointers that stay valid.
    void merge(const ImageView<Value>& image, const Tiling& tiling, Sweep direction,
               const std::vector<const Seam<Value>*>& seams);

    /// In the order of the sweep; what never dies comes last.
    const std::vector<Death>& deaths() const { return deaths_; }

  private:
    struct Meeting {
        decltype(descending_bits(Value())) bits;
        std::int32_t pixel;
        std::int32_t sets[2];
    };

    std::int32_t global(std::size_t tile, std::int32_t number) const;
    void collect_sets(const std::vector<const Seam<Value>*>& seams);
    void open_gates(const Tiling& tiling, std::int64_t image_width,
                    const std::vector<const Seam<Value>*>& seams);
    void sort_meetings(const ImageView<Value>& image, const std::vector<const Seam<Value>*>& seams);
    template <Sweep direction>
    void join_all();
    template <Sweep direction>
    bool is_elder(std::int32_t a, std::int32_t b) const;

    std::vector<std::int32_t> first_;              ///< Per tile: the first of its sets.
    std::vector<typename Seam<Value>::Set> sets_;  ///< The outside first.
    std::vector<std::int32_t> parent_;
    std::vector<Meeting> meetings_;
    std::vector<Meeting> scratch_;
    std::vector<Death> deaths_;
};

extern template class Seams<float>;
extern template class Seams<double>;

}  // namespace toponet
