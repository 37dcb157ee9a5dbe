/// A rectangle of an image.
#pragma once

#include <cstdint>

namespace toponet {

struct Box {
    std::int64_t row;
    std::int64_t column;
    std::int64_t height;
    std::int64_t width;

    std::int64_t pixel_count() const { return height * width; }
};

}  // namespace toponet
