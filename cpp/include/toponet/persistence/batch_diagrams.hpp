/// Diagrams of a batch of images or volumes.
#pragma once

#include <cstdint>
#include <vector>

namespace toponet {

/// Diagrams of a batch as flat arrays; rows splits[i] to splits[i + 1] are image (volume) i's.
template <class Value>
struct BatchDiagrams {
    std::vector<Value> values;            ///< (birth, death) per row; never dies = -infinity.
    std::vector<std::int32_t> pixels;     ///< (birth, death) per row; -1 = frame or never dies.
    std::vector<std::int8_t> dimensions;  ///< 0, 1, and 2 in volumes.
    std::vector<std::int64_t> splits;
};

}  // namespace toponet
