/// What grows in one dimension of an image: pieces of the foreground, or of the background.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "toponet/basics/row_of.hpp"
#include "toponet/filtration/filtration.hpp"

namespace toponet {

/// A pixel number that stands for all that lies around the image.
inline constexpr std::int32_t outside_pixel = -1;

/// Up to eight neighbours of a pixel, and the outside.
struct Neighbours {
    std::array<std::int32_t, 9> pixels;
    std::size_t count = 0;

    void add(std::int32_t pixel) { pixels[count++] = pixel; }
    const std::int32_t* begin() const { return pixels.data(); }
    const std::int32_t* end() const { return pixels.data() + count; }
};

/// Holes are pieces of the background, which grows downwards; pieces of the foreground grow
/// upwards. So one code serves both dimensions.
template <class Value>
struct Side {
    const Value* values;  ///< Rows follow each other without gaps.
    std::int64_t height;
    std::int64_t width;
    Value threshold;
    int dimension;
    Connectivity connectivity;  ///< Of what grows.
    /// Whether the outside belongs to what grows: the frame to the foreground; without a frame, the
    /// outside to the background.
    bool outside_grows;
    double inverse_width = 1.0 / static_cast<double>(width);

    bool upwards() const { return dimension == 0; }
    Value value(std::int32_t pixel) const { return values[pixel]; }
    bool inside(std::int32_t pixel) const { return (value(pixel) >= threshold) == upwards(); }

    /// Whether a pixel enters before another one; the outside enters before all.
    bool before(std::int32_t a, std::int32_t b) const {
        if (a == outside_pixel || b == outside_pixel) return a == outside_pixel && a != b;
        return upwards() ? enters_before(value(a), a, value(b), b)
                         : enters_before(value(b), b, value(a), a);
    }

    bool at_border(std::int64_t row, std::int64_t column) const {
        return row == 0 || column == 0 || row == height - 1 || column == width - 1;
    }

    Neighbours near(std::int32_t pixel) const {
        const auto step = static_cast<std::int32_t>(width);
        const std::int32_t row = row_of(pixel, inverse_width);
        const std::int32_t column = pixel - row * step;
        Neighbours found;
        if (at_border(row, column)) {
            if (outside_grows) found.add(outside_pixel);
            const auto rows = static_cast<std::int32_t>(height);
            for (std::int32_t r = std::max(row - 1, 0); r <= std::min(row + 1, rows - 1); ++r) {
                for (std::int32_t c = std::max(column - 1, 0); c <= std::min(column + 1, step - 1);
                     ++c) {
                    const bool corner = r != row && c != column;
                    const bool itself = r == row && c == column;
                    if (itself || (corner && connectivity == Connectivity::four)) continue;
                    found.add(r * step + c);
                }
            }
            return found;
        }
        for (const std::int32_t offset : {-step, -1, 1, step}) found.add(pixel + offset);
        if (connectivity == Connectivity::eight) {
            for (const std::int32_t offset : {-step - 1, -step + 1, step - 1, step + 1}) {
                found.add(pixel + offset);
            }
        }
        return found;
    }

    /// The eight pixels around one, as a link: bit d says whether the one in direction d is in a
    /// set.
    /// \param outside  whether what lies around the image is in it.
    template <class InSet>
    unsigned link(std::int32_t pixel, bool outside, const InSet& in_set) const {
        constexpr std::array<int, 8> row_steps{-1, -1, 0, 1, 1, 1, 0, -1};
        constexpr std::array<int, 8> column_steps{0, 1, 1, 1, 0, -1, -1, -1};
        const std::int64_t row = row_of(pixel, inverse_width);
        const std::int64_t column = pixel - row * width;
        unsigned bits = 0;
        for (unsigned d = 0; d < 8; ++d) {
            const std::int64_t r = row + row_steps[d];
            const std::int64_t c = column + column_steps[d];
            const bool beyond = r < 0 || c < 0 || r >= height || c >= width;
            const bool is_in = beyond ? outside : in_set(static_cast<std::int32_t>(r * width + c));
            bits |= static_cast<unsigned>(is_in) << d;
        }
        return bits;
    }

    /// Neighbours that enter before the pixel, the first to enter first.
    Neighbours earlier(std::int32_t pixel) const {
        Neighbours found;
        for (const std::int32_t other : near(pixel)) {
            if (before(other, pixel)) found.add(other);
        }
        std::sort(found.pixels.begin(), found.pixels.begin() + found.count,
                  [&](std::int32_t a, std::int32_t b) { return before(a, b); });
        return found;
    }
};

}  // namespace toponet
