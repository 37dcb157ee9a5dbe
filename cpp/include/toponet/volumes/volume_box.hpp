/// A cuboid of a volume.
#pragma once

#include <cstdint>

namespace toponet {

struct VolumeBox {
    std::int64_t plane;
    std::int64_t row;
    std::int64_t column;
    std::int64_t depth;
    std::int64_t height;
    std::int64_t width;

    std::int64_t pixel_count() const { return depth * height * width; }
};

}  // namespace toponet
