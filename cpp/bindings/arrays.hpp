/// numpy arrays to views and back, without copies.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/image_view.hpp"

namespace toponet {

// No forcecast: a wrong dtype is a TypeError, never a silent copy. Python has checked dtype and
// shape, with a friendlier sentence.
template <class Value>
using Images = pybind11::array_t<Value, pybind11::array::c_style>;

/// One view per image of a (B, H, W) array.
template <class Value>
std::vector<ImageView<Value>> views(const Images<Value>& images) {
    if (images.ndim() != 3) throw std::invalid_argument("expected an array of shape (B, H, W)");
    const std::int64_t height = images.shape(1);
    const std::int64_t width = images.shape(2);
    if (height < 1 || width < 1) throw std::invalid_argument("expected images with pixels");
    std::vector<ImageView<Value>> result;
    result.reserve(to_size(images.shape(0)));
    for (std::int64_t i = 0; i < images.shape(0); ++i) {
        result.push_back({images.data() + i * height * width, height, width, width});
    }
    return result;
}

/// Hands a vector's memory to numpy; the array owns it.
template <class Element>
pybind11::array_t<Element> to_array(std::vector<Element>&& elements,
                                    std::vector<pybind11::ssize_t> shape) {
    auto owned = std::make_unique<std::vector<Element>>(std::move(elements));
    Element* const data = owned->data();
    pybind11::capsule owner(
        owned.get(), [](void* memory) { delete static_cast<std::vector<Element>*>(memory); });
    owned.release();
    return pybind11::array_t<Element>(std::move(shape), data, owner);
}

}  // namespace toponet
