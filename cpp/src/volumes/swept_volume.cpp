#include "toponet/volumes/swept_volume.hpp"

#include <algorithm>
#include <limits>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/filtration/neighbourhood.hpp"
#include "toponet/filtration/padded_grid.hpp"

namespace toponet {
namespace {

/// Sets the bits of three neighbours in a row: those that enter before.
/// \param row    the row that is looked at, above the cell `values` begins with.
/// \param ties   whether an equal value enters before, per neighbour.
template <class Value, bool first_tie, bool second_tie, bool third_tie, bool with_second>
void compare_row(const Value* values, const Value* row, std::int64_t width, int shift,
                 Neighbours* upper) {
    for (std::int64_t x = 0; x < width; ++x) {
        const Value value = values[x];
        const auto before = [&](Value other, bool tie) -> Neighbours {
            return tie ? other >= value : other > value;
        };
        Neighbours bits = before(row[x - 1], first_tie) | before(row[x + 1], third_tie) << 2;
        if (with_second) bits |= before(row[x], second_tie) << 1;
        upper[x] |= bits << shift;
    }
}

}  // namespace

template <class Value>
void SweptVolume<Value>::load(const VolumeView<Value>& volume, const VolumeOptions& options) {
    depth_ = volume.depth;
    height_ = volume.height;
    width_ = volume.width;
    stride_ = width_ + 2;
    plane_ = stride_ * (height_ + 2);
    reversed_ = options.connectivity == VolumeConnectivity::twenty_six;
    outside_first_ = options.frame != reversed_;
    outside_value_ = outside_first_ ? std::numeric_limits<Value>::infinity()
                                    : -std::numeric_limits<Value>::infinity();
    for (int bit = 0; bit < 27; ++bit) {
        offsets_[to_size(bit)] = static_cast<std::int32_t>(
            (bit / 9 - 1) * plane_ + (bit / 3 % 3 - 1) * stride_ + bit % 3 - 1);
    }
    for (int face = 0; face < 6; ++face) {
        face_offsets_[to_size(face)] = offsets_[to_size(centre_bit + face_steps[to_size(face)])];
    }
    const std::size_t cells = to_size(plane_ * (depth_ + 2));
    resize_lean(values_, cells);
    resize_lean(upper_, cells);
    for_each_padding_cell([&](std::int32_t cell) {
        values_[to_size(cell)] = outside_value_;
        upper_[to_size(cell)] = 0;
    });
    copy(volume, options);
    compare_neighbours();
}

template <class Value>
void SweptVolume<Value>::copy(const VolumeView<Value>& volume, const VolumeOptions& options) {
    const Value limit = options.frame ? static_cast<Value>(options.frame_value)
                                      : std::numeric_limits<Value>::infinity();
    RowCheck all{true, true};
    for (std::int64_t z = 0; z < depth_; ++z) {
        for (std::int64_t y = 0; y < height_; ++y) {
            const std::int64_t plane = reversed_ ? depth_ - z : z + 1;
            const std::int64_t line = reversed_ ? height_ - y : y + 1;
            Value* cells = values_.data() + plane * plane_ + line * stride_ + 1;
            all.add(copy_row(volume.row(z, y), width_, limit, cells));
            if (!reversed_) continue;
            std::reverse(cells, cells + width_);
            for (std::int64_t x = 0; x < width_; ++x) cells[x] = -cells[x];
        }
    }
    require(all);
}

template <class Value>
void SweptVolume<Value>::compare_neighbours() {
    for_each_row([&](std::int32_t first, std::int32_t end) {
        const Value* values = values_.data() + first;
        Neighbours* upper = upper_.data() + first;
        const std::int64_t width = end - first;
        for (std::int64_t x = 0; x < width; ++x) upper[x] = 0;
        // Of equal values the smaller index enters first: those of bits below the centre.
        for (int bit = 0; bit < 12; bit += 3) {
            compare_row<Value, true, true, true, true>(values, values + offsets_[to_size(bit + 1)],
                                                       width, bit, upper);
        }
        compare_row<Value, true, false, false, false>(values, values, width, 12, upper);
        for (int bit = 15; bit < 27; bit += 3) {
            compare_row<Value, false, false, false, true>(
                values, values + offsets_[to_size(bit + 1)], width, bit, upper);
        }
    });
}

template <class Value>
std::int32_t SweptVolume<Value>::voxel(std::int32_t cell) const {
    const std::int64_t z = cell / plane_ - 1;
    const std::int64_t y = cell % plane_ / stride_ - 1;
    const std::int64_t x = cell % stride_ - 1;
    const std::int64_t index = (z * height_ + y) * width_ + x;
    return static_cast<std::int32_t>(reversed_ ? depth_ * height_ * width_ - 1 - index : index);
}

template class SweptVolume<float>;
template class SweptVolume<double>;

}  // namespace toponet
