#include "arrays.hpp"
#include "bind.hpp"
#include "toponet/batch.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

MatchingMode to_matching_mode(const std::string& name) {
    if (name == "complete") return MatchingMode::complete;
    if (name == "wasserstein") return MatchingMode::wasserstein;
    if (name == "persistence") return MatchingMode::persistence;
    throw std::invalid_argument(
        "matching must be 'complete', 'wasserstein' or 'persistence', got '" + name + "'");
}

/// \param dots   (B, 2): how many dots at (1, 0) each truth has in each dimension.
/// \param essential_births  (B,): of the component that never dies.
template <class Value>
py::tuple binary_topological_loss(const Images<Value>& images,
                                  const py::array_t<std::int64_t, py::array::c_style>& dots,
                                  const py::array_t<double, py::array::c_style>& essential_births,
                                  bool dimension_0, bool dimension_1, int connectivity, bool frame,
                                  const std::string& matching, double min_persistence,
                                  int num_threads) {
    const FiltrationOptions filtration{dimension_0, dimension_1, to_connectivity(connectivity),
                                       frame, 1.0};
    const MatchingOptions options{to_matching_mode(matching), min_persistence};
    const auto image_views = views(images);
    const auto batch = static_cast<py::ssize_t>(image_views.size());
    if (dots.ndim() != 2 || dots.shape(0) != batch || dots.shape(1) != 2 ||
        essential_births.ndim() != 1 || essential_births.shape(0) != batch) {
        throw std::invalid_argument("expected dots (B, 2) and essential_births (B,)");
    }
    std::vector<BinaryTruth> truths(image_views.size());
    for (py::ssize_t i = 0; i < batch; ++i) {
        auto& truth = truths[static_cast<std::size_t>(i)];
        truth.dimension[0] = {dots.at(i, 0), essential_births.at(i)};
        truth.dimension[1] = {dots.at(i, 1), 0.0};
    }
    py::array_t<double> losses(batch);
    py::array_t<Value> gradient({batch, images.shape(1), images.shape(2)});
    double* const losses_data = losses.mutable_data();
    Value* const gradient_data = gradient.mutable_data();
    {
        const py::gil_scoped_release release;
        batch_topological_loss(image_views, truths, filtration, options, num_threads, gradient_data,
                               losses_data);
    }
    return py::make_tuple(losses, gradient);
}

template <class Value>
void define_loss(py::module_& module) {
    module.def("binary_topological_loss", &binary_topological_loss<Value>,
               py::arg("images").noconvert(), py::kw_only(), py::arg("dots").noconvert(),
               py::arg("essential_births").noconvert(), py::arg("dimension_0"),
               py::arg("dimension_1"), py::arg("connectivity"), py::arg("frame"),
               py::arg("matching"), py::arg("min_persistence"), py::arg("num_threads"));
}

}  // namespace

void bind_loss(py::module_& module) {
    define_loss<float>(module);
    define_loss<double>(module);
}

}  // namespace toponet
