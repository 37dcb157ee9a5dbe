// Persistence by union-find, of an image as a whole or in tiles.
//
// What one tile does is told in tile_persistence.cpp and tile_basins.hpp. Its pairs are in the
// order of a diagram, and so are those that the seams add. All that is left is to interleave them:
// row by row, because the order of a diagram is that of death pixels.

#include <algorithm>
#include <limits>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {

template <class Value>
void UnionFindPersistence<Value>::compute(const ImageView<Value>& image,
                                          const FiltrationOptions& options, Diagram<Value>& diagram,
                                          int num_threads, HoleNames<Value>* names, TileSize tile) {
    if (names) tile = {image.height, image.width};
    tiling_ = make_tiling(image.height, image.width, tile, num_threads);
    if (tiling_.count() == 1) {
        if (workers_.empty()) workers_.resize(1);
        workers_[0].compute(image, options, diagram, num_threads, names);
        return;
    }
    compute_tiles(image, options, num_threads);
    const bool wanted[2] = {options.dimension_0, options.dimension_1};
    parallel_for(2, num_threads, [&](int, std::int64_t d) {
        if (wanted[d]) merge_seams(image, options, to_size(d));
    });
    diagram.clear();
    for (std::size_t d = 0; d < 2; ++d) {
        if (wanted[d]) gather(d, image.width, diagram.dimension[d], num_threads);
    }
}

template <class Value>
void UnionFindPersistence<Value>::compute_tiles(const ImageView<Value>& image,
                                                const FiltrationOptions& options, int num_threads) {
    if (workers_.size() < to_size(num_threads)) workers_.resize(to_size(num_threads));
    tiles_.resize(to_size(tiling_.count()));
    parallel_for(tiling_.count(), num_threads, [&](int thread, std::int64_t tile) {
        workers_[to_size(thread)].compute_tile(image, tiling_, tile, options,
                                               tiles_[to_size(tile)]);
    });
    require_of_all(tiles_);
}

template <class Value>
void UnionFindPersistence<Value>::merge_seams(const ImageView<Value>& image,
                                              const FiltrationOptions& options,
                                              std::size_t dimension) {
    std::vector<const Seam<Value>*>& seams = tile_seams_[dimension];
    seams.clear();
    for (const TileDiagram<Value>& tile : tiles_) seams.push_back(&tile.seams[dimension]);
    const bool upwards = dimension == 0;
    seams_[dimension].merge(image, tiling_, upwards ? Sweep::upwards : Sweep::downwards, seams);
    Pairs& pairs = seam_pairs_[dimension];
    pairs.clear();
    for (const auto& death : seams_[dimension].deaths()) {
        // What never meets an elder: the foreground never dies, a hole was born with the frame.
        const bool ends = death.meeting != no_pixel;
        const Value never = upwards ? -std::numeric_limits<Value>::infinity()
                                    : static_cast<Value>(options.frame_value);
        const Value meeting = ends ? image.at(death.meeting) : never;
        if (meeting == death.value) continue;
        if (upwards) {
            pairs.push_back({death.value, meeting, death.pixel, death.meeting});
        } else {
            pairs.push_back({meeting, death.value, death.meeting, death.pixel});
        }
    }
    std::sort(pairs.begin(), pairs.end(), comes_before<Value>);
}

template <class Value>
void UnionFindPersistence<Value>::gather(std::size_t dimension, std::int64_t image_width,
                                         Pairs& pairs, int num_threads) {
    const Pairs& seam_pairs = seam_pairs_[dimension];
    const auto rows = to_size(tiling_.rows());
    // Where the pairs of each row of tiles begin: all of them, and those of the seams.
    std::vector<std::size_t>& first = first_pair_;
    std::vector<std::size_t>& first_seam = first_seam_pair_;
    first.resize(rows + 1);
    first_seam.resize(rows + 1);
    gathered_.assign(tiles_.size(), 0);
    const bool essential = !seam_pairs.empty() && seam_pairs[0].death_pixel == no_pixel;
    first_seam[0] = first[0] = essential;
    for (std::size_t row = 0; row < rows; ++row) {
        const std::int64_t tile = static_cast<std::int64_t>(row) * tiling_.columns();
        const Box box = tiling_.box(tile);
        const std::int64_t end = (box.row + box.height) * image_width;
        const auto seam_end = std::find_if(
            seam_pairs.begin() + static_cast<std::ptrdiff_t>(first_seam[row]), seam_pairs.end(),
            [&](const auto& pair) { return pair.death_pixel >= end; });
        first_seam[row + 1] = to_size(seam_end - seam_pairs.begin());
        first[row + 1] = first[row] + first_seam[row + 1] - first_seam[row];
        for (std::int64_t column = 0; column < tiling_.columns(); ++column) {
            first[row + 1] += tiles_[to_size(tile + column)].pairs.dimension[dimension].size();
        }
    }
    resize_lean(pairs, first.back());
    if (essential) pairs[0] = seam_pairs[0];
    parallel_for(tiling_.rows(), num_threads, [&](int, std::int64_t row) {
        gather_row_of_tiles(
            dimension, row, image_width, seam_pairs.data() + first_seam[to_size(row)],
            seam_pairs.data() + first_seam[to_size(row) + 1], pairs.data() + first[to_size(row)]);
    });
}

template <class Value>
void UnionFindPersistence<Value>::gather_row_of_tiles(std::size_t dimension, std::int64_t tile_row,
                                                      std::int64_t image_width,
                                                      const Pair* seam_pair, const Pair* seam_end,
                                                      Pair* next) {
    const std::int64_t columns = tiling_.columns();
    const Box band = tiling_.box(tile_row * columns);
    for (std::int64_t row = band.row; row < band.row + band.height; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
            const std::int64_t tile = tile_row * columns + column;
            const Box box = tiling_.box(tile);
            const std::int64_t end = row * image_width + box.column + box.width;
            const Pairs& pairs = tiles_[to_size(tile)].pairs.dimension[dimension];
            const Pair* pair = pairs.data() + gathered_[to_size(tile)];
            const Pair* const pairs_end = pairs.data() + pairs.size();
            while (pair != pairs_end && pair->death_pixel < end) {
                if (seam_pair != seam_end && comes_before(*seam_pair, *pair)) {
                    *next++ = *seam_pair++;
                } else {
                    *next++ = *pair++;
                }
            }
            while (seam_pair != seam_end && seam_pair->death_pixel < end) *next++ = *seam_pair++;
            gathered_[to_size(tile)] = to_size(pair - pairs.data());
        }
    }
}

template class UnionFindPersistence<float>;
template class UnionFindPersistence<double>;

}  // namespace toponet
