/// How a large image is cut into tiles, and the pixels of a tile that lie at its seams.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/box.hpp"

namespace toponet {

/// 0 x 0 leaves the choice to the engine.
struct TileSize {
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// The pixels of a tile that have a neighbour in another tile: its sides at seams, one after the
/// other. A corner may come twice.
class TileBorder {
  public:
    TileBorder() = default;
    TileBorder(const Box& tile, std::int64_t image_height, std::int64_t image_width)
        : height_(tile.height),
          width_(tile.width),
          above_(tile.row > 0 ? width_ : 0),
          below_(tile.row + tile.height < image_height ? width_ : 0),
          left_(tile.column > 0 ? height_ : 0),
          right_(tile.column + tile.width < image_width ? height_ : 0) {}

    std::size_t size() const { return to_size(above_ + below_ + left_ + right_); }

    /// Place of a pixel of the tile, which has to lie at a seam.
    std::size_t place(std::int64_t row, std::int64_t column) const {
        if (row == 0 && above_ > 0) return to_size(column);
        if (row == height_ - 1 && below_ > 0) return to_size(above_ + column);
        if (column == 0 && left_ > 0) return to_size(above_ + below_ + row);
        return to_size(above_ + below_ + left_ + row);
    }

    /// Calls task(row, column) place by place.
    template <class Task>
    void for_each_inside(const Task& task) const {
        for (std::int64_t c = 0; c < above_; ++c) task(std::int64_t{0}, c);
        for (std::int64_t c = 0; c < below_; ++c) task(height_ - 1, c);
        for (std::int64_t r = 0; r < left_; ++r) task(r, std::int64_t{0});
        for (std::int64_t r = 0; r < right_; ++r) task(r, width_ - 1);
    }

    /// Calls task(row, column) for the pixels of other tiles that touch this one, in index order.
    template <class Task>
    void for_each_outside(const Task& task) const {
        const std::int64_t first = left_ > 0 ? -1 : 0;
        const std::int64_t end = right_ > 0 ? width_ + 1 : width_;
        if (above_ > 0) {
            for (std::int64_t c = first; c < end; ++c) task(std::int64_t{-1}, c);
        }
        for (std::int64_t r = 0; r < height_; ++r) {
            if (left_ > 0) task(r, std::int64_t{-1});
            if (right_ > 0) task(r, width_);
        }
        if (below_ > 0) {
            for (std::int64_t c = first; c < end; ++c) task(height_, c);
        }
    }

  private:
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    // Pixels of each side that is a seam.
    std::int64_t above_ = 0;
    std::int64_t below_ = 0;
    std::int64_t left_ = 0;
    std::int64_t right_ = 0;
};

/// Tiles are numbered row by row. Those of the last row and column may be smaller.
class Tiling {
  public:
    Tiling() = default;
    Tiling(std::int64_t image_height, std::int64_t image_width, const TileSize& size)
        : image_height_(image_height),
          image_width_(image_width),
          size_(size),
          rows_((image_height + size.height - 1) / size.height),
          columns_((image_width + size.width - 1) / size.width) {}

    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    std::int64_t count() const { return rows_ * columns_; }

    Box box(std::int64_t tile) const {
        const std::int64_t row = tile / columns_ * size_.height;
        const std::int64_t column = tile % columns_ * size_.width;
        return {row, column, std::min(size_.height, image_height_ - row),
                std::min(size_.width, image_width_ - column)};
    }
    TileBorder border(std::int64_t tile) const { return {box(tile), image_height_, image_width_}; }
    std::int64_t tile_of(std::int64_t row, std::int64_t column) const {
        return row / size_.height * columns_ + column / size_.width;
    }

  private:
    std::int64_t image_height_ = 0;
    std::int64_t image_width_ = 0;
    TileSize size_{1, 1};
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
};

/// Tiles of the size that is asked for; if none is, tiles that fit the cache. A small image is one
/// tile.
inline Tiling make_tiling(std::int64_t height, std::int64_t width, TileSize size, int num_threads) {
    // 320 kB of a float32 image, its links with it. Tiles of a quarter of that take a third longer,
    // because more of their basins lie along seams.
    constexpr std::int64_t side = 256;
    constexpr std::int64_t most_in_one = 512 * 512;
    if (size.height < 1 || size.width < 1) {
        const auto divided = [](std::int64_t length) {
            const std::int64_t parts = (length + side - 1) / side;
            return (length + parts - 1) / parts;
        };
        const bool small = height * width <= most_in_one && num_threads == 1;
        size = small ? TileSize{height, width} : TileSize{divided(height), divided(width)};
    }
    return {height, width, size};
}

}  // namespace toponet
