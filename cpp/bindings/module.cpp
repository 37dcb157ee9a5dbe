// The extension's table of contents.
#include <pybind11/pybind11.h>

#include "bind.hpp"

PYBIND11_MODULE(_core, module) {
    module.doc() = "C++ persistence kernel of toponet. Private: use the functions of toponet.";
    toponet::bind_persistence(module);
    toponet::bind_segmentation(module);
    toponet::bind_dot_choice(module);
    toponet::bind_loss(module);
    toponet::bind_betti_numbers(module);
    toponet::bind_betti_matching(module);
    toponet::bind_volumes(module);
    toponet::bind_volume_loss(module);
}
