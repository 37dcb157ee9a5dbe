/// Resizing workspace that is kept from image to image.
#pragma once

#include <cstddef>
#include <vector>

namespace toponet {

/// Reserves an eighth more than is asked for. std::vector would double its memory: one saddle more
/// than in the last image would then double the workspace.
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

/// Sets all elements to zero. Clears the vector first, because growing it would copy elements that
/// are overwritten anyway.
template <class Element>
void assign_zeros_lean(std::vector<Element>& elements, std::size_t size) {
    elements.clear();
    resize_lean(elements, size);
}

}  // namespace toponet
