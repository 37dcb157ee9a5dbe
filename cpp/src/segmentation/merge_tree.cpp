#include "toponet/segmentation/merge_tree.hpp"

#include <algorithm>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/parallel_for.hpp"

namespace toponet {

template <class Value>
void MergeTree<Value>::grow(const Side<Value>& side, Connectivity connectivity, bool frame,
                            int num_threads, TileSize tile) {
    const ImageView<Value> image{side.values, side.height, side.width, side.width};
    FiltrationOptions options;
    options.connectivity = connectivity;
    options.frame = frame;
    side_ = &side;
    const Sweep direction = side.upwards() ? Sweep::upwards : Sweep::downwards;
    const Tiling tiling = make_tiling(side.height, side.width, tile, num_threads);
    in_tiles_ = tiling.count() > 1;
    SweepSteps& steps = side.upwards() ? upwards_ : downwards_;
    steps.prepare(side.width + 2, connectivity);
    steps_ = &steps;
    if (in_tiles_) {
        grow_tiles(image, options, direction, tiling, num_threads);
    } else {
        grow_whole(image, options, direction, num_threads);
    }
}

template <class Value>
void MergeTree<Value>::grow_whole(const ImageView<Value>& image, const FiltrationOptions& options,
                                  Sweep direction, int num_threads) {
    grid_.load(image, options, num_threads);
    finder_.find(grid_.upper_links(), grid_.height(), grid_.stride(), options.connectivity,
                 num_threads, critical_);
    grid_.label_padding(ElderUnionFind<Value>::outside);
    saddles_.sort(grid_, critical_.saddles);

    const bool upwards = direction == Sweep::upwards;
    const std::vector<std::int32_t>& extrema = upwards ? critical_.maxima : critical_.minima;
    basins_.find(grid_, *steps_, extrema, critical_.saddles);
    resize_lean(first_, extrema.size());
    for (std::size_t k = 0; k < extrema.size(); ++k) first_[k] = grid_.pixel(extrema[k]);
    forget_meetings();
    const auto& sorted = saddles_.all();
    if (upwards) {
        join<Sweep::upwards>(sorted.begin(), sorted.end());
    } else {
        join<Sweep::downwards>(sorted.rbegin(), sorted.rend());
    }
}

template <class Value>
template <Sweep direction, class Saddles>
void MergeTree<Value>::join(Saddles begin, Saddles end) {
    for (Saddles saddle = begin; saddle != end; ++saddle) {
        const std::size_t rank = to_size(saddle->rank);
        const std::size_t before = deaths_.size();
        basins_.template join<direction>(rank, [&](std::int32_t node, std::int32_t) {
            deaths_.push_back(node - ElderUnionFind<Value>::first_extremum);
        });
        if (deaths_.size() == before) continue;
        const std::int32_t pixel = grid_.pixel(critical_.saddles[rank]);
        // The outside's node comes right before those of the extrema.
        const std::int32_t elder = basins_.joined(rank) - ElderUnionFind<Value>::first_extremum;
        for (std::size_t k = before; k < deaths_.size(); ++k) {
            meeting_[to_size(deaths_[k])] = pixel;
            elder_[to_size(deaths_[k])] = elder;
        }
    }
}

template <class Value>
void MergeTree<Value>::forget_meetings() {
    resize_lean(meeting_, first_.size());
    resize_lean(elder_, first_.size());
    std::fill(meeting_.begin(), meeting_.end(), no_meeting);
    std::fill(elder_.begin(), elder_.end(), none);
    deaths_.clear();
}

template <class Value>
void MergeTree<Value>::grow_tiles(const ImageView<Value>& image, const FiltrationOptions& options,
                                  Sweep direction, const Tiling& tiling, int num_threads) {
    if (workers_.size() < to_size(num_threads)) workers_.resize(to_size(num_threads));
    tiles_.resize(to_size(tiling.count()));
    grid_.prepare(image, options);
    parallel_for(tiling.count(), num_threads, [&](int thread, std::int64_t tile) {
        workers_[to_size(thread)].grow(image, tiling, tile, options, direction, grid_,
                                       tiles_[to_size(tile)]);
    });
    require_of_all(tiles_);
    grid_.label_padding(ElderUnionFind<Value>::outside);
    number_pieces(tiling, image.width, num_threads);
    forget_meetings();
    merge_tiles(image, direction, tiling, num_threads);
    find_eldest(num_threads);
}

/// Numbers the first pixels of all tiles in index order, and labels them.
template <class Value>
void MergeTree<Value>::number_pieces(const Tiling& tiling, std::int64_t image_width,
                                     int num_threads) {
    const std::int64_t columns = tiling.columns();
    std::vector<std::size_t> first(to_size(tiling.rows() + 1), 0);
    for (std::int64_t tile = 0; tile < tiling.count(); ++tile) {
        first[to_size(tile / columns) + 1] += tiles_[to_size(tile)].first_pixels.size();
    }
    for (std::size_t row = 1; row < first.size(); ++row) first[row] += first[row - 1];
    resize_lean(first_, first.back());
    parallel_for(tiling.rows(), num_threads, [&](int, std::int64_t tile_row) {
        auto number = static_cast<std::int32_t>(first[to_size(tile_row)]);
        std::vector<const std::int32_t*> next;
        for (std::int64_t column = 0; column < columns; ++column) {
            next.push_back(tiles_[to_size(tile_row * columns + column)].first_pixels.data());
        }
        const Box band = tiling.box(tile_row * columns);
        for (std::int64_t row = band.row; row < band.row + band.height; ++row) {
            for (std::int64_t column = 0; column < columns; ++column) {
                const std::int64_t tile = tile_row * columns + column;
                const Box box = tiling.box(tile);
                const std::int64_t end = row * image_width + box.column + box.width;
                const auto& pixels = tiles_[to_size(tile)].first_pixels;
                const std::int32_t*& pixel = next[to_size(column)];
                for (; pixel != pixels.data() + pixels.size() && *pixel < end; ++pixel) {
                    first_[to_size(number)] = *pixel;
                    grid_.set_label(grid_.cell(*pixel),
                                    number + ElderUnionFind<Value>::first_extremum);
                    ++number;
                }
            }
        }
    });
}

template <class Value>
void MergeTree<Value>::add_death(std::int32_t first_pixel, std::int32_t meeting,
                                 std::int32_t elder_pixel) {
    const auto piece = to_size(beginning_at(first_pixel));
    meeting_[piece] = meeting;
    elder_[piece] = elder_pixel == no_pixel ? outside : end_of_path(elder_pixel);
}

template <class Value>
void MergeTree<Value>::merge_tiles(const ImageView<Value>& image, Sweep direction,
                                   const Tiling& tiling, int num_threads) {
    seams_of_tiles_.clear();
    for (const TilePieces<Value>& tile : tiles_) seams_of_tiles_.push_back(&tile.seam);
    // The seams are one task beside those of the tiles: each piece dies in one of them.
    parallel_for(tiling.count() + 1, num_threads, [&](int, std::int64_t task) {
        if (task > 0) {
            for (const auto& death : tiles_[to_size(task - 1)].deaths) {
                add_death(death.first_pixel, death.meeting, death.elder);
            }
            return;
        }
        seams_.merge(image, tiling, direction, seams_of_tiles_);
        for (const auto& death : seams_.deaths()) {
            if (death.meeting != no_pixel) add_death(death.pixel, death.meeting, death.elder);
        }
    });
}

/// A tile knows an elder of each piece, but not whether that one has met its own elder before.
template <class Value>
void MergeTree<Value>::find_eldest(int num_threads) {
    constexpr std::int64_t at_once = 4096;
    resize_lean(eldest_, elder_.size());
    const auto count = static_cast<std::int64_t>(elder_.size());
    parallel_for((count + at_once - 1) / at_once, num_threads, [&](int, std::int64_t part) {
        for (std::int64_t k = part * at_once; k < std::min(count, (part + 1) * at_once); ++k) {
            const auto piece = to_size(k);
            std::int32_t eldest = elder_[piece];
            while (eldest >= 0 && meeting(eldest) != no_meeting &&
                   !side_->before(meeting_[piece], meeting(eldest))) {
                eldest = elder(eldest);
            }
            eldest_[piece] = eldest;
        }
    });
    elder_.swap(eldest_);
}

template <class Value>
const std::vector<std::int32_t>& MergeTree<Value>::deaths(const std::vector<std::uint8_t>& wanted) {
    if (!in_tiles_) return deaths_;
    // Pieces of wanted ones, and all that they come to belong to.
    listed_.assign(size(), 0);
    deaths_.clear();
    for (std::size_t k = 0; k < wanted.size(); ++k) {
        if (!wanted[k]) continue;
        for (auto piece = static_cast<std::int32_t>(k);
             piece >= 0 && !listed_[to_size(piece)] && meeting(piece) != no_meeting;
             piece = elder(piece)) {
            listed_[to_size(piece)] = 1;
            deaths_.push_back(piece);
        }
    }
    std::sort(deaths_.begin(), deaths_.end(), [&](std::int32_t a, std::int32_t b) {
        return side_->before(meeting(a), meeting(b));
    });
    return deaths_;
}

template <class Value>
void MergeTree<Value>::find_ends_of_paths(const std::vector<std::int32_t>& pixels,
                                          std::vector<std::int32_t>& pieces,
                                          MonotonePaths& paths) const {
    paths.step = steps_->paths.step;
    pieces.resize(pixels.size());
    for (std::size_t k = 0; k < pixels.size(); ++k) pieces[k] = grid_.cell(pixels[k]);
    paths.follow(pieces, grid_.upper_links());
    for (std::int32_t& piece : pieces) piece = piece_of(piece);
}

template class MergeTree<float>;
template class MergeTree<double>;

}  // namespace toponet
