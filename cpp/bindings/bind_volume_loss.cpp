#include <pybind11/stl.h>

#include <array>

#include "bind.hpp"
#include "loss_arguments.hpp"
#include "options.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/volumes/volume_loss.hpp"
#include "volume_arrays.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

/// \param boxes  (P, 6): plane, row, column, depth, height, width of each patch.
std::vector<VolumeBox> to_boxes(const Whole& boxes, const py::array& volumes) {
    check_boxes(boxes, volumes.shape(0), 6);
    std::vector<VolumeBox> result;
    for (py::ssize_t p = 0; p < boxes.shape(0); ++p) {
        const VolumeBox box{boxes.at(p, 0), boxes.at(p, 1), boxes.at(p, 2),
                            boxes.at(p, 3), boxes.at(p, 4), boxes.at(p, 5)};
        if (!lies_within(box.plane, box.depth, volumes.shape(1)) ||
            !lies_within(box.row, box.height, volumes.shape(2)) ||
            !lies_within(box.column, box.width, volumes.shape(3))) {
            throw std::invalid_argument("expected boxes within the volumes");
        }
        result.push_back(box);
    }
    return result;
}

/// \param dots  (P, 4): how many dots at (1, 0) each truth has in each dimension, and where its
///              piece that never dies is born.
std::vector<VolumeTruth> to_truths(const Real& dots, std::size_t patches) {
    if (dots.ndim() != 2 || dots.shape(1) != 4 ||
        dots.shape(0) != static_cast<py::ssize_t>(patches)) {
        throw std::invalid_argument("expected dots (P, 4)");
    }
    std::vector<VolumeTruth> truths(patches);
    for (py::ssize_t p = 0; p < dots.shape(0); ++p) {
        auto& dimension = truths[to_size(p)].dimension;
        dimension[0] = {to_count(dots.at(p, 0)), dots.at(p, 3)};
        dimension[1] = {to_count(dots.at(p, 1)), 0.0};
        dimension[2] = {to_count(dots.at(p, 2)), 0.0};
    }
    return truths;
}

/// Writes the gradient into the caller's array and returns the losses.
template <class Value>
py::array_t<double> binary_topological_loss(const Images<Value>& volumes, const py::object& masks,
                                            const py::object& dots, const Whole& boxes,
                                            const Real& patch_weights, bool patches_overlap,
                                            const std::array<bool, 3>& dimensions,
                                            const std::array<double, 3>& dimension_weights,
                                            int connectivity, bool frame,
                                            const std::string& matching, double min_persistence,
                                            int num_threads, Images<Value> gradient) {
    VolumePatchBatch<Value> batch;
    batch.likelihoods = volume_views(volumes);
    batch.boxes = to_boxes(boxes, volumes);
    VolumeTruths truths;
    truths.height = volumes.shape(2);
    if (masks.is_none()) {
        truths.diagrams = to_truths(dots.cast<Real>(), batch.boxes.size());
    } else {
        truths.masks = mask_views(masks.cast<py::array>(), volumes);
    }
    std::int64_t covered = 0;
    for (const VolumeBox& box : batch.boxes) covered += box.pixel_count();
    check_arrays(volumes, gradient, patch_weights, batch.boxes.size(), patches_overlap, covered);
    batch.weights.assign(patch_weights.data(), patch_weights.data() + batch.boxes.size());
    batch.overlap = patches_overlap;
    VolumeLossOptions options;
    options.filtration = {dimensions, to_volume_connectivity(connectivity), frame, 1.0};
    options.matching = matching;
    options.min_persistence = min_persistence;
    options.dimension_weights = dimension_weights;

    py::array_t<double> losses(volumes.shape(0));
    double* const losses_data = losses.mutable_data();
    Value* const gradient_data = gradient.mutable_data();
    {
        const py::gil_scoped_release release;
        volume_topological_loss(batch, truths, options, num_threads, gradient_data, losses_data);
    }
    return losses;
}

template <class Value>
void define_loss(py::module_& module) {
    module.def("volume_topological_loss", &binary_topological_loss<Value>,
               py::arg("volumes").noconvert(), py::kw_only(), py::arg("masks"), py::arg("dots"),
               py::arg("boxes").noconvert(), py::arg("patch_weights").noconvert(),
               py::arg("patches_overlap"), py::arg("dimensions"), py::arg("dimension_weights"),
               py::arg("connectivity"), py::arg("frame"), py::arg("matching"),
               py::arg("min_persistence"), py::arg("num_threads"), py::arg("gradient").noconvert());
}

}  // namespace

void bind_volume_loss(py::module_& module) {
    define_loss<float>(module);
    define_loss<double>(module);
}

}  // namespace toponet
