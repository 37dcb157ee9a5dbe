#include <algorithm>

#include "arrays.hpp"
#include "bind.hpp"
#include "options.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/loss/topological_loss.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

using Whole = py::array_t<std::int64_t, py::array::c_style>;
using Real = py::array_t<double, py::array::c_style>;

MaskType to_mask_type(const py::dtype& dtype) {
    if (dtype.is(py::dtype::of<std::uint8_t>()) || dtype.is(py::dtype::of<bool>())) {
        return MaskType::uint8;
    }
    if (dtype.is(py::dtype::of<std::int32_t>())) return MaskType::int32;
    if (dtype.is(py::dtype::of<std::int64_t>())) return MaskType::int64;
    if (dtype.is(py::dtype::of<float>())) return MaskType::float32;
    if (dtype.is(py::dtype::of<double>())) return MaskType::float64;
    throw py::type_error("masks of dtype " + std::string(py::str(dtype)) + " can't be read");
}

/// One view per mask of a (B, H, W) array in C order.
std::vector<MaskView> mask_views(const py::array& masks, py::ssize_t batch, py::ssize_t height,
                                 py::ssize_t width) {
    if (masks.ndim() != 3 || masks.shape(0) != batch || masks.shape(1) != height ||
        masks.shape(2) != width || !(masks.flags() & py::array::c_style)) {
        throw std::invalid_argument("expected masks in C order, of the images' shape");
    }
    const MaskType type = to_mask_type(masks.dtype());
    std::vector<MaskView> views;
    const auto* data = static_cast<const char*>(masks.data());
    for (py::ssize_t i = 0; i < batch; ++i) {
        views.push_back({data + i * height * width * masks.itemsize(), type, width});
    }
    return views;
}

/// \param boxes  (P, 4): row, column, height, width of each patch.
std::vector<Box> to_boxes(const Whole& boxes, py::ssize_t batch, py::ssize_t height,
                          py::ssize_t width) {
    if (batch < 1 || boxes.ndim() != 2 || boxes.shape(1) != 4 || boxes.shape(0) < 1 ||
        boxes.shape(0) % batch != 0) {
        throw std::invalid_argument("expected boxes (P, 4), as many for each image");
    }
    std::vector<Box> result;
    for (py::ssize_t p = 0; p < boxes.shape(0); ++p) {
        const Box box{boxes.at(p, 0), boxes.at(p, 1), boxes.at(p, 2), boxes.at(p, 3)};
        // Written so that nothing can overflow.
        if (box.row < 0 || box.column < 0 || box.height < 1 || box.width < 1 ||
            box.height > height || box.row > height - box.height || box.width > width ||
            box.column > width - box.width) {
            throw std::invalid_argument("expected boxes within the images");
        }
        result.push_back(box);
    }
    return result;
}

/// \param dots  (P, 3): how many dots at (1, 0) each truth has in each dimension, and where its
///              component that never dies is born.
std::vector<BinaryTruth> to_truths(const Real& dots, std::size_t patches) {
    if (dots.ndim() != 2 || dots.shape(1) != 3 ||
        dots.shape(0) != static_cast<py::ssize_t>(patches)) {
        throw std::invalid_argument("expected dots (P, 3)");
    }
    constexpr double most = 1e9;  // Dots: an image has fewer pixels than that.
    std::vector<BinaryTruth> truths(patches);
    for (py::ssize_t p = 0; p < dots.shape(0); ++p) {
        const bool counts = dots.at(p, 0) >= 0 && dots.at(p, 0) < most && dots.at(p, 1) >= 0 &&
                            dots.at(p, 1) < most;
        if (!counts) throw std::invalid_argument("expected dots that are counts");
        auto& truth = truths[to_size(p)];
        truth.dimension[0] = {static_cast<std::int64_t>(dots.at(p, 0)), dots.at(p, 2)};
        truth.dimension[1] = {static_cast<std::int64_t>(dots.at(p, 1)), 0.0};
    }
    return truths;
}

/// Writes the gradient into the caller's array and returns the losses.
template <class Value>
py::array_t<double> binary_topological_loss(
    const Images<Value>& images, const py::object& masks, const py::object& dots,
    const Whole& boxes, const Real& patch_weights, bool patches_overlap,
    std::pair<bool, bool> dimensions, std::pair<double, double> dimension_weights, int connectivity,
    bool frame, const std::string& matching, double min_persistence, double unmatched_weight,
    const std::string& in_place_weight, bool in_place_extremes, int num_threads,
    Images<Value> gradient) {
    PatchBatch<Value> batch;
    batch.likelihoods = views(images);
    const py::ssize_t count = images.shape(0);
    batch.boxes = to_boxes(boxes, count, images.shape(1), images.shape(2));
    const auto patches = static_cast<py::ssize_t>(batch.boxes.size());
    Truths truths;
    if (masks.is_none()) {
        truths.diagrams = to_truths(dots.cast<Real>(), batch.boxes.size());
    } else {
        truths.masks = mask_views(masks.cast<py::array>(), count, images.shape(1), images.shape(2));
    }
    if (patch_weights.ndim() != 1 || patch_weights.shape(0) != patches) {
        throw std::invalid_argument("expected patch_weights (P,)");
    }
    batch.weights.assign(patch_weights.data(), patch_weights.data() + patches);
    batch.overlap = patches_overlap;
    std::int64_t covered = 0;
    for (const Box& box : batch.boxes) covered += box.pixel_count();
    if (!patches_overlap && covered != images.size()) {
        throw std::invalid_argument("expected boxes that cover the images, or patches_overlap");
    }
    if (gradient.ndim() != 3 ||
        !std::equal(gradient.shape(), gradient.shape() + 3, images.shape())) {
        throw std::invalid_argument("expected a gradient of the images' shape");
    }
    LossOptions options;
    options.filtration = {dimensions.first, dimensions.second, to_connectivity(connectivity), frame,
                          1.0};
    options.matching = matching;
    options.min_persistence = min_persistence;
    options.unmatched_weight = unmatched_weight;
    options.in_place_weight = in_place_weight;
    options.in_place_extremes = in_place_extremes;
    options.dimension_weights[0] = dimension_weights.first;
    options.dimension_weights[1] = dimension_weights.second;

    py::array_t<double> losses(count);
    double* const losses_data = losses.mutable_data();
    Value* const gradient_data = gradient.mutable_data();
    {
        const py::gil_scoped_release release;
        topological_loss(batch, truths, options, num_threads, gradient_data, losses_data);
    }
    return losses;
}

template <class Value>
void define_loss(py::module_& module) {
    module.def("binary_topological_loss", &binary_topological_loss<Value>,
               py::arg("images").noconvert(), py::kw_only(), py::arg("masks"), py::arg("dots"),
               py::arg("boxes").noconvert(), py::arg("patch_weights").noconvert(),
               py::arg("patches_overlap"), py::arg("dimensions"), py::arg("dimension_weights"),
               py::arg("connectivity"), py::arg("frame"), py::arg("matching"),
               py::arg("min_persistence"), py::arg("unmatched_weight"), py::arg("in_place_weight"),
               py::arg("in_place_extremes"), py::arg("num_threads"),
               py::arg("gradient").noconvert());
}

}  // namespace

void bind_loss(py::module_& module) {
    define_loss<float>(module);
    define_loss<double>(module);
}

}  // namespace toponet
