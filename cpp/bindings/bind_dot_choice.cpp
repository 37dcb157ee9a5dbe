#include "arrays.hpp"
#include "bind.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/loss/dot_choice.hpp"

namespace py = pybind11;

namespace toponet {
namespace {

MatchingMode to_matching_mode(const std::string& name) {
    if (name == "complete") return MatchingMode::complete;
    if (name == "wasserstein") return MatchingMode::wasserstein;
    if (name == "persistence") return MatchingMode::persistence;
    throw std::invalid_argument("no choice of dots is called '" + name + "'");
}

/// \param dots  (n, 2): birth and death. \return (n,): whether each is chosen.
py::array_t<bool> choose_dots(const py::array_t<double, py::array::c_style>& dots,
                              std::pair<double, double> target, std::int64_t targets,
                              const std::string& matching) {
    if (dots.ndim() != 2 || dots.shape(1) != 2 || targets < 0) {
        throw std::invalid_argument("expected dots (n, 2) and a number of targets");
    }
    DotChoice choice;
    const auto dot_at = [&](std::size_t i) {
        return Dot{dots.at(i, std::size_t(0)), dots.at(i, std::size_t(1))};
    };
    choice.choose(to_size(dots.shape(0)), dot_at, {target.first, target.second}, targets,
                  to_matching_mode(matching));
    py::array_t<bool> chosen(dots.shape(0));
    bool* const each = chosen.mutable_data();
    for (py::ssize_t i = 0; i < dots.shape(0); ++i) each[i] = choice.is_chosen(to_size(i));
    return chosen;
}

}  // namespace

void bind_dot_choice(py::module_& module) {
    module.def("choose_dots", &choose_dots, py::arg("dots").noconvert(), py::kw_only(),
               py::arg("target"), py::arg("targets"), py::arg("matching"));
}

}  // namespace toponet
