/// Bits of a word.
#pragma once

#include <cstdint>
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace toponet {

/// Position of the lowest bit that is set; `word` must not be 0. One instruction.
inline std::int32_t lowest_bit(std::uint64_t word) {
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long position;
    _BitScanForward64(&position, word);
    return static_cast<std::int32_t>(position);
#else
    return __builtin_ctzll(word);
#endif
}

}  // namespace toponet
