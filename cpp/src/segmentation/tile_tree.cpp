#include "toponet/segmentation/tile_tree.hpp"

namespace toponet {

template <class Value>
void TileTree<Value>::grow(const ImageView<Value>& image, const Tiling& tiling, std::int64_t tile,
                           const FiltrationOptions& options, Sweep direction,
                           PaddedGrid<Value>& whole, TilePieces<Value>& pieces) {
    const Box box = tiling.box(tile);
    pieces.deaths.clear();
    pieces.check = grid_.load_tile(image, box, options);
    if (!pieces.check.finite || !pieces.check.below_limit) return;
    whole.copy_links(grid_, box);
    finder_.find(grid_.upper_links(), grid_.height(), grid_.stride(), options.connectivity, 1,
                 critical_);
    const bool upwards = direction == Sweep::upwards;
    SweepSteps& steps = upwards ? upwards_ : downwards_;
    steps.prepare(grid_.stride(), options.connectivity);
    grid_.label_padding(ElderUnionFind<Value>::outside);
    saddles_.sort(grid_, critical_.saddles);
    const std::vector<std::int32_t>& extrema = upwards ? critical_.maxima : critical_.minima;
    basins_.find(grid_, steps, extrema, critical_.saddles, tiling.border(tile), pieces.seam);
    pieces.first_pixels.resize(extrema.size());
    for (std::size_t k = 0; k < extrema.size(); ++k) {
        pieces.first_pixels[k] = grid_.pixel(extrema[k]);
    }
    pieces.deaths.reserve(extrema.size());
    const auto& sorted = saddles_.all();
    if (upwards) {
        join<Sweep::upwards>(sorted.begin(), sorted.end(), pieces);
    } else {
        join<Sweep::downwards>(sorted.rbegin(), sorted.rend(), pieces);
    }
}

template <class Value>
template <Sweep direction, class Saddles>
void TileTree<Value>::join(Saddles begin, Saddles end, TilePieces<Value>& pieces) {
    const auto pixel = [&](std::int32_t node) {
        return grid_.pixel(basins_.all()[Basins<Value>::extremum(node)]);
    };
    for (Saddles saddle = begin; saddle != end; ++saddle) {
        const std::size_t rank = to_size(saddle->rank);
        const std::int32_t cell = critical_.saddles[rank];
        const std::size_t before = pieces.deaths.size();
        basins_.template join<direction>(
            rank, cell, pieces.seam, [&](std::int32_t younger, std::int32_t) {
                pieces.deaths.push_back({pixel(younger), grid_.pixel(cell), no_pixel});
            });
        if (pieces.deaths.size() == before) continue;
        const std::int32_t node = basins_.joined(rank);
        if (node == ElderUnionFind<Value>::outside) continue;
        const std::int32_t elder = pixel(node);
        for (std::size_t k = before; k < pieces.deaths.size(); ++k) pieces.deaths[k].elder = elder;
    }
}

template class TileTree<float>;
template class TileTree<double>;

}  // namespace toponet
