/// Signed counts and indices as std::size_t.
///
/// The numbers of pixels, cells and nodes are signed, because -1 and differences of numbers have a
/// meaning. The standard library indexes by std::size_t.
#pragma once

#include <cstddef>

namespace toponet {

/// \param number  at least 0.
template <class Number>
constexpr std::size_t to_size(Number number) {
    return static_cast<std::size_t>(number);
}

}  // namespace toponet
