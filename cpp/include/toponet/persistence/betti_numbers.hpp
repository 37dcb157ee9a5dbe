/// Betti numbers of one binary mask in one pass over its rows.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/filtration/row_runs.hpp"

namespace toponet {

struct BettiNumbers {
    std::int64_t components;
    std::int64_t holes;
};

/// Counts over the runs of foreground in each row. A run is contractible, and so is the overlap of
/// two runs in neighbouring rows. So the mask has the Betti numbers of a graph: runs are its nodes,
/// overlaps its edges. An overlap of two components joins them to one; any other overlap closes a
/// loop.
///
/// With a frame, the mask is surrounded by one ring of foreground, whose own component isn't
/// counted: an empty mask has no component and one hole.
///
/// Time O(pixels + runs log runs), where the logarithm is that of disjoint_sets.hpp; memory
/// O(width) and one entry per run. A counter keeps its workspace, so each thread needs its own.
class BettiCounter {
  public:
    BettiNumbers count(const ImageView<std::uint8_t>& mask, Connectivity connectivity, bool frame);

  private:
    void join_overlaps(std::int32_t reach, BettiNumbers& numbers);
    void add_nodes();

    RowRuns above_;
    RowRuns current_;
    std::vector<std::int32_t> edges_;
    std::vector<std::int32_t> parent_;
};

}  // namespace toponet
