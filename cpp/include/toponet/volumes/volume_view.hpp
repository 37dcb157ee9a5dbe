/// A borrowed, read-only view of one volume; voxels of a row are contiguous.
#pragma once

#include <cstdint>

namespace toponet {

template <class Value>
struct VolumeView {
    const Value* data;
    std::int64_t depth;
    std::int64_t height;
    std::int64_t width;
    std::int64_t plane_stride;  ///< In voxels, from one plane's first voxel to the next plane's.
    std::int64_t row_stride;    ///< Likewise of rows.

    const Value* row(std::int64_t z, std::int64_t y) const {
        return data + z * plane_stride + y * row_stride;
    }

    /// Value at a flat index into depth x height x width, whatever the strides.
    Value at(std::int64_t flat) const {
        const std::int64_t row_index = flat / width;
        return row(row_index / height, row_index % height)[flat % width];
    }

    std::int64_t voxel_count() const { return depth * height * width; }
    /// The name that divide_threads.hpp knows.
    std::int64_t pixel_count() const { return voxel_count(); }
};

}  // namespace toponet
