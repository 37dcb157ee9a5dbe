#include "toponet/filtration/padded_grid.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/neighbourhood.hpp"

namespace toponet {

void require(const RowCheck& check) {
    if (!check.finite) throw std::invalid_argument("holds NaN or an infinite value");
    if (!check.below_limit) throw std::invalid_argument("holds a value above frame_value");
}

template <class Value>
PaddedGrid<Value>::Padding::Padding(const FiltrationOptions& options)
    : value(options.frame ? std::numeric_limits<Value>::infinity()
                          : -std::numeric_limits<Value>::infinity()),
      limit(options.frame ? static_cast<Value>(options.frame_value)
                          : std::numeric_limits<Value>::infinity()) {}

template <class Value>
void PaddedGrid<Value>::resize(std::int64_t image_height, std::int64_t image_width,
                               const Box& tile) {
    height_ = tile.height;
    stride_ = tile.width + 2;
    inverse_stride_ = 1.0 / static_cast<double>(stride_);
    cells_.resize(to_size((height_ + 2) * stride_));
    upper_links_.resize(cells_.size());
    pixels_between_rows_ = static_cast<std::int32_t>(image_width - stride_);
    // One row and one column before the tile, where the padding begins.
    first_pixel_ = static_cast<std::int32_t>((tile.row - 1) * image_width + tile.column - 1);
    ends_above_ = tile.row == 0;
    ends_below_ = tile.row + tile.height == image_height;
    ends_left_ = tile.column == 0;
    ends_right_ = tile.column + tile.width == image_width;
}

template <class Value>
void PaddedGrid<Value>::resize_to_image(std::int64_t height, std::int64_t width,
                                        const Padding& padding) {
    resize(height, width, {0, 0, height, width});
    std::fill_n(cells_.begin(), stride_, padding.value);
    std::fill_n(cells_.end() - stride_, stride_, padding.value);
}

template <class Value>
void PaddedGrid<Value>::load(const ImageView<Value>& image, const FiltrationOptions& options,
                             int num_threads) {
    load_rows(image.height, image.width, options, num_threads,
              [&](std::int64_t r, Value limit, Value* target) {
                  return copy_row(image.row(r), image.width, limit, target);
              });
}

/// All rows of a strip are one stretch, with the padding between them. What is written for the
/// padding is overwritten by link_padding, or left open for a tile.
template <class Value>
void PaddedGrid<Value>::compare_neighbours(int num_threads) {
    parallel_for(num_threads, num_threads, [&](int, std::int64_t strip) {
        const std::int64_t first_row = strip * height_ / num_threads;
        const std::int64_t rows = (strip + 1) * height_ / num_threads - first_row;
        if (rows == 0) return;
        const std::int64_t first = (first_row + 1) * stride_ + 1;
        find_upper_links(cells_.data() + first, stride_, rows * stride_ - 2,
                         upper_links_.data() + first);
    });
}

template <class Value>
RowCheck PaddedGrid<Value>::load_tile(const ImageView<Value>& image, const Box& tile,
                                      const FiltrationOptions& options) {
    const Padding padding(options);
    resize(image.height, image.width, tile);
    RowCheck all{true, true};
    for (std::int64_t r = -1; r <= tile.height; ++r) {
        Value* cells = cells_.data() + (r + 1) * stride_;
        if ((r < 0 && ends_above_) || (r == tile.height && ends_below_)) {
            std::fill_n(cells, stride_, padding.value);
            continue;
        }
        const Value* pixels = image.row(tile.row + r) + tile.column;
        cells[0] = ends_left_ ? padding.value : pixels[-1];
        cells[stride_ - 1] = ends_right_ ? padding.value : pixels[tile.width];
        const RowCheck check = copy_row(pixels, tile.width, padding.limit, cells + 1);
        if (r < 0 || r >= tile.height) continue;  // Another tile's row.
        all.add(check);
    }
    compare_neighbours(1);
    return all;
}

template <class Value>
void PaddedGrid<Value>::prepare(const ImageView<Value>& image, const FiltrationOptions& options) {
    resize(image.height, image.width, {0, 0, image.height, image.width});
    link_padding(options.frame ? 0x00 : 0xFF);
}

template <class Value>
void PaddedGrid<Value>::copy_links(const PaddedGrid& grid, const Box& tile) {
    for (std::int64_t r = 1; r <= tile.height; ++r) {
        std::copy_n(grid.upper_links_.data() + r * grid.stride_ + 1, tile.width,
                    upper_links_.data() + (tile.row + r) * stride_ + tile.column + 1);
    }
}

template class PaddedGrid<float>;
template class PaddedGrid<double>;

}  // namespace toponet
