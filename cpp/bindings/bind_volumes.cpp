#include <pybind11/stl.h>

#include <array>

#include "bind.hpp"
#include "diagram_arrays.hpp"
#include "options.hpp"
#include "toponet/volumes/volume_batch.hpp"
#include "volume_arrays.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

template <class Value>
py::tuple persistence(const Images<Value>& volumes, const std::array<bool, 3>& dimensions,
                      int connectivity, bool frame, double frame_value,
                      const std::string& algorithm, int num_threads) {
    const VolumeOptions options{dimensions, to_volume_connectivity(connectivity), frame,
                                frame_value};
    const Algorithm chosen = to_algorithm(algorithm);
    const auto views = volume_views(volumes);
    BatchDiagrams<Value> diagrams;
    {
        const py::gil_scoped_release release;
        diagrams = batch_volume_persistence(views, options, chosen, num_threads);
    }
    return to_arrays(std::move(diagrams));
}

template <class Value>
void define_persistence(py::module_& module) {
    module.def("volume_persistence", &persistence<Value>, py::arg("volumes").noconvert(),
               py::kw_only(), py::arg("dimensions"), py::arg("connectivity"), py::arg("frame"),
               py::arg("frame_value"), py::arg("algorithm"), py::arg("num_threads"));
}

py::array_t<std::int64_t> betti_numbers(const Images<std::uint8_t>& masks, int connectivity,
                                        bool frame, int num_threads) {
    const VolumeConnectivity chosen = to_volume_connectivity(connectivity);
    const auto views = volume_views(masks);
    std::vector<std::int64_t> table;
    {
        const py::gil_scoped_release release;
        for (const VolumeBettiNumbers& numbers :
             batch_volume_betti_numbers(views, chosen, frame, num_threads)) {
            table.insert(table.end(), {numbers.pieces, numbers.tunnels, numbers.cavities});
        }
    }
    const auto rows = static_cast<py::ssize_t>(table.size() / 3);
    return to_array(std::move(table), {rows, 3});
}

}  // namespace

void bind_volumes(py::module_& module) {
    define_persistence<float>(module);
    define_persistence<double>(module);
    module.def("volume_betti_numbers", &betti_numbers, py::arg("masks").noconvert(), py::kw_only(),
               py::arg("connectivity"), py::arg("frame"), py::arg("num_threads"));
}

}  // namespace toponet
