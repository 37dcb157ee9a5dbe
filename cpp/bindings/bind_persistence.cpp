#include <pybind11/stl.h>

#include <array>

#include "bind.hpp"
#include "diagram_arrays.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

template <class Value>
py::tuple persistence(const Images<Value>& images, const std::array<bool, 2>& dimensions,
                      int connectivity, bool frame, double frame_value,
                      const std::string& algorithm, int num_threads,
                      const std::pair<std::int64_t, std::int64_t>& tile) {
    const FiltrationOptions options{dimensions[0], dimensions[1], to_connectivity(connectivity),
                                    frame, frame_value};
    const Algorithm chosen = to_algorithm(algorithm);
    const auto image_views = views(images);
    BatchDiagrams<Value> diagrams;
    {
        const py::gil_scoped_release release;
        diagrams =
            batch_persistence(image_views, options, chosen, num_threads, {tile.first, tile.second});
    }
    return to_arrays(std::move(diagrams));
}

template <class Value>
void define_persistence(py::module_& module) {
    module.def("persistence", &persistence<Value>, py::arg("images").noconvert(), py::kw_only(),
               py::arg("dimensions"), py::arg("connectivity"), py::arg("frame"),
               py::arg("frame_value"), py::arg("algorithm"), py::arg("num_threads"),
               py::arg("tile") = std::pair<std::int64_t, std::int64_t>());
}

}  // namespace

void bind_persistence(py::module_& module) {
    define_persistence<float>(module);
    define_persistence<double>(module);
}

}  // namespace toponet
