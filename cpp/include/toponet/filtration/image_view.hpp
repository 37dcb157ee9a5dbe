/// A borrowed, read-only view of one 2-D image; rows may lie apart, pixels of a row are contiguous.
#pragma once

#include <cstdint>

namespace toponet {

template <class Value>
struct ImageView {
    const Value* data;
    std::int64_t height;
    std::int64_t width;
    std::int64_t row_stride;  ///< In pixels, from one row's first pixel to the next row's.

    const Value* row(std::int64_t r) const { return data + r * row_stride; }

    /// Value at a flat index into height x width, whatever the stride.
    Value at(std::int64_t flat) const { return row(flat / width)[flat % width]; }

    std::int64_t pixel_count() const { return height * width; }
};

}  // namespace toponet
