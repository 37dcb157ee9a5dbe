#include "toponet/filtration/neighbourhood.hpp"

// The loops are compiled twice, with and without AVX2. The machine's version is chosen when the
// library is loaded. Both versions give the same bits, because the loops hold only exact
// comparisons and bit operations. Under sanitizers there is one version: they start before the
// choice is made.
#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TOPONET_MULTIVERSIONED __attribute__((target_clones("avx2", "default")))
#else
#define TOPONET_MULTIVERSIONED
#endif

// Into each of the versions, else the loops would be compiled for the plain machine only.
#if defined(__GNUC__)
#define TOPONET_INLINED inline __attribute__((always_inline))
#else
#define TOPONET_INLINED inline
#endif

namespace toponet {
namespace {

/// Ties go to the smaller index: neighbours north and west of a pixel come before it already when
/// they are equal, the others only when they are larger.
template <class Value>
TOPONET_INLINED void find_links(const Value* cells, std::int64_t stride, std::int64_t count,
                                std::uint8_t* links) {
    const Value* above = cells - stride;
    const Value* below = cells + stride;
    for (std::int64_t i = 0; i < count; ++i) {
        const Value value = cells[i];
        unsigned link = 0;
        link |= above[i] >= value ? 1u << north : 0u;
        link |= above[i + 1] >= value ? 1u << north_east : 0u;
        link |= cells[i + 1] > value ? 1u << east : 0u;
        link |= below[i + 1] > value ? 1u << south_east : 0u;
        link |= below[i] > value ? 1u << south : 0u;
        link |= below[i - 1] > value ? 1u << south_west : 0u;
        link |= cells[i - 1] >= value ? 1u << west : 0u;
        link |= above[i - 1] >= value ? 1u << north_west : 0u;
        links[i] = static_cast<std::uint8_t>(link);
    }
}

/// Flags are whole numbers, not bools: the compiler can then collect eight of them at a time.
template <class Value>
TOPONET_INLINED RowCheck copy_and_check(const Value* source, std::int64_t count, Value limit,
                                        Value* target) {
    unsigned not_finite = 0;
    unsigned above_limit = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const Value value = source[i];
        target[i] = value;
        not_finite |= value - value == Value(0) ? 0u : 1u;
        above_limit |= value > limit ? 1u : 0u;
    }
    return {not_finite == 0, above_limit == 0};
}

}  // namespace

TOPONET_MULTIVERSIONED
RowCheck copy_row(const float* source, std::int64_t count, float limit, float* target) {
    return copy_and_check(source, count, limit, target);
}

TOPONET_MULTIVERSIONED
RowCheck copy_row(const double* source, std::int64_t count, double limit, double* target) {
    return copy_and_check(source, count, limit, target);
}

TOPONET_MULTIVERSIONED
void find_upper_links(const float* cells, std::int64_t stride, std::int64_t count,
                      std::uint8_t* links) {
    find_links(cells, stride, count, links);
}

TOPONET_MULTIVERSIONED
void find_upper_links(const double* cells, std::int64_t stride, std::int64_t count,
                      std::uint8_t* links) {
    find_links(cells, stride, count, links);
}

/// A cell is regular if its 8-connected link is one arc: the link begins in exactly one place. All
/// numbers are bytes, so that the compiler can take 16 or 32 cells at a time.
TOPONET_MULTIVERSIONED
void mark_critical(const std::uint8_t* links, std::int64_t count, Connectivity connectivity,
                   std::uint8_t* marks) {
    const std::uint8_t flip = connectivity == Connectivity::eight ? 0 : 0xFF;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto link = static_cast<std::uint8_t>(links[i] ^ flip);
        const auto left = static_cast<std::uint8_t>(link << 1 | link >> 7);
        const auto right = static_cast<std::uint8_t>(link >> 1 | link << 7);
        const auto arcs = static_cast<std::uint8_t>(link | (left & right & 0xAA));
        const auto shifted = static_cast<std::uint8_t>(arcs << 1 | arcs >> 7);
        const auto begins = static_cast<std::uint8_t>(arcs & ~shifted);
        const auto more = static_cast<std::uint8_t>(begins & (begins - 1));
        marks[i] = static_cast<std::uint8_t>((begins == 0) | (more != 0));
    }
}

}  // namespace toponet
