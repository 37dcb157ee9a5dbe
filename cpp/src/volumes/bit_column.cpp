#include "toponet/volumes/bit_column.hpp"

#include "toponet/basics/bits.hpp"

namespace toponet {

void BitColumn::reset(std::size_t rows) {
    std::size_t level = 0;
    std::size_t words = rows;
    do {
        words = (words + 63) / 64;
        if (levels_.size() == level) levels_.emplace_back();
        levels_[level++].assign(words, 0);
    } while (words > 1);
    levels_.resize(level);
}

std::int32_t BitColumn::largest() const {
    std::size_t place = 0;
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
        const std::uint64_t word = level->empty() ? 0 : (*level)[place];
        if (word == 0) return none;
        place = place << 6 | to_size(highest_bit(word));
    }
    return static_cast<std::int32_t>(place);
}

}  // namespace toponet
