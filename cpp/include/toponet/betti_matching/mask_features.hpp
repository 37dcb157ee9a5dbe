/// Where the pieces and the holes of a binary mask are, and how many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/filtration/row_runs.hpp"
#include "toponet/persistence/betti_numbers.hpp"
#include "toponet/persistence/hole_names.hpp"

namespace toponet {

/// One pass over the runs of each row. Keeps its workspace, so each thread needs its own.
class MaskFeatures {
  public:
    /// \param minima  pixels with values, in index order; none of them lies in the mask.
    template <class Value>
    void find(const ImageView<std::uint8_t>& mask, Connectivity connectivity, bool frame,
              const std::vector<typename HoleNames<Value>::Minimum>& minima) {
        begin_mask(mask, connectivity, frame);
        std::size_t next = 0;
        node_of_.clear();
        for (std::int64_t r = 0; r < mask.height; ++r) {
            read_row(r);
            const auto end = static_cast<std::int32_t>((r + 1) * mask.width);
            std::size_t run = 0;
            for (; next < minima.size() && minima[next].pixel < end; ++next) {
                const auto column = minima[next].pixel - static_cast<std::int32_t>(r * mask.width);
                while (zeros_.runs[run].end <= column) ++run;
                node_of_.push_back(zeros_.first_node + static_cast<std::int32_t>(run));
            }
        }
        count_features();
        choose_lowest<Value>(minima);
    }

    /// The same as BettiCounter gives.
    const BettiNumbers& numbers() const { return numbers_; }

    /// Pixels of the mask, at least one in each component: those before which no neighbour of the
    /// mask comes. With a frame, not of the components that touch it.
    const std::vector<std::int32_t>& peaks() const { return peaks_; }

    /// For each of the minima, whether it is the lowest one in its hole. Among equal ones, the
    /// larger index is the lower.
    const std::vector<std::uint8_t>& is_lowest() const { return is_lowest_; }

  private:
    static constexpr std::int32_t outside = 0;  ///< The node that is no hole.

    void begin_mask(const ImageView<std::uint8_t>& mask, Connectivity connectivity, bool frame);
    void read_row(std::int64_t r);
    void list_zeros(std::int64_t r);
    void count_features();
    void join(std::int32_t a, std::int32_t b);

    template <class Value>
    void choose_lowest(const std::vector<typename HoleNames<Value>::Minimum>& minima) {
        is_lowest_.assign(minima.size(), 0);
        lowest_.assign(parent_.size(), -1);
        for (std::size_t k = 0; k < minima.size(); ++k) {
            const std::int32_t hole = find_representative(parent_, node_of_[k]);
            if (hole == outside) continue;
            std::int32_t& lowest = lowest_[to_size(hole)];
            if (lowest >= 0 && minima[to_size(lowest)].value < minima[k].value) continue;
            if (lowest >= 0) is_lowest_[to_size(lowest)] = 0;
            lowest = static_cast<std::int32_t>(k);
            is_lowest_[k] = 1;
        }
    }

    ImageView<std::uint8_t> mask_{};
    bool eight_ = true;
    bool frame_ = false;
    RowRuns ones_, ones_above_;
    RowRuns zeros_, zeros_above_;
    std::vector<std::int32_t> edges_;
    std::int64_t euler_ = 0;  ///< Runs of ones minus overlaps, so far.
    BettiNumbers numbers_{0, 0};
    std::vector<std::int32_t> parent_;  ///< The outside, then all runs of zeros.
    std::vector<std::int32_t> peaks_;
    std::vector<std::int32_t> node_of_;  ///< Per minimum.
    std::vector<std::int32_t> lowest_;   ///< Per node: a minimum.
    std::vector<std::uint8_t> is_lowest_;
};

}  // namespace toponet
