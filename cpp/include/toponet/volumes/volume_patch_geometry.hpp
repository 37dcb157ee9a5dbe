/// Where the rows of a patch lie in its volume; see loss/patch_geometry.hpp.
#pragma once

#include <cstdint>

#include "toponet/volumes/volume_box.hpp"
#include "toponet/volumes/volume_view.hpp"

namespace toponet {

template <class Value>
VolumeView<Value> part_of(const VolumeView<Value>& whole, const VolumeBox& box) {
    return {whole.row(box.plane, box.row) + box.column,
            box.depth,
            box.height,
            box.width,
            whole.plane_stride,
            whole.row_stride};
}

template <class Value>
bool is_without_gaps(const VolumeView<Value>& whole, const VolumeBox& box) {
    return box.width == whole.width && box.height == whole.height;
}

template <class Value, class Task>
void for_each_row(const VolumeView<Value>& whole, const VolumeBox& box, const Task& task) {
    for (std::int64_t plane = box.plane; plane < box.plane + box.depth; ++plane) {
        for (std::int64_t row = box.row; row < box.row + box.height; ++row) {
            task((plane * whole.height + row) * whole.width + box.column);
        }
    }
}

template <class Value>
std::int64_t first_pixel(const VolumeView<Value>& whole, const VolumeBox& box) {
    return (box.plane * whole.height + box.row) * whole.width + box.column;
}

}  // namespace toponet
