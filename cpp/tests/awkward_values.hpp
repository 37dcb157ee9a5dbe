/// Random grey levels for tests.
#pragma once

#include <limits>
#include <random>

namespace toponet {

/// Grey levels that are easy to get wrong: both zeros, denormals, neighbours, equal values.
template <class Value>
Value awkward_value(std::mt19937_64& random, unsigned levels) {
    constexpr Value tiny = std::numeric_limits<Value>::denorm_min();
    constexpr Value step = std::numeric_limits<Value>::epsilon() / 2;
    const Value awkward[] = {0,     Value(-0.0),
                             tiny,  2 * tiny,
                             -tiny, Value(1) - step,
                             1,     Value(0.5),
                             -1,    std::numeric_limits<Value>::lowest() / 4,
                             step,  Value(1) / 3};
    const auto choice = random() % 8;
    if (choice == 0) return awkward[random() % (sizeof awkward / sizeof *awkward)];
    return static_cast<Value>(random() % levels) / static_cast<Value>(levels);
}

}  // namespace toponet
