/// Bits of a word.
#pragma once

#include <cstdint>

namespace toponet {

/// Position of the lowest bit that is set; `word` must not be 0. One instruction.
inline std::int32_t lowest_bit(std::uint64_t word) { return __builtin_ctzll(word); }

/// Position of the highest bit that is set; `word` must not be 0.
inline std::int32_t highest_bit(std::uint64_t word) { return 63 - __builtin_clzll(word); }

}  // namespace toponet
