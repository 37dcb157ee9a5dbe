#include "bind.hpp"
#include "loss_arguments.hpp"
#include "options.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/loss/topological_loss.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

/// \param boxes  (P, 4): row, column, height, width of each patch.
std::vector<Box> to_boxes(const Whole& boxes, py::ssize_t batch, py::ssize_t height,
                          py::ssize_t width) {
    check_boxes(boxes, batch, 4);
    std::vector<Box> result;
    for (py::ssize_t p = 0; p < boxes.shape(0); ++p) {
        const Box box{boxes.at(p, 0), boxes.at(p, 1), boxes.at(p, 2), boxes.at(p, 3)};
        if (!lies_within(box.row, box.height, height) ||
            !lies_within(box.column, box.width, width)) {
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
    std::vector<BinaryTruth> truths(patches);
    for (py::ssize_t p = 0; p < dots.shape(0); ++p) {
        auto& truth = truths[to_size(p)];
        truth.dimension[0] = {to_count(dots.at(p, 0)), dots.at(p, 2)};
        truth.dimension[1] = {to_count(dots.at(p, 1)), 0.0};
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
    Truths truths;
    if (masks.is_none()) {
        truths.diagrams = to_truths(dots.cast<Real>(), batch.boxes.size());
    } else {
        truths.masks = mask_views(masks.cast<py::array>(), images);
    }
    std::int64_t covered = 0;
    for (const Box& box : batch.boxes) covered += box.pixel_count();
    check_arrays(images, gradient, patch_weights, batch.boxes.size(), patches_overlap, covered);
    batch.weights.assign(patch_weights.data(), patch_weights.data() + batch.boxes.size());
    batch.overlap = patches_overlap;
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
