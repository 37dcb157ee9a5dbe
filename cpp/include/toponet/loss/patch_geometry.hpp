/// Where the rows of a patch lie in its image. Volumes have functions of the same names
/// (volumes/volume_patch_geometry.hpp).
#pragma once

#include <cstdint>

#include "toponet/filtration/box.hpp"
#include "toponet/filtration/image_view.hpp"

namespace toponet {

template <class Value>
ImageView<Value> part_of(const ImageView<Value>& whole, const Box& box) {
    return {whole.row(box.row) + box.column, box.height, box.width, whole.row_stride};
}

/// Whether the rows of the patch follow each other in the whole without gaps.
template <class Value>
bool is_without_gaps(const ImageView<Value>& whole, const Box& box) {
    return box.width == whole.width;
}

/// Calls task(first) for each row of the patch, with the flat index of its first pixel in the
/// whole.
template <class Value, class Task>
void for_each_row(const ImageView<Value>& whole, const Box& box, const Task& task) {
    for (std::int64_t row = box.row; row < box.row + box.height; ++row) {
        task(row * whole.width + box.column);
    }
}

/// Flat index of the patch's first pixel in the whole.
template <class Value>
std::int64_t first_pixel(const ImageView<Value>& whole, const Box& box) {
    return box.row * whole.width + box.column;
}

}  // namespace toponet
