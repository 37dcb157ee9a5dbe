/// What the losses of images and of volumes take alike.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "toponet/filtration/mask_view.hpp"

namespace toponet {

using Whole = pybind11::array_t<std::int64_t, pybind11::array::c_style>;
using Real = pybind11::array_t<double, pybind11::array::c_style>;

inline MaskType to_mask_type(const pybind11::dtype& dtype) {
    if (dtype.is(pybind11::dtype::of<std::uint8_t>()) || dtype.is(pybind11::dtype::of<bool>())) {
        return MaskType::uint8;
    }
    if (dtype.is(pybind11::dtype::of<std::int32_t>())) return MaskType::int32;
    if (dtype.is(pybind11::dtype::of<std::int64_t>())) return MaskType::int64;
    if (dtype.is(pybind11::dtype::of<float>())) return MaskType::float32;
    if (dtype.is(pybind11::dtype::of<double>())) return MaskType::float64;
    throw pybind11::type_error("masks of dtype " + std::string(pybind11::str(dtype)) +
                               " can't be read");
}

/// One view per mask of an array in C order, of the likelihoods' shape; the planes of a volume lie
/// one below the other.
inline std::vector<MaskView> mask_views(const pybind11::array& masks,
                                        const pybind11::array& likelihoods) {
    if (masks.ndim() != likelihoods.ndim() ||
        !std::equal(masks.shape(), masks.shape() + masks.ndim(), likelihoods.shape()) ||
        !(masks.flags() & pybind11::array::c_style)) {
        throw std::invalid_argument("expected masks in C order, of the images' shape");
    }
    const MaskType type = to_mask_type(masks.dtype());
    const pybind11::ssize_t count = masks.shape(0);
    const pybind11::ssize_t step = count == 0 ? 0 : masks.size() / count * masks.itemsize();
    std::vector<MaskView> views;
    const auto* data = static_cast<const char*>(masks.data());
    for (pybind11::ssize_t i = 0; i < count; ++i) {
        views.push_back({data + i * step, type, masks.shape(masks.ndim() - 1)});
    }
    return views;
}

/// The gradient must have the likelihoods' shape, patches one weight each, and patches that don't
/// overlap must cover everything.
/// \param covered  pixels of all patches together.
inline void check_arrays(const pybind11::array& likelihoods, const pybind11::array& gradient,
                         const Real& patch_weights, std::size_t patches, bool patches_overlap,
                         std::int64_t covered) {
    if (patch_weights.ndim() != 1 ||
        patch_weights.shape(0) != static_cast<pybind11::ssize_t>(patches)) {
        throw std::invalid_argument("expected patch_weights (P,)");
    }
    if (!patches_overlap && covered != likelihoods.size()) {
        throw std::invalid_argument("expected boxes that cover the images, or patches_overlap");
    }
    if (gradient.ndim() != likelihoods.ndim() ||
        !std::equal(gradient.shape(), gradient.shape() + gradient.ndim(), likelihoods.shape())) {
        throw std::invalid_argument("expected a gradient of the images' shape");
    }
}

/// Patches (P, n) of a batch: as many for each image.
inline void check_boxes(const Whole& boxes, pybind11::ssize_t batch, pybind11::ssize_t columns) {
    if (batch < 1 || boxes.ndim() != 2 || boxes.shape(1) != columns || boxes.shape(0) < 1 ||
        boxes.shape(0) % batch != 0) {
        throw std::invalid_argument("expected boxes (P, " + std::to_string(columns) +
                                    "), as many for each image");
    }
}

/// Whether a patch lies within a side. Written so that nothing can overflow.
inline bool lies_within(std::int64_t first, std::int64_t length, std::int64_t side) {
    return first >= 0 && length >= 1 && length <= side && first <= side - length;
}

/// A number of dots. \throws std::invalid_argument unless it is a count.
inline std::int64_t to_count(double dots) {
    constexpr double most = 1e9;  // An image has fewer pixels than that.
    if (!(dots >= 0 && dots < most)) throw std::invalid_argument("expected dots that are counts");
    return static_cast<std::int64_t>(dots);
}

}  // namespace toponet
