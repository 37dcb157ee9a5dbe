/// The merge tree of one side of an image: where its pieces begin, and how they grow together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/critical_cells.hpp"
#include "toponet/filtration/padded_grid.hpp"
#include "toponet/filtration/sorted_saddles.hpp"
#include "toponet/persistence/basins.hpp"
#include "toponet/persistence/seams.hpp"
#include "toponet/persistence/tiling.hpp"
#include "toponet/segmentation/side.hpp"
#include "toponet/segmentation/tile_tree.hpp"

namespace toponet {

/// A piece is known by the number of its first pixel, in index order.
///
/// Time O(n + c log c) for n pixels of which c are critical. Keeps its workspace.
template <class Value>
class MergeTree {
  public:
    static constexpr std::int32_t outside = -1;  ///< The piece that the outside belongs to.
    static constexpr std::int32_t none = -2;     ///< It never meets an elder.

    /// \param connectivity  of the foreground.
    /// \param num_threads   share the tiles of this one image; nothing depends on their number, nor
    ///                      on the size of the tiles.
    void grow(const Side<Value>& side, Connectivity connectivity, bool frame, int num_threads,
              TileSize tile = {});

    std::size_t size() const { return first_.size(); }
    std::int32_t first_pixel(std::int32_t piece) const { return first_[to_size(piece)]; }
    /// Where it meets an elder piece: a pixel, or no_meeting.
    std::int32_t meeting(std::int32_t piece) const { return meeting_[to_size(piece)]; }
    /// The eldest piece that it meets there; none if it never meets an elder.
    std::int32_t elder(std::int32_t piece) const { return elder_[to_size(piece)]; }
    /// Pieces that meet an elder, in the order in which they do; at least those that hold one of
    /// the wanted pieces then.
    const std::vector<std::int32_t>& deaths(const std::vector<std::uint8_t>& wanted);
    /// The piece that begins at a pixel where one does.
    std::int32_t beginning_at(std::int32_t pixel) const { return piece_of(grid_.cell(pixel)); }
    /// A piece that a pixel belongs to once it has entered: that at the end of a monotone path.
    std::int32_t end_of_path(std::int32_t pixel) const {
        std::int32_t cell = grid_.cell(pixel);
        while (const std::int32_t step = steps_->paths.step[grid_.upper_link(cell)]) cell += step;
        return piece_of(cell);
    }

    /// The same for many pixels at once, which takes less time.
    /// \param paths  a workspace.
    void find_ends_of_paths(const std::vector<std::int32_t>& pixels,
                            std::vector<std::int32_t>& pieces, MonotonePaths& paths) const;

    static constexpr std::int32_t no_meeting = -1;

  private:
    std::int32_t piece_of(std::int32_t cell) const {
        return grid_.label(cell) - ElderUnionFind<Value>::first_extremum;
    }
    void grow_whole(const ImageView<Value>& image, const FiltrationOptions& options,
                    Sweep direction, int num_threads);
    template <Sweep direction, class Saddles>
    void join(Saddles begin, Saddles end);
    void forget_meetings();
    void grow_tiles(const ImageView<Value>& image, const FiltrationOptions& options,
                    Sweep direction, const Tiling& tiling, int num_threads);
    void number_pieces(const Tiling& tiling, std::int64_t image_width, int num_threads);
    void merge_tiles(const ImageView<Value>& image, Sweep direction, const Tiling& tiling,
                     int num_threads);
    void find_eldest(int num_threads);
    void add_death(std::int32_t first_pixel, std::int32_t meeting, std::int32_t elder_pixel);

    PaddedGrid<Value> grid_;
    CriticalCellFinder finder_;
    CriticalCells critical_;
    SortedSaddles<Value> saddles_;
    SweepSteps upwards_{Sweep::upwards};
    SweepSteps downwards_{Sweep::downwards};
    SweepSteps* steps_ = nullptr;
    Basins<Value> basins_;
    std::vector<std::int32_t> first_;
    std::vector<std::int32_t> meeting_;
    std::vector<std::int32_t> elder_;
    std::vector<std::int32_t> deaths_;

    // Of an image in tiles.
    const Side<Value>* side_ = nullptr;
    bool in_tiles_ = false;
    std::vector<TileTree<Value>> workers_;  ///< One for each thread.
    std::vector<TilePieces<Value>> tiles_;
    std::vector<const Seam<Value>*> seams_of_tiles_;
    Seams<Value> seams_;
    std::vector<std::int32_t> eldest_;  ///< Per piece.
    std::vector<std::uint8_t> listed_;
};

extern template class MergeTree<float>;
extern template class MergeTree<double>;

}  // namespace toponet
