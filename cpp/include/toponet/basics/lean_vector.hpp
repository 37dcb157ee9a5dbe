/// Resizing workspace that is kept from image to image.
#pragma once

#include <cstddef>
#include <vector>

namespace toponet {

/// Grows by an eighth more than is asked for. std::vector doubles, which on large images would
/// double the workspace for one saddle more than last time.
template <class Element>
void reserve_lean(std::vector<Element>& elements, std::size_t size) {
    if (elements.capacity() < size) elements.reserve(size + size / 8);
}

/// Elements keep their values; new ones are zero.
template <class Element>
void resize_lean(std::vector<Element>& elements, std::size_t size) {
    reserve_lean(elements, size);
    elements.resize(size);
}

/// All elements zero. Clears first: growing would copy what is overwritten anyway.
template <class Element>
void assign_zeros_lean(std::vector<Element>& elements, std::size_t size) {
    elements.clear();
    resize_lean(elements, size);
}

}  // namespace toponet
