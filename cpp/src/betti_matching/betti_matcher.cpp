#include "toponet/betti_matching/betti_matcher.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "toponet/basics/to_size.hpp"
#include "toponet/filtration/neighbourhood.hpp"

namespace toponet {
namespace {

/// Copies a row that an error names by its image.
template <class Value>
void copy_checked(const char* name, const Value* source, std::int64_t count, Value limit,
                  Value* target) {
    const RowCheck check = copy_row(source, count, limit, target);
    if (!check.finite) {
        throw std::invalid_argument(std::string("of ") + name + " holds NaN or an infinite value");
    }
    if (!check.below_limit) {
        throw std::invalid_argument(std::string("of ") + name + " holds a value above frame_value");
    }
}

}  // namespace

template <class Value>
void BettiMatcher<Value>::match(const ImageView<Value>& f, const ImageView<Value>& g,
                                const FiltrationOptions& options, MatchedDiagrams<Value>& result,
                                int num_threads) {
    pieces_.load_rows(f.height, f.width, options, num_threads,
                      [&](std::int64_t r, Value limit, Value* common) {
                          const Value* const of_f = f.row(r);
                          // Only to check it: the row of g is written over the copy.
                          copy_checked("f", of_f, f.width, limit, common);
                          copy_checked("g", g.row(r), f.width, limit, common);
                          for (std::int64_t c = 0; c < f.width; ++c) {
                              common[c] = std::max(of_f[c], common[c]);
                          }
                          return RowCheck{true, true};
                      });
    names_f_.minima.clear();
    pieces_.for_each_minimum(
        [&](std::int32_t pixel, Value value) { names_f_.minima.push_back({pixel, value}); });
    names_g_.minima = names_f_.minima;
    engine_.compute(f, options, result.f, num_threads, &names_f_);
    engine_.compute(g, options, result.g, num_threads, &names_g_);

    for (auto& partners : result.partners) partners.clear();
    if (options.dimension_0) {
        list_births(result.f, births_f_);
        list_births(result.g, births_g_);
        auto& partners = result.partners[0];
        pieces_.match(births_f_, births_g_, partners);
        if (!options.frame) partners.push_back({0, 0});  // What never dies comes first.
        std::sort(partners.begin(), partners.end(),
                  [](const Partners& a, const Partners& b) { return a.f < b.f; });
    }
    if (options.dimension_1) match_holes(result.partners[1]);
}

/// Holes of one name are partners.
template <class Value>
void BettiMatcher<Value>::match_holes(std::vector<Partners>& partners) {
    hole_of_.assign(names_g_.minima.size(), -1);
    const auto& names_g = names_g_.names();
    for (std::size_t j = 0; j < names_g.size(); ++j) {
        if (names_g[j] >= 0) hole_of_[to_size(names_g[j])] = static_cast<std::int32_t>(j);
    }
    const auto& names_f = names_f_.names();
    for (std::size_t i = 0; i < names_f.size(); ++i) {
        if (names_f[i] < 0) continue;
        const std::int32_t hole = hole_of_[to_size(names_f[i])];
        if (hole >= 0) partners.push_back({static_cast<std::int32_t>(i), hole});
    }
}

template class BettiMatcher<float>;
template class BettiMatcher<double>;

}  // namespace toponet
