#include "toponet/betti_matching/common_pieces.hpp"

#include <limits>
#include <utility>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/elder_union_find.hpp"

namespace toponet {

template <class Value>
void CommonPieces<Value>::find_critical_cells(const FiltrationOptions& options, int num_threads) {
    finder_.find(grid_.upper_links(), grid_.height(), grid_.stride(), options.connectivity,
                 num_threads, critical_);
    upwards_.prepare(grid_.stride(), options.connectivity);
}

template <class Value>
void CommonPieces<Value>::match(const std::vector<PieceBirth<Value>>& f,
                                const std::vector<PieceBirth<Value>>& g,
                                std::vector<Partners>& partners) {
    partners.clear();
    grid_.label_padding(ElderUnionFind<Value>::outside);
    saddles_.sort(grid_, critical_.saddles);
    basins_.find(grid_, upwards_, critical_.maxima, critical_.saddles);
    place(f, f_);
    place(g, g_);
    for (const auto& saddle : saddles_.all()) {
        const std::size_t rank = to_size(saddle.rank);
        const std::int32_t cell = critical_.saddles[rank];
        // The order of the meetings at one saddle decides who are partners.
        if (basins_.arm_count(rank) > 2 && grid_.is_at_border(cell)) {
            basins_.bring_outside_first(rank);
        }
        basins_.template join<Sweep::upwards>(rank, [&](std::int32_t younger, std::int32_t elder) {
            const Value level = grid_.value(cell);
            const Elder dies_f = meet(f_[to_size(younger)], f_[to_size(elder)]);
            const Elder dies_g = meet(g_[to_size(younger)], g_[to_size(elder)]);
            if (dies_f.value > level && dies_g.value > level) {
                partners.push_back({dies_f.position, dies_g.position});
            }
        });
    }
}

/// Gives each basin of c the eldest birth in it; the outside, if it is a frame, is elder than all.
template <class Value>
void CommonPieces<Value>::place(const std::vector<PieceBirth<Value>>& births,
                                std::vector<Elder>& elders) {
    using Sets = ElderUnionFind<Value>;
    constexpr Value highest = std::numeric_limits<Value>::infinity();
    resize_lean(cells_, births.size());
    for (std::size_t i = 0; i < births.size(); ++i) cells_[i] = grid_.cell(births[i].pixel);
    upwards_.paths.follow(cells_, grid_.upper_links());
    elders.assign(critical_.maxima.size() + Sets::first_extremum, {-highest, 0, 0});
    elders[Sets::outside].value = highest;
    for (std::size_t i = 0; i < births.size(); ++i) {
        Elder candidate{births[i].value, births[i].pixel, static_cast<std::int32_t>(i)};
        Elder& elder = elders[to_size(grid_.label(cells_[i]))];
        if (enters_before(candidate.value, candidate.pixel, elder.value, elder.pixel)) {
            elder = candidate;
        }
    }
}

/// The elder of two elders stays in the cluster that stays. \return the other one.
template <class Value>
auto CommonPieces<Value>::meet(Elder& of_younger, Elder& of_elder) -> Elder {
    if (enters_before(of_younger.value, of_younger.pixel, of_elder.value, of_elder.pixel)) {
        std::swap(of_younger, of_elder);
    }
    return of_younger;
}

template class CommonPieces<float>;
template class CommonPieces<double>;

}  // namespace toponet
