#include "toponet/neighbourhood.hpp"

// One binary, the best instructions of the machine: the loop is compiled twice and chosen at load
// time. Only exact comparisons, so every version gives the same bits. Sanitizers run before such a
// choice can be made, and do without.
#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TOPONET_MULTIVERSIONED __attribute__((target_clones("avx2", "default")))
#else
#define TOPONET_MULTIVERSIONED
#endif

namespace toponet {
namespace {

/// Ties go to the smaller index: neighbours north and west of a pixel come before it already when
/// they are equal, the others only when they are larger.
template <class Value>
inline __attribute__((always_inline)) void upper_links_of_row(const Value* above, const Value* row,
                                                              const Value* below,
                                                              std::int64_t width,
                                                              std::uint8_t* links) {
    for (std::int64_t c = 0; c < width; ++c) {
        const Value value = row[c];
        unsigned link = 0;
        link |= above[c] >= value ? 1u << north : 0u;
        link |= above[c + 1] >= value ? 1u << north_east : 0u;
        link |= row[c + 1] > value ? 1u << east : 0u;
        link |= below[c + 1] > value ? 1u << south_east : 0u;
        link |= below[c] > value ? 1u << south : 0u;
        link |= below[c - 1] > value ? 1u << south_west : 0u;
        link |= row[c - 1] >= value ? 1u << west : 0u;
        link |= above[c - 1] >= value ? 1u << north_west : 0u;
        links[c] = static_cast<std::uint8_t>(link);
    }
}

}  // namespace

TOPONET_MULTIVERSIONED
void upper_links(const float* above, const float* row, const float* below, std::int64_t width,
                 std::uint8_t* links) {
    upper_links_of_row(above, row, below, width, links);
}

TOPONET_MULTIVERSIONED
void upper_links(const double* above, const double* row, const double* below, std::int64_t width,
                 std::uint8_t* links) {
    upper_links_of_row(above, row, below, width, links);
}

}  // namespace toponet
