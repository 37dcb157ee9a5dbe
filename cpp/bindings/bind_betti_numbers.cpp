#include "arrays.hpp"
#include "bind.hpp"
#include "options.hpp"
#include "toponet/persistence/batch.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

py::array_t<std::int64_t> betti_numbers(const Images<std::uint8_t>& masks, int connectivity,
                                        bool frame, int num_threads) {
    const Connectivity chosen = to_connectivity(connectivity);
    const auto mask_views = views(masks);
    std::vector<std::int64_t> table;
    {
        const py::gil_scoped_release release;
        for (const BettiNumbers& numbers :
             batch_betti_numbers(mask_views, chosen, frame, num_threads)) {
            table.push_back(numbers.components);
            table.push_back(numbers.holes);
        }
    }
    const auto rows = static_cast<py::ssize_t>(table.size() / 2);
    return to_array(std::move(table), {rows, 2});
}

}  // namespace

void bind_betti_numbers(py::module_& module) {
    module.def("betti_numbers", &betti_numbers, py::arg("masks").noconvert(), py::kw_only(),
               py::arg("connectivity"), py::arg("frame"), py::arg("num_threads"));
}

}  // namespace toponet
