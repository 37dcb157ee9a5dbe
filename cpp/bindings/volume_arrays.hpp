/// Volumes of a batch as views, without copies.
#pragma once

#include "arrays.hpp"
#include "toponet/volumes/volume_view.hpp"

namespace toponet {

/// One view per volume of a (B, D, H, W) array.
template <class Value>
std::vector<VolumeView<Value>> volume_views(const Images<Value>& volumes) {
    if (volumes.ndim() != 4) throw std::invalid_argument("expected an array of shape (B, D, H, W)");
    const std::int64_t depth = volumes.shape(1);
    const std::int64_t height = volumes.shape(2);
    const std::int64_t width = volumes.shape(3);
    if (depth < 1 || height < 1 || width < 1) {
        throw std::invalid_argument("expected volumes with voxels");
    }
    std::vector<VolumeView<Value>> views;
    views.reserve(to_size(volumes.shape(0)));
    for (std::int64_t i = 0; i < volumes.shape(0); ++i) {
        views.push_back({volumes.data() + i * depth * height * width, depth, height, width,
                         height * width, width});
    }
    return views;
}

}  // namespace toponet
