// Persistence by union-find over extrema.
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
// Pixels live in a grid padded by one cell on each side. The padding is the frame (before all
// pixels) or the outside background (after all pixels).

#include <algorithm>
#include <limits>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {

template <class Value>
void UnionFindPersistence<Value>::merge_components(const FiltrationOptions& options,
                                                   std::vector<PersistencePair<Value>>& pairs) {
    const std::vector<std::int32_t>& cells = critical_.saddles;
    const std::vector<std::int32_t>& maxima = critical_.maxima;
    // Arms in index order, because neighbouring saddles have their paths in the same cache lines.
    basins_.find(grid_, upwards_, maxima, cells);

    // For each maximum, the rank of the saddle where it dies, plus one; 0 = it never dies. Written
    // without a branch, and sorted by counting afterwards: lists at the saddles took a tenth longer
    // on noise.
    assign_zeros_lean(deaths_, maxima.size());
    resize_lean(closes_loop_, cells.size());
    resize_lean(loops_.order, cells.size());
    std::size_t loops = 0;
    for (const auto& saddle : saddles_.all()) {
        const std::size_t rank = to_size(saddle.rank);
        const std::size_t deaths =
            basins_.template join<Sweep::upwards>(rank, [&](std::int32_t node, std::int32_t) {
                deaths_[Basins<Value>::extremum(node)] = saddle.rank + 1;
            });
        const bool closes_loop = deaths + 1 < basins_.arm_count(rank);
        closes_loop_[rank] = closes_loop;
        loops_.order[loops] = saddle.rank;
        loops += closes_loop;
    }
    loops_.order.resize(loops);

    reserve_lean(pairs, maxima.size());
    if (!options.frame) {
        const std::size_t eldest = Basins<Value>::extremum(basins_.eldest());
        pairs.push_back({basins_.value(eldest), -std::numeric_limits<Value>::infinity(),
                         grid_.pixel(maxima[eldest]), no_pixel});
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
void UnionFindPersistence<Value>::sort_by_death(std::size_t saddles) {
    // For each saddle: how many maxima die before it, which is the place of the first one that dies
    // there; then the place of the next one.
    assign_zeros_lean(death_places_, saddles + 2);
    for (const std::int32_t death : deaths_) ++death_places_[to_size(death) + 1];
    death_places_[1] = 0;  // Those that never die have no place.
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
void UnionFindPersistence<Value>::collect_loops() {
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

template <class Value>
void UnionFindPersistence<Value>::merge_background(const FiltrationOptions& options,
                                                   const OrderedCells& saddles,
                                                   Basins<Value>& basins,
                                                   std::vector<PersistencePair<Value>>& pairs,
                                                   HoleNames<Value>* names) {
    const std::vector<std::int32_t>& minima = critical_.minima;
    basins.find(grid_, downwards_, minima, saddles.cells);
    if (names) names->begin(grid_, downwards_, minima.size());
    assign_zeros_lean(births_, minima.size());
    for (auto next = saddles.order.rbegin(); next != saddles.order.rend(); ++next) {
        const std::size_t i = to_size(*next);
        const std::int32_t cell = saddles.cells[i];
        // The order of the meetings at one saddle decides which hole gets which name.
        if (names && basins.arm_count(i) > 2 && grid_.is_at_border(cell)) {
            basins.bring_outside_first(i);
        }
        basins.template join<Sweep::downwards>(i, [&](std::int32_t node, std::int32_t elder) {
            births_[Basins<Value>::extremum(node)] = cell;
            if (names) names->meet(node, elder, grid_.value(cell));
        });
    }
    const auto frame_value = static_cast<Value>(options.frame_value);
    if (names && options.frame) names->end(basins.eldest(), frame_value);
    reserve_lean(pairs, minima.size());
    for (std::size_t i = 0; i < minima.size(); ++i) {
        const bool with_frame = births_[i] == 0;  // Cell 0 is padding.
        const Value birth = with_frame ? frame_value : grid_.value(births_[i]);
        const Value death = basins.value(i);
        if (birth == death) continue;
        pairs.push_back({birth, death, with_frame ? no_pixel : grid_.pixel(births_[i]),
                         grid_.pixel(minima[i])});
        if (names) names->keep(i);
    }
}

template <class Value>
void UnionFindPersistence<Value>::compute(const ImageView<Value>& image,
                                          const FiltrationOptions& options, Diagram<Value>& diagram,
                                          int num_threads, HoleNames<Value>* names) {
    diagram.clear();
    grid_.load(image, options, num_threads);
    finder_.find(grid_.upper_links(), grid_.height(), grid_.stride(), options.connectivity,
                 num_threads, critical_);
    upwards_.prepare(grid_.stride(), options.connectivity);
    downwards_.prepare(grid_.stride(), options.connectivity);
    grid_.label_padding(ElderUnionFind<Value>::outside);
    saddles_.sort(grid_, critical_.saddles);

    // If the passes run one after the other, the second one knows which saddles closed loops in the
    // first. If they run side by side, it has to visit all saddles.
    const bool both = options.dimension_0 && options.dimension_1;
    if (both && num_threads == 1) {
        merge_components(options, diagram.dimension[0]);
        collect_loops();
        merge_background(options, loops_, basins_, diagram.dimension[1], names);
        return;
    }
    if (options.dimension_1) {
        all_saddles_.cells = critical_.saddles;
        resize_lean(all_saddles_.order, critical_.saddles.size());
        std::transform(saddles_.all().begin(), saddles_.all().end(), all_saddles_.order.begin(),
                       [](const auto& saddle) { return saddle.rank; });
    }
    parallel_for(2, both ? 2 : 1, [&](int, std::int64_t dimension) {
        if (dimension == 0 && options.dimension_0) {
            merge_components(options, diagram.dimension[0]);
        }
        if (dimension == 1 && options.dimension_1) {
            merge_background(options, all_saddles_, background_basins_, diagram.dimension[1],
                             names);
        }
    });
}

template class UnionFindPersistence<float>;
template class UnionFindPersistence<double>;

}  // namespace toponet
