#include <algorithm>

#include "bind.hpp"
#include "diagram_arrays.hpp"
#include "options.hpp"
#include "toponet/betti_matching/batch.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

template <class Value>
py::tuple betti_matching(const Images<Value>& f, const Images<Value>& g, bool dimension_0,
                         bool dimension_1, int connectivity, bool frame, double frame_value,
                         int num_threads) {
    const FiltrationOptions options{dimension_0, dimension_1, to_connectivity(connectivity), frame,
                                    frame_value};
    const auto views_f = views(f);
    const auto views_g = views(g);
    if (!std::equal(f.shape(), f.shape() + 3, g.shape())) {
        throw std::invalid_argument("expected images of one shape");
    }
    BatchMatching<Value> matching;
    {
        const py::gil_scoped_release release;
        matching = batch_betti_matching(views_f, views_g, options, num_threads);
    }
    const auto pairs = static_cast<py::ssize_t>(matching.partners.size() / 2);
    const auto splits = static_cast<py::ssize_t>(matching.splits.size());
    return py::make_tuple(to_arrays(std::move(matching.f)), to_arrays(std::move(matching.g)),
                          to_array(std::move(matching.partners), {pairs, 2}),
                          to_array(std::move(matching.splits), {splits}));
}

/// (B, 2, 3): matched, only in f, only in g; of each dimension.
py::array_t<std::int64_t> betti_matching_counts(const Images<std::uint8_t>& f,
                                                const Images<std::uint8_t>& g, int connectivity,
                                                bool frame, int num_threads) {
    const Connectivity chosen = to_connectivity(connectivity);
    const auto views_f = views(f);
    const auto views_g = views(g);
    if (!std::equal(f.shape(), f.shape() + 3, g.shape())) {
        throw std::invalid_argument("expected masks of one shape");
    }
    std::vector<std::int64_t> table;
    {
        const py::gil_scoped_release release;
        for (const MaskCounts& counts :
             batch_betti_matching_counts(views_f, views_g, chosen, frame, num_threads)) {
            for (const FeatureCounts& features : counts.dimension) {
                table.insert(table.end(), {features.matched, features.only_f, features.only_g});
            }
        }
    }
    return to_array(std::move(table), {f.shape(0), 2, 3});
}

template <class Value>
void define_betti_matching(py::module_& module) {
    module.def("betti_matching", &betti_matching<Value>, py::arg("f").noconvert(),
               py::arg("g").noconvert(), py::kw_only(), py::arg("dimension_0"),
               py::arg("dimension_1"), py::arg("connectivity"), py::arg("frame"),
               py::arg("frame_value"), py::arg("num_threads"));
}

}  // namespace

void bind_betti_matching(py::module_& module) {
    define_betti_matching<float>(module);
    define_betti_matching<double>(module);
    module.def("betti_matching_counts", &betti_matching_counts, py::arg("f").noconvert(),
               py::arg("g").noconvert(), py::kw_only(), py::arg("connectivity"), py::arg("frame"),
               py::arg("num_threads"));
}

}  // namespace toponet
