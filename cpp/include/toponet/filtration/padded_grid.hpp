/// An image, or a tile of one, padded by one cell on each side, with the upper link of every cell.
///
/// Around the image the padding is the frame (before all pixels) or the outside background (after
/// all pixels). Around a tile it is the pixels beside the tile, where there are any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/row_of.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/box.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/filtration/neighbourhood.hpp"

namespace toponet {

/// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
void require(const RowCheck& check);

/// Of all mistakes in tiles, names the one that is named without tiles.
template <class Tile>
void require_of_all(const std::vector<Tile>& tiles) {
    RowCheck all{true, true};
    for (const Tile& tile : tiles) all.add(tile.check);
    require(all);
}

template <class Value>
class PaddedGrid {
  public:
    /// Copies the image and compares all neighbours; `num_threads` share the rows.
    /// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
    void load(const ImageView<Value>& image, const FiltrationOptions& options, int num_threads);

    /// The same of an image that is made row by row.
    /// \param write_row  called as write_row(row, limit, target), from several threads. Writes
    ///                   `width` values of at most `limit`, and returns the RowCheck of its input.
    template <class WriteRow>
    void load_rows(std::int64_t height, std::int64_t width, const FiltrationOptions& options,
                   int num_threads, const WriteRow& write_row) {
        const Padding padding(options);
        resize_to_image(height, width, padding);
        std::atomic<bool> finite{true};
        std::atomic<bool> below_limit{true};
        parallel_for(num_threads, num_threads, [&](int, std::int64_t strip) {
            RowCheck all{true, true};
            for (std::int64_t r = strip * height_ / num_threads;
                 r < (strip + 1) * height_ / num_threads; ++r) {
                Value* row = cells_.data() + (r + 1) * stride_;
                row[0] = padding.value;
                row[stride_ - 1] = padding.value;
                all.add(write_row(r, padding.limit, row + 1));
            }
            if (!all.finite) finite = false;
            if (!all.below_limit) below_limit = false;
        });
        require({finite, below_limit});
        compare_neighbours(num_threads);
        link_padding(options.frame ? 0x00 : 0xFF);
    }

    /// Copies a tile with what lies beside it, and compares all neighbours. What the links of the
    /// padding say is left open.
    /// \return what the tile itself holds.
    RowCheck load_tile(const ImageView<Value>& image, const Box& tile,
                       const FiltrationOptions& options);

    /// Makes room for the links and labels of a whole image whose values are looked at in tiles.
    void prepare(const ImageView<Value>& image, const FiltrationOptions& options);
    /// Takes over the links of a tile's grid. Tiles may come side by side.
    void copy_links(const PaddedGrid& grid, const Box& tile);

    std::int64_t height() const { return height_; }     ///< Of the image or tile.
    std::int64_t stride() const { return stride_; }     ///< Of the grid: the tile's width + 2.
    std::size_t size() const { return cells_.size(); }  ///< Cells, padding included.

    /// Links of the padding say that nothing lies before it (frame) or after it (background).
    const std::vector<std::uint8_t>& upper_links() const { return upper_links_; }
    unsigned upper_link(std::int32_t cell) const { return upper_links_[to_size(cell)]; }
    Value value(std::int32_t cell) const { return cells_[to_size(cell)]; }
    void set_value(std::int32_t cell, Value value) { cells_[to_size(cell)] = value; }
    void link_padding(std::uint8_t link) {
        for_each_padding_cell([&](std::size_t cell) { upper_links_[cell] = link; });
    }

    /// A label is written over the value: a labelled cell has no value any more. An array for the
    /// labels alone would be written at extrema only, but touching new memory costs time. With it,
    /// a smooth 256 x 256 image in a new workspace takes 5.8 instead of 2.6 ns a pixel.
    void set_label(std::int32_t cell, std::int32_t label) {
        std::memcpy(&cells_[to_size(cell)], &label, sizeof label);
    }
    std::int32_t label(std::int32_t cell) const {
        std::int32_t label;
        std::memcpy(&label, &cells_[to_size(cell)], sizeof label);
        return label;
    }
    /// Labels what lies outside the image; beside a tile, pixels of other tiles keep their values.
    void label_padding(std::int32_t label) {
        const auto stride = static_cast<std::int32_t>(stride_);
        std::int32_t cell = 0;
        for (std::int64_t row = -1; row <= height_; ++row, cell += stride) {
            if ((row < 0 && ends_above_) || (row == height_ && ends_below_)) {
                for (std::int32_t c = 0; c < stride; ++c) set_label(cell + c, label);
                continue;
            }
            if (ends_left_) set_label(cell, label);
            if (ends_right_) set_label(cell + stride - 1, label);
        }
    }

    /// Flat index into the whole image, without the padding.
    std::int32_t pixel(std::int32_t cell) const {
        return cell + first_pixel_ + row_of(cell, inverse_stride_) * pixels_between_rows_;
    }

    std::int32_t cell(std::int32_t pixel) const {
        const auto width = static_cast<std::int32_t>(stride_) - 2;
        return pixel + static_cast<std::int32_t>(stride_) + 1 + 2 * (pixel / width);
    }

    /// Whether a cell that is no padding lies beside the padding.
    bool is_at_border(std::int32_t cell) const {
        const std::int32_t row = row_of(cell, inverse_stride_);
        const std::int32_t column = cell - row * static_cast<std::int32_t>(stride_);
        return row == 1 || row == height_ || column == 1 || column == stride_ - 2;
    }

  private:
    /// The value of the cells around the image, and the highest value that a pixel may have.
    struct Padding {
        explicit Padding(const FiltrationOptions& options);

        const Value value;
        const Value limit;
    };

    /// Makes room for a tile of an image.
    void resize(std::int64_t image_height, std::int64_t image_width, const Box& tile);
    /// Makes room for a whole image, and fills the rows above and below it.
    void resize_to_image(std::int64_t height, std::int64_t width, const Padding& padding);
    void compare_neighbours(int num_threads);

    /// Calls task(cell) for every cell of the padding.
    template <class Task>
    void for_each_padding_cell(const Task& task) const {
        const auto stride = to_size(stride_);
        for (std::size_t c = 0; c < stride; ++c) {
            task(c);
            task(cells_.size() - 1 - c);
        }
        for (std::size_t left = stride; left + stride < cells_.size(); left += stride) {
            task(left);
            task(left + stride - 1);
        }
    }

    std::int64_t height_ = 0;
    std::int64_t stride_ = 0;
    double inverse_stride_ = 0;
    std::int32_t first_pixel_ = 0;
    std::int32_t pixels_between_rows_ = 0;
    // Whether the image ends where the tile does.
    bool ends_above_ = true;
    bool ends_below_ = true;
    bool ends_left_ = true;
    bool ends_right_ = true;
    std::vector<Value> cells_;
    std::vector<std::uint8_t> upper_links_;
};

extern template class PaddedGrid<float>;
extern template class PaddedGrid<double>;

}  // namespace toponet
