#include "toponet/filtration/padded_grid.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <stdexcept>

#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/neighbourhood.hpp"

namespace toponet {

template <class Value>
void PaddedGrid<Value>::load(const ImageView<Value>& image, const FiltrationOptions& options,
                             int num_threads) {
    const Value infinity = std::numeric_limits<Value>::infinity();
    const Value padding = options.frame ? infinity : -infinity;
    const Value limit = options.frame ? static_cast<Value>(options.frame_value) : infinity;
    height_ = image.height;
    stride_ = image.width + 2;
    inverse_stride_ = 1.0 / static_cast<double>(stride_);
    cells_.resize(to_size((height_ + 2) * stride_));
    upper_links_.resize(cells_.size());
    std::fill_n(cells_.begin(), stride_, padding);
    std::fill_n(cells_.end() - stride_, stride_, padding);

    std::atomic<bool> finite{true};
    std::atomic<bool> below_limit{true};
    parallel_for(num_threads, num_threads, [&](int, std::int64_t strip) {
        RowCheck all{true, true};
        for (std::int64_t r = strip * height_ / num_threads;
             r < (strip + 1) * height_ / num_threads; ++r) {
            Value* row = cells_.data() + (r + 1) * stride_;
            row[0] = padding;
            row[stride_ - 1] = padding;
            const RowCheck check = copy_row(image.row(r), image.width, limit, row + 1);
            all.finite &= check.finite;
            all.below_limit &= check.below_limit;
        }
        if (!all.finite) finite = false;
        if (!all.below_limit) below_limit = false;
    });
    if (!finite) throw std::invalid_argument("holds NaN or an infinite value");
    if (!below_limit) throw std::invalid_argument("holds a value above frame_value");

    // All rows of a strip are one stretch, with the padding between them. What is written for the
    // padding is overwritten below.
    parallel_for(num_threads, num_threads, [&](int, std::int64_t strip) {
        const std::int64_t first_row = strip * height_ / num_threads;
        const std::int64_t rows = (strip + 1) * height_ / num_threads - first_row;
        if (rows == 0) return;
        const std::int64_t first = (first_row + 1) * stride_ + 1;
        find_upper_links(cells_.data() + first, stride_, rows * stride_ - 2,
                         upper_links_.data() + first);
    });
    const std::uint8_t padding_link = options.frame ? 0x00 : 0xFF;
    for_each_padding_cell([&](std::size_t cell) { upper_links_[cell] = padding_link; });
}

template class PaddedGrid<float>;
template class PaddedGrid<double>;

}  // namespace toponet
