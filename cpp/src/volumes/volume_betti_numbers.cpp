#include "toponet/volumes/volume_betti_numbers.hpp"

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/to_size.hpp"

namespace toponet {
namespace {

/// Cells whose first corner is column `x`: vertex, edges, squares, cube, with their signs.
/// \param a, b, c, d  the row, the next one, and those below the two in the next plane.
int cells_at(const std::uint8_t* a, const std::uint8_t* b, const std::uint8_t* c,
             const std::uint8_t* d, std::int64_t x) {
    const int along_x = a[x] & a[x + 1];
    const int face_xy = along_x & b[x] & b[x + 1];
    const int face_xz = along_x & c[x] & c[x + 1];
    const int face_yz = a[x] & b[x] & c[x] & d[x];
    const int cube = face_xy & face_xz & d[x] & d[x + 1];
    return a[x] - along_x - (a[x] & b[x]) - (a[x] & c[x]) + face_xy + face_xz + face_yz - cube;
}

}  // namespace

VolumeBettiNumbers VolumeBettiCounter::count(const VolumeView<std::uint8_t>& mask,
                                             VolumeConnectivity connectivity, bool frame) {
    // The set that is counted in cells is 6-connected.
    const bool background = connectivity == VolumeConnectivity::twenty_six;
    const bool outside = frame != background;  // Whether what lies outside belongs to it.
    load(mask, background, outside);
    // Outside there is a ball, which meets the padded volume in a sphere: 1 - 2.
    const std::int64_t euler = euler_number() - (outside ? 1 : 0);
    const std::int64_t pieces = count_pieces(false);
    for (std::uint8_t& voxel : set_) voxel ^= 1;
    const std::int64_t others = count_pieces(true);
    const std::int64_t tunnels = pieces + (others - 1) - euler;
    // Of the set and its complement, one holds the outside, which is no piece and no cavity.
    const std::int64_t of_set = pieces - (outside ? 1 : 0);
    const std::int64_t of_complement = others - (outside ? 0 : 1);
    return background ? VolumeBettiNumbers{of_complement, tunnels, of_set}
                      : VolumeBettiNumbers{of_set, tunnels, of_complement};
}

void VolumeBettiCounter::load(const VolumeView<std::uint8_t>& mask, bool background, bool outside) {
    planes_ = mask.depth + 2;
    rows_ = mask.height + 2;
    columns_ = mask.width + 2;
    set_.assign(to_size(planes_ * rows_ * columns_), outside);
    for (std::int64_t z = 0; z < mask.depth; ++z) {
        for (std::int64_t y = 0; y < mask.height; ++y) {
            const std::uint8_t* row = mask.row(z, y);
            std::uint8_t* voxels = set_.data() + ((z + 1) * rows_ + y + 1) * columns_ + 1;
            for (std::int64_t x = 0; x < mask.width; ++x) {
                voxels[x] = static_cast<std::uint8_t>(row[x] ^ background);
            }
        }
    }
}

/// Pieces of the set; runs touch at faces, or at edges and corners as well.
std::int64_t VolumeBettiCounter::count_pieces(bool corners) {
    runs_.clear();
    first_run_.assign(1, 0);
    edges_.resize(to_size(columns_) + 1);
    for (std::int64_t row = 0; row < planes_ * rows_; ++row) {
        const std::int32_t count =
            find_edges(set_.data() + row * columns_, static_cast<std::int32_t>(columns_), false,
                       edges_.data());
        for (std::int32_t k = 0; k < count; k += 2) {
            runs_.push_back({edges_[to_size(k)], edges_[to_size(k) + 1]});
        }
        first_run_.push_back(static_cast<std::int32_t>(runs_.size()));
    }
    parent_.resize(runs_.size());
    for (std::size_t run = 0; run < parent_.size(); ++run) {
        parent_[run] = static_cast<std::int32_t>(run);
    }
    auto pieces = static_cast<std::int64_t>(runs_.size());
    const std::int32_t reach = corners ? 1 : 0;
    for (std::int64_t row = 0; row < planes_ * rows_; ++row) {
        const std::int64_t y = row % rows_;
        const bool has_plane = row >= rows_;
        if (y > 0) join_rows(row, row - 1, reach, pieces);
        if (has_plane) join_rows(row, row - rows_, reach, pieces);
        if (!corners || !has_plane) continue;
        if (y > 0) join_rows(row, row - rows_ - 1, reach, pieces);
        if (y + 1 < rows_) join_rows(row, row - rows_ + 1, reach, pieces);
    }
    return pieces;
}

void VolumeBettiCounter::join_rows(std::int64_t row, std::int64_t other, std::int32_t reach,
                                   std::int64_t& pieces) {
    const std::int32_t first = first_run_[to_size(row)];
    const std::int32_t first_other = first_run_[to_size(other)];
    for_each_overlap(
        runs_.data() + first_other, to_size(first_run_[to_size(other) + 1] - first_other),
        runs_.data() + first, to_size(first_run_[to_size(row) + 1] - first), 0, reach,
        [&](std::size_t i, std::size_t j) {
            const std::int32_t a =
                find_representative(parent_, first_other + static_cast<std::int32_t>(i));
            const std::int32_t b =
                find_representative(parent_, first + static_cast<std::int32_t>(j));
            parent_[to_size(b)] = a;
            pieces -= a != b;
        });
}

/// Vertices less edges, plus squares, less cubes of the padded set.
std::int64_t VolumeBettiCounter::euler_number() const {
    const std::vector<std::uint8_t> nothing(to_size(columns_), 0);
    std::int64_t sum = 0;
    for (std::int64_t z = 0; z < planes_; ++z) {
        for (std::int64_t y = 0; y < rows_; ++y) {
            const auto row = [&](std::int64_t plane, std::int64_t line) {
                return plane < planes_ && line < rows_
                           ? set_.data() + (plane * rows_ + line) * columns_
                           : nothing.data();
            };
            const std::uint8_t* a = row(z, y);
            const std::uint8_t* b = row(z, y + 1);
            const std::uint8_t* c = row(z + 1, y);
            const std::uint8_t* d = row(z + 1, y + 1);
            int of_row = 0;
            for (std::int64_t x = 0; x + 1 < columns_; ++x) of_row += cells_at(a, b, c, d, x);
            // The last column has no cell along x.
            const auto x = columns_ - 1;
            of_row += a[x] - (a[x] & b[x]) - (a[x] & c[x]) + (a[x] & b[x] & c[x] & d[x]);
            sum += of_row;
        }
    }
    return sum;
}

}  // namespace toponet
