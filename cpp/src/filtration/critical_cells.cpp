#include "toponet/filtration/critical_cells.hpp"

#include <algorithm>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/neighbourhood.hpp"

namespace toponet {
namespace {

/// Room for `more` entries behind `used` ones.
std::int32_t* room(std::vector<std::int32_t>& entries, std::size_t used, std::size_t more) {
    if (entries.size() < used + more) resize_lean(entries, used + more);
    return entries.data() + used;
}

/// Appends the critical cells of some rows. It has no branches, because the processor can't predict
/// which cells are critical, and of what kind.
class RowsClassifier {
  public:
    RowsClassifier(const std::vector<std::uint8_t>& upper_links, std::int64_t stride,
                   Connectivity connectivity, std::vector<std::uint8_t>& marks,
                   std::vector<std::int32_t>& critical, CriticalCells& cells)
        : upper_links_(upper_links),
          stride_(stride),
          connectivity_(connectivity),
          marks_(marks),
          critical_(critical),
          cells_(cells) {}

    void classify(std::int64_t first_row, std::int64_t rows) {
        const std::size_t found = collect(first_row, rows);
        const auto& kind_of = connectivity_ == Connectivity::eight ? cell_kinds_8 : cell_kinds_4;
        std::int32_t* maximum = room(cells_.maxima, maxima_, found + 1);
        std::int32_t* minimum = room(cells_.minima, minima_, found + 1);
        std::int32_t* saddle = room(cells_.saddles, saddles_, found + 1);
        for (std::size_t i = 0; i < found; ++i) {
            const std::int32_t cell = critical_[i];
            const CellKind kind = kind_of[upper_links_[to_size(cell)]];
            *maximum = cell;
            *minimum = cell;
            *saddle = cell;
            maximum += kind.is_maximum;
            minimum += kind.is_minimum;
            saddle += kind.is_saddle;
        }
        maxima_ = to_size(maximum - cells_.maxima.data());
        minima_ = to_size(minimum - cells_.minima.data());
        saddles_ = to_size(saddle - cells_.saddles.data());
    }

    void finish() {
        cells_.maxima.resize(maxima_);
        cells_.minima.resize(minima_);
        cells_.saddles.resize(saddles_);
    }

  private:
    /// Fills critical_ with the critical cells of some rows. \return how many.
    std::size_t collect(std::int64_t first_row, std::int64_t rows) {
        const std::int64_t first = (first_row + 1) * stride_ + 1;
        const auto count = to_size(rows * stride_);
        if (marks_.size() < count) marks_.resize(count);
        if (critical_.size() < count) critical_.resize(count);
        mark_critical(upper_links_.data() + first, rows * stride_ - 2, connectivity_,
                      marks_.data());
        std::int32_t* critical = critical_.data();
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::uint8_t* marks = marks_.data() + row * stride_;
            const auto cell = static_cast<std::int32_t>(first + row * stride_);
            for (std::int32_t c = 0; c < static_cast<std::int32_t>(stride_ - 2); ++c) {
                *critical = cell + c;
                critical += marks[c];
            }
        }
        return to_size(critical - critical_.data());
    }

    const std::vector<std::uint8_t>& upper_links_;
    std::int64_t stride_;
    Connectivity connectivity_;
    std::vector<std::uint8_t>& marks_;
    std::vector<std::int32_t>& critical_;
    CriticalCells& cells_;
    std::size_t maxima_ = 0;
    std::size_t minima_ = 0;
    std::size_t saddles_ = 0;
};

void append(std::vector<std::int32_t>& all, const std::vector<std::int32_t>& more) {
    all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

void CriticalCellFinder::find(const std::vector<std::uint8_t>& upper_links, std::int64_t height,
                              std::int64_t stride, Connectivity connectivity, int num_threads,
                              CriticalCells& cells) {
    // A few rows at a time, so that the marks are still in the cache when they are read.
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, 16384 / stride);
    if (strips_.size() < to_size(num_threads)) {
        strips_.resize(to_size(num_threads));
    }
    parallel_for(num_threads, num_threads, [&](int, std::int64_t k) {
        Strip& strip = strips_[to_size(k)];
        CriticalCells& found = num_threads == 1 ? cells : strip.cells;
        RowsClassifier classifier(upper_links, stride, connectivity, strip.marks, strip.critical,
                                  found);
        const std::int64_t end = (k + 1) * height / num_threads;
        for (std::int64_t r = k * height / num_threads; r < end; r += rows_at_once) {
            classifier.classify(r, std::min(rows_at_once, end - r));
        }
        classifier.finish();
    });
    if (num_threads == 1) return;
    cells.maxima.clear();
    cells.minima.clear();
    cells.saddles.clear();
    for (std::size_t k = 0; k < to_size(num_threads); ++k) {
        append(cells.maxima, strips_[k].cells.maxima);
        append(cells.minima, strips_[k].cells.minima);
        append(cells.saddles, strips_[k].cells.saddles);
    }
}

}  // namespace toponet
