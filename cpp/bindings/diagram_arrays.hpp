/// Diagrams of a batch as numpy arrays.
#pragma once

#include "arrays.hpp"
#include "toponet/persistence/batch.hpp"

namespace toponet {

/// Values (n, 2), pixels (n, 2), dimensions (n) and splits (B + 1); their memory changes hands.
template <class Value>
pybind11::tuple to_arrays(BatchDiagrams<Value>&& diagrams) {
    const auto rows = static_cast<pybind11::ssize_t>(diagrams.dimensions.size());
    const auto splits = static_cast<pybind11::ssize_t>(diagrams.splits.size());
    return pybind11::make_tuple(to_array(std::move(diagrams.values), {rows, 2}),
                                to_array(std::move(diagrams.pixels), {rows, 2}),
                                to_array(std::move(diagrams.dimensions), {rows}),
                                to_array(std::move(diagrams.splits), {splits}));
}

}  // namespace toponet
