/// What the textbook's engines need of an image or volume: its values in order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/filtration.hpp"

namespace toponet {

/// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
template <class View, class Options>
void refuse_unordered_values(const View& image, const Options& options) {
    const auto frame_value = static_cast<decltype(image.at(0))>(options.frame_value);
    for (std::int64_t i = 0; i < image.pixel_count(); ++i) {
        if (!std::isfinite(image.at(i))) {
            throw std::invalid_argument("holds NaN or an infinite value");
        }
    }
    for (std::int64_t i = 0; options.frame && i < image.pixel_count(); ++i) {
        if (image.at(i) > frame_value) {
            throw std::invalid_argument("holds a value above frame_value");
        }
    }
}

/// The rank of each pixel in the filtration, by flat index.
template <class View>
std::vector<std::int32_t> ranks_of(const View& image) {
    std::vector<std::int32_t> order(to_size(image.pixel_count()));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        return enters_before(image.at(a), a, image.at(b), b);
    });
    std::vector<std::int32_t> ranks(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
        ranks[to_size(order[k])] = static_cast<std::int32_t>(k);
    }
    return ranks;
}

}  // namespace toponet
