// Persistence of one tile, or of a whole image, by union-find over extrema.
//
// Most pixels change nothing when they enter the filtration. Eight comparisons with its neighbours
// (its upper link, see neighbourhood.hpp) tell whether a pixel is a maximum, a minimum or a saddle;
// all other pixels are regular, and are never sorted.
//
// Dimension 0: components of the foreground are born at maxima and meet at saddles. A path that
// climbs from a saddle into one piece of its upper link ends at a maximum. All of the path enters
// before the saddle does, so the maximum lies in the component that the piece belongs to. Therefore
// union-find runs over maxima, at saddles only, in the order of the filtration.
//
// Dimension 1, by duality: holes are the components of the background that don't reach the
// outside. Against the filtration they are born at minima and meet at the same saddles, under the
// dual connectivity. The j pieces of a saddle's link meet in j - 1 meetings. Some of them join
// foreground components. Each of the others closes a loop, and parts two components of the
// background. The second pass visits only the saddles that close a loop.
//
// Pixels live in a grid padded by one cell on each side. Around the image the padding is the frame
// (before all pixels) or the outside background (after all pixels).

#include "toponet/persistence/tile_persistence.hpp"

#include <algorithm>
#include <limits>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/to_size.hpp"

namespace toponet {

template <class Value>
void TilePersistence<Value>::merge_components(const TileBorder& border, Seam<Value>& seam,
                                              Pairs& pairs) {
    const std::vector<std::int32_t>& cells = critical_.saddles;
    // Arms in index order, because neighbouring saddles have their paths in the same cache lines.
    basins_.find(grid_, upwards_, critical_.maxima, cells, border, seam);
    const std::vector<std::int32_t>& maxima = basins_.all();

    // For each maximum, the rank of the saddle where it dies, plus one; 0 = it doesn't die here.
    // Written without a branch, and sorted by counting afterwards: lists at the saddles took a
    // tenth longer on noise.
    assign_zeros_lean(deaths_, maxima.size());
    resize_lean(closes_loop_, cells.size());
    resize_lean(loops_.order, cells.size());
    std::size_t loops = 0;
    for (const auto& saddle : saddles_.all()) {
        const std::size_t rank = to_size(saddle.rank);
        const std::size_t deaths = basins_.template join<Sweep::upwards>(
            rank, cells[rank], seam, [&](std::int32_t node, std::int32_t) {
                deaths_[Basins<Value>::extremum(node)] = saddle.rank + 1;
            });
        // Where a meeting waits, it may close one.
        const bool closes_loop = deaths + 1 < basins_.arm_count(rank);
        closes_loop_[rank] = closes_loop;
        loops_.order[loops] = saddle.rank;
        loops += closes_loop;
    }
    loops_.order.resize(loops);

    reserve_lean(pairs, maxima.size());
    for (std::size_t maximum = 0; maximum < maxima.size(); ++maximum) {
        if (deaths_[maximum] != 0 || basins_.at_seam(maximum)) continue;
        pairs.push_back({basins_.value(maximum), -std::numeric_limits<Value>::infinity(),
                         grid_.pixel(maxima[maximum]), no_pixel});
    }
    sort_by_death(cells.size());
    for (const std::int32_t maximum : by_death_) {
        const std::int32_t cell = cells[to_size(deaths_[to_size(maximum)] - 1)];
        const Value birth = basins_.value(to_size(maximum));
        const Value death = grid_.value(cell);
        if (birth == death) continue;
        pairs.push_back({birth, death, grid_.pixel(maxima[to_size(maximum)]), grid_.pixel(cell)});
    }
}

/// Lists the maxima that die: in the order of the saddles where they die and, at the same saddle,
/// in their own order.
template <class Value>
void TilePersistence<Value>::sort_by_death(std::size_t saddles) {
    // For each saddle: how many maxima die before it, which is the place of the first one that dies
    // there; then the place of the next one.
    assign_zeros_lean(death_places_, saddles + 2);
    for (const std::int32_t death : deaths_) ++death_places_[to_size(death) + 1];
    death_places_[1] = 0;  // Those that don't die here have no place.
    for (std::size_t death = 2; death < death_places_.size(); ++death) {
        death_places_[death] += death_places_[death - 1];
    }
    resize_lean(by_death_, to_size(death_places_.back()));
    for (std::size_t maximum = 0; maximum < deaths_.size(); ++maximum) {
        const std::int32_t death = deaths_[maximum];
        if (death == 0) continue;
        by_death_[to_size(death_places_[to_size(death)]++)] = static_cast<std::int32_t>(maximum);
    }
}

/// Lists the saddles that closed loops, in index order. Turns the ranks in loops_.order into places
/// in this list.
template <class Value>
void TilePersistence<Value>::collect_loops() {
    const std::vector<std::int32_t>& cells = critical_.saddles;
    resize_lean(loops_.cells, cells.size());
    resize_lean(place_, cells.size());
    std::size_t loops = 0;
    for (std::size_t rank = 0; rank < cells.size(); ++rank) {
        loops_.cells[loops] = cells[rank];
        place_[rank] = static_cast<std::int32_t>(loops);
        loops += closes_loop_[rank];
    }
    loops_.cells.resize(loops);
    for (std::int32_t& rank : loops_.order) rank = place_[to_size(rank)];
}

/// Lists all saddles: without the other sweep, no one knows which of them close loops.
template <class Value>
void TilePersistence<Value>::take_all_saddles() {
    loops_.cells = critical_.saddles;
    resize_lean(loops_.order, critical_.saddles.size());
    std::transform(saddles_.all().begin(), saddles_.all().end(), loops_.order.begin(),
                   [](const auto& saddle) { return saddle.rank; });
}

template <class Value>
void TilePersistence<Value>::merge_background(const FiltrationOptions& options,
                                              const TileBorder& border, Seam<Value>& seam,
                                              Pairs& pairs, HoleNames<Value>* names) {
    basins_.find(grid_, downwards_, critical_.minima, loops_.cells, border, seam);
    const std::vector<std::int32_t>& minima = basins_.all();
    if (names) names->begin(grid_, downwards_, minima.size());
    assign_zeros_lean(births_, minima.size());
    for (auto next = loops_.order.rbegin(); next != loops_.order.rend(); ++next) {
        const std::size_t i = to_size(*next);
        const std::int32_t cell = loops_.cells[i];
        // The order of the meetings at one saddle decides which hole gets which name.
        if (names && basins_.arm_count(i) > 2 && grid_.is_at_border(cell)) {
            basins_.bring_outside_first(i);
        }
        basins_.template join<Sweep::downwards>(i, cell, seam,
                                                [&](std::int32_t node, std::int32_t elder) {
                                                    births_[Basins<Value>::extremum(node)] = cell;
                                                    if (names)
                                                        names->meet(node, elder, grid_.value(cell));
                                                });
    }
    const auto frame_value = static_cast<Value>(options.frame_value);
    if (names && options.frame) names->end(basins_.eldest(), frame_value);
    reserve_lean(pairs, minima.size());
    for (std::size_t i = 0; i < minima.size(); ++i) {
        const bool with_frame = births_[i] == 0;  // Cell 0 is padding.
        if (with_frame && basins_.at_seam(i)) continue;
        const Value birth = with_frame ? frame_value : grid_.value(births_[i]);
        const Value death = basins_.value(i);
        if (birth == death) continue;
        pairs.push_back({birth, death, with_frame ? no_pixel : grid_.pixel(births_[i]),
                         grid_.pixel(minima[i])});
        if (names) names->keep(i);
    }
}

/// Both sweeps. The second one visits only the saddles that closed loops in the first.
template <class Value>
void TilePersistence<Value>::merge(const FiltrationOptions& options, const TileBorder& border,
                                   Diagram<Value>& diagram, Seam<Value>* seams, int num_threads,
                                   HoleNames<Value>* names) {
    diagram.clear();
    finder_.find(grid_.upper_links(), grid_.height(), grid_.stride(), options.connectivity,
                 num_threads, critical_);
    upwards_.prepare(grid_.stride(), options.connectivity);
    downwards_.prepare(grid_.stride(), options.connectivity);
    saddles_.sort(grid_, critical_.saddles);
    if (options.dimension_0) merge_components(border, seams[0], diagram.dimension[0]);
    if (!options.dimension_1) return;
    if (options.dimension_0) {
        collect_loops();
    } else {
        take_all_saddles();
    }
    merge_background(options, border, seams[1], diagram.dimension[1], names);
}

template <class Value>
void TilePersistence<Value>::compute(const ImageView<Value>& image,
                                     const FiltrationOptions& options, Diagram<Value>& diagram,
                                     int num_threads, HoleNames<Value>* names) {
    grid_.load(image, options, num_threads);
    grid_.label_padding(ElderUnionFind<Value>::outside);
    merge(options, TileBorder(), diagram, no_seams_, num_threads, names);
}

template <class Value>
void TilePersistence<Value>::compute_tile(const ImageView<Value>& image, const Tiling& tiling,
                                          std::int64_t tile, const FiltrationOptions& options,
                                          TileDiagram<Value>& result) {
    result.check = grid_.load_tile(image, tiling.box(tile), options);
    if (!result.check.finite || !result.check.below_limit) return;
    grid_.label_padding(ElderUnionFind<Value>::outside);
    merge(options, tiling.border(tile), result.pairs, result.seams, 1, nullptr);
}

template class TilePersistence<float>;
template class TilePersistence<double>;

}  // namespace toponet
