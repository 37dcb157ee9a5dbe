/// A volume as its sweep sees it: padded by one voxel on each side, with the upper neighbours of
/// every voxel.
///
/// The engine sweeps a 6-connected set whose complement is 26-connected. With connectivity 6 that
/// set is the foreground, from the largest value down. With connectivity 26 it is the background,
/// from the smallest value up: the volume is loaded with its signs and its order of indices
/// reversed, so that the sweep is the same. Pieces and cavities then change places, and so do
/// births and deaths (Alexander duality).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/volumes/volume_filtration.hpp"
#include "toponet/volumes/volume_view.hpp"
#include "toponet/volumes/voxel_link.hpp"

namespace toponet {

template <class Value>
class SweptVolume {
  public:
    /// Copies the volume and compares all neighbours.
    /// \throws std::invalid_argument if a value is not finite or lies above the frame's value.
    void load(const VolumeView<Value>& volume, const VolumeOptions& options);

    /// Whether the set is the background, swept upwards.
    bool is_background() const { return reversed_; }
    /// Whether what lies outside the volume belongs to the set, and enters before every voxel. Else
    /// it never enters.
    bool outside_enters_first() const { return outside_first_; }

    std::size_t size() const { return values_.size(); }  ///< Cells, padding included.
    /// Larger values enter first, then smaller cells.
    Value value(std::int32_t cell) const { return values_[to_size(cell)]; }
    /// The neighbours that enter before a cell. Padding has none.
    Neighbours upper(std::int32_t cell) const { return upper_[to_size(cell)]; }
    bool is_outside(std::int32_t cell) const { return value(cell) == outside_value_; }
    std::int32_t across(std::int32_t cell, int face) const {
        return cell + face_offsets_[to_size(face)];
    }
    /// \param neighbour  bit of Neighbours.
    std::int32_t neighbour(std::int32_t cell, int bit) const {
        return cell + offsets_[to_size(bit)];
    }

    /// Flat index into the volume.
    std::int32_t voxel(std::int32_t cell) const;

    /// Calls task(first, end) for the cells of every row of the volume, ascending.
    template <class Task>
    void for_each_row(const Task& task) const {
        for (std::int64_t z = 1; z <= depth_; ++z) {
            for (std::int64_t y = 1; y <= height_; ++y) {
                const std::int64_t first = z * plane_ + y * stride_ + 1;
                task(static_cast<std::int32_t>(first), static_cast<std::int32_t>(first + width_));
            }
        }
    }

    /// Calls task(cell) for every cell of the padding.
    template <class Task>
    void for_each_padding_cell(const Task& task) const {
        const auto range = [&](std::int64_t first, std::int64_t end) {
            for (std::int64_t cell = first; cell < end; ++cell) {
                task(static_cast<std::int32_t>(cell));
            }
        };
        range(0, plane_);
        for (std::int64_t z = 1; z <= depth_; ++z) {
            const std::int64_t plane = z * plane_;
            range(plane, plane + stride_);
            for (std::int64_t y = 1; y <= height_; ++y) {
                const std::int64_t row = plane + y * stride_;
                range(row, row + 1);
                range(row + stride_ - 1, row + stride_);
            }
            range(plane + plane_ - stride_, plane + plane_);
        }
        range((depth_ + 1) * plane_, (depth_ + 2) * plane_);
    }

  private:
    void copy(const VolumeView<Value>& volume, const VolumeOptions& options);
    void compare_neighbours();

    std::int64_t depth_ = 0;
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    std::int64_t stride_ = 0;  ///< From row to row of the padded volume.
    std::int64_t plane_ = 0;   ///< From plane to plane.
    bool reversed_ = false;
    bool outside_first_ = false;
    Value outside_value_ = 0;
    std::array<std::int32_t, 27> offsets_{};
    std::array<std::int32_t, 6> face_offsets_{};
    std::vector<Value> values_;
    std::vector<Neighbours> upper_;
};

extern template class SweptVolume<float>;
extern template class SweptVolume<double>;

}  // namespace toponet
