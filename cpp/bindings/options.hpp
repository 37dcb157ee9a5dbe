/// Options as Python passes them, to the kernel's.
#pragma once

#include <stdexcept>
#include <string>

#include "toponet/filtration/filtration.hpp"
#include "toponet/persistence/batch.hpp"
#include "toponet/volumes/volume_filtration.hpp"

namespace toponet {

inline Connectivity to_connectivity(int connectivity) {
    if (connectivity != 4 && connectivity != 8) {
        throw std::invalid_argument("connectivity must be 4 or 8, got " +
                                    std::to_string(connectivity));
    }
    return static_cast<Connectivity>(connectivity);
}

inline VolumeConnectivity to_volume_connectivity(int connectivity) {
    if (connectivity != 6 && connectivity != 26) {
        throw std::invalid_argument("connectivity must be 6 or 26, got " +
                                    std::to_string(connectivity));
    }
    return static_cast<VolumeConnectivity>(connectivity);
}

inline Algorithm to_algorithm(const std::string& name) {
    if (name == "union_find") return Algorithm::union_find;
    if (name == "reduction") return Algorithm::reduction;
    throw std::invalid_argument("algorithm must be 'union_find' or 'reduction', got '" + name +
                                "'");
}

}  // namespace toponet
