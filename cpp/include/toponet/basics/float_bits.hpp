/// Floating point numbers as their bits.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace toponet {

template <class Value>
using BitsOf = std::conditional_t<sizeof(Value) == 4, std::uint32_t, std::uint64_t>;

template <class Value>
constexpr BitsOf<Value> sign_bit = BitsOf<Value>{1} << (8 * sizeof(Value) - 1);

template <class Value>
BitsOf<Value> to_bits(Value value) {
    BitsOf<Value> bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

template <class Value>
Value from_bits(BitsOf<Value> bits) {
    Value value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace toponet
