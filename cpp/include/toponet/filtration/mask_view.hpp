/// A borrowed view of a binary mask, whose pixels may be of one of several types.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/filtration/box.hpp"

namespace toponet {

enum class MaskType { uint8, int32, int64, float32, float64 };

/// Rows follow each other without gaps.
struct MaskView {
    const void* data;
    MaskType type;
    std::int64_t width;
};

/// Copies a rectangle of the mask as bytes 0 and 1, one row after the other.
/// \throws std::invalid_argument if the rectangle holds anything but 0 and 1.
void copy_mask(const MaskView& mask, const Box& box, std::vector<std::uint8_t>& bytes);
/// \param bytes  room for the rectangle.
void copy_mask(const MaskView& mask, const Box& box, std::uint8_t* bytes);

}  // namespace toponet
