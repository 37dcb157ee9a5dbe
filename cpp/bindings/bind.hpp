/// One function for each part of the extension.
#pragma once

#include <pybind11/pybind11.h>

namespace toponet {

void bind_persistence(pybind11::module_& module);
void bind_segmentation(pybind11::module_& module);
void bind_dot_choice(pybind11::module_& module);
void bind_loss(pybind11::module_& module);
void bind_betti_numbers(pybind11::module_& module);
void bind_betti_matching(pybind11::module_& module);
void bind_volumes(pybind11::module_& module);
void bind_volume_loss(pybind11::module_& module);

}  // namespace toponet
