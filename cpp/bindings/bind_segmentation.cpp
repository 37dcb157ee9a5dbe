#include "arrays.hpp"
#include "bind.hpp"
#include "options.hpp"
#include "toponet/segmentation/segmentation.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

/// The decisions of all images, row after row.
py::tuple to_arrays(const std::vector<Decisions>& images) {
    std::vector<double> ends, costs;
    std::vector<std::int32_t> pixels, changed;
    std::vector<std::int8_t> dimensions, actions;
    std::vector<std::int64_t> changed_splits{0}, splits{0}, counts;
    for (const Decisions& decisions : images) {
        for (const Decision& row : decisions.rows) {
            ends.insert(ends.end(), {row.birth, row.death});
            pixels.insert(pixels.end(), {row.birth_pixel, row.death_pixel});
            costs.push_back(row.cost);
            dimensions.push_back(row.dimension);
            actions.push_back(row.action);
            changed_splits.push_back(changed_splits.back() + row.changed);
        }
        changed.insert(changed.end(), decisions.pixels.begin(), decisions.pixels.end());
        splits.push_back(static_cast<std::int64_t>(dimensions.size()));
        counts.insert(counts.end(), {decisions.remainder.kept, decisions.remainder.undivided});
    }
    const auto rows = static_cast<py::ssize_t>(dimensions.size());
    const auto images_count = static_cast<py::ssize_t>(images.size());
    const auto changed_count = static_cast<py::ssize_t>(changed.size());
    return py::make_tuple(
        to_array(std::move(ends), {rows, 2}), to_array(std::move(pixels), {rows, 2}),
        to_array(std::move(dimensions), {rows}), to_array(std::move(actions), {rows}),
        to_array(std::move(costs), {rows}), to_array(std::move(changed), {changed_count}),
        to_array(std::move(changed_splits), {rows + 1}),
        to_array(std::move(splits), {images_count + 1}),
        to_array(std::move(counts), {images_count, 2}));
}

template <class Value>
py::tuple segment(const Images<Value>& images, double threshold, double keep, double add,
                  bool dimension_0, bool dimension_1, int connectivity, bool frame, int num_threads,
                  const std::pair<std::int64_t, std::int64_t>& tile) {
    const SegmentationOptions options{
        dimension_0, dimension_1, to_connectivity(connectivity), frame,
        threshold,   {keep, add}, {tile.first, tile.second}};
    const auto image_views = views(images);
    const std::vector<py::ssize_t> shape(images.shape(), images.shape() + images.ndim());
    py::array_t<Value> settled(shape);
    py::array_t<std::int32_t> cells(shape);
    std::vector<Decisions> decisions;
    {
        Value* const values = settled.mutable_data();
        std::int32_t* const numbers = cells.mutable_data();
        const py::gil_scoped_release release;
        decisions = batch_segmentation(image_views, options, values, numbers, num_threads);
    }
    return py::make_tuple(settled, cells) + to_arrays(decisions);
}

template <class Value>
void define_segment(py::module_& module) {
    module.def("segment", &segment<Value>, py::arg("images").noconvert(), py::kw_only(),
               py::arg("threshold"), py::arg("keep"), py::arg("add"), py::arg("dimension_0"),
               py::arg("dimension_1"), py::arg("connectivity"), py::arg("frame"),
               py::arg("num_threads"), py::arg("tile") = std::pair<std::int64_t, std::int64_t>());
}

}  // namespace

void bind_segmentation(py::module_& module) {
    define_segment<float>(module);
    define_segment<double>(module);
}

}  // namespace toponet
