/// Stable sort of floating point keys in descending order, by their bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/float_bits.hpp"
#include "toponet/basics/lean_vector.hpp"

namespace toponet {

/// Bits whose ascending order is the descending order of the values; -0.0 equals 0.0.
template <class Value>
auto descending_bits(Value value) {
    constexpr BitsOf<Value> sign = sign_bit<Value>;
    value += Value(0);  // Turns -0.0 into 0.0.
    const BitsOf<Value> bits = to_bits(value);
    return bits & sign ? bits : static_cast<BitsOf<Value>>(~(bits | sign));
}

/// Sorts items by item.bits, ascending; items with equal bits keep their order.
///
/// A digit is one byte. A digit that is the same in all items needs no pass. So values of a narrow
/// range, or of few levels, need few passes; binary values need two.
///
/// A few hundred items are the rule. With wider digits, clearing the counters would take longer
/// than the passes that are saved.
template <class Item>
void radix_sort(std::vector<Item>& items, std::vector<Item>& scratch) {
    constexpr std::size_t digits = sizeof(Item::bits);
    const std::size_t count = items.size();
    std::array<std::array<std::uint32_t, 256>, digits> counts{};
    for (const Item& item : items) {
        for (std::size_t d = 0; d < digits; ++d) ++counts[d][item.bits >> (8 * d) & 0xFF];
    }
    resize_lean(scratch, count);
    for (std::size_t d = 0; d < digits; ++d) {
        auto& positions = counts[d];
        if (count == 0 || positions[items[0].bits >> (8 * d) & 0xFF] == count) continue;
        std::uint32_t position = 0;
        for (std::uint32_t& entry : positions) {
            const std::uint32_t size = entry;
            entry = position;
            position += size;
        }
        for (const Item& item : items) {
            scratch[positions[item.bits >> (8 * d) & 0xFF]++] = item;
        }
        items.swap(scratch);
    }
}

}  // namespace toponet
