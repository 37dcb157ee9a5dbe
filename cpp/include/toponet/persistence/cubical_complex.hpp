/// The cubical complex of an image, explicitly: every vertex, edge and square with the pixel that
/// brings it into the superlevel filtration.
///
/// Connectivity 8 (T-construction): pixels are squares; a face enters with the first of the pixels
/// around it. Connectivity 4 (V-construction): pixels are vertices; a cell enters with the last of
/// its vertices. A frame is one ring of pixels more, which enters before all others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/filtration.hpp"
#include "toponet/filtration/image_view.hpp"
#include "toponet/persistence/ranks.hpp"

namespace toponet {

class CubicalComplex {
  public:
    struct Cell {
        std::int32_t rank;   ///< Rank of its pixel in the filtration; the frame's is -1.
        std::int32_t pixel;  ///< Flat index, -1 = frame.
        std::int32_t row;    ///< Position in the doubled grid: odd = extended in that direction.
        std::int32_t column;

        int dimension() const { return (row & 1) + (column & 1); }
    };

    template <class Value>
    CubicalComplex(const ImageView<Value>& image, const FiltrationOptions& options)
        : pixels_are_squares_(options.connectivity == Connectivity::eight),
          border_(options.frame ? 1 : 0),
          pixel_rows_(image.height + 2 * border_),
          pixel_columns_(image.width + 2 * border_),
          grid_rows_(2 * pixel_rows_ + (pixels_are_squares_ ? 1 : -1)),
          grid_columns_(2 * pixel_columns_ + (pixels_are_squares_ ? 1 : -1)) {
        const std::vector<std::int32_t> ranks = ranks_of(image);
        cells_.reserve(to_size(grid_rows_ * grid_columns_));
        for (std::int64_t i = 0; i < grid_rows_; ++i) {
            for (std::int64_t j = 0; j < grid_columns_; ++j) {
                cells_.push_back(make_cell(i, j, ranks, image));
            }
        }
        std::sort(cells_.begin(), cells_.end(), [](const Cell& a, const Cell& b) {
            if (a.rank != b.rank) return a.rank < b.rank;
            if (a.dimension() != b.dimension()) return a.dimension() < b.dimension();
            return a.row != b.row ? a.row < b.row : a.column < b.column;
        });
        position_.resize(cells_.size());
        for (std::size_t k = 0; k < cells_.size(); ++k) {
            position_[grid_index(cells_[k].row, cells_[k].column)] = static_cast<std::int32_t>(k);
        }
    }

    /// In the order of the filtration: by pixel, then by dimension. Faces come before cofaces.
    const std::vector<Cell>& cells() const { return cells_; }

    /// Positions in cells() of a cell's faces of one dimension less, ascending.
    std::vector<std::int32_t> boundary(const Cell& cell) const {
        std::vector<std::int32_t> faces;
        if (cell.row & 1) {
            faces.push_back(position_[grid_index(cell.row - 1, cell.column)]);
            faces.push_back(position_[grid_index(cell.row + 1, cell.column)]);
        }
        if (cell.column & 1) {
            faces.push_back(position_[grid_index(cell.row, cell.column - 1)]);
            faces.push_back(position_[grid_index(cell.row, cell.column + 1)]);
        }
        std::sort(faces.begin(), faces.end());
        return faces;
    }

  private:
    std::size_t grid_index(std::int64_t i, std::int64_t j) const {
        return to_size(i * grid_columns_ + j);
    }

    /// A cell of the doubled grid belongs to one, two or four pixels; the first (squares) or last
    /// (vertices) of them to enter brings it in.
    template <class Value>
    Cell make_cell(std::int64_t i, std::int64_t j, const std::vector<std::int32_t>& ranks,
                   const ImageView<Value>& image) const {
        // Pixel k sits at 2k + 1 when pixels are squares, at 2k when they are vertices.
        const std::int64_t shift = pixels_are_squares_ ? 1 : 0;
        const std::int64_t first_row = std::max<std::int64_t>((i - shift) >> 1, 0);
        const std::int64_t last_row = std::min((i - shift + 1) >> 1, pixel_rows_ - 1);
        const std::int64_t first_column = std::max<std::int64_t>((j - shift) >> 1, 0);
        const std::int64_t last_column = std::min((j - shift + 1) >> 1, pixel_columns_ - 1);
        Cell cell{0, 0, static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)};
        bool chosen = false;
        for (std::int64_t r = first_row; r <= last_row; ++r) {
            for (std::int64_t c = first_column; c <= last_column; ++c) {
                const std::int64_t row = r - border_;
                const std::int64_t column = c - border_;
                const bool inside =
                    row >= 0 && row < image.height && column >= 0 && column < image.width;
                const std::int32_t pixel =
                    inside ? static_cast<std::int32_t>(row * image.width + column) : -1;
                const std::int32_t rank = inside ? ranks[to_size(pixel)] : -1;
                if (!chosen || (pixels_are_squares_ ? rank < cell.rank : rank > cell.rank)) {
                    cell.rank = rank;
                    cell.pixel = pixel;
                    chosen = true;
                }
            }
        }
        return cell;
    }

    bool pixels_are_squares_;
    std::int64_t border_;
    std::int64_t pixel_rows_;
    std::int64_t pixel_columns_;
    std::int64_t grid_rows_;
    std::int64_t grid_columns_;
    std::vector<Cell> cells_;
    std::vector<std::int32_t> position_;  ///< Doubled grid -> position in cells_.
};

}  // namespace toponet
