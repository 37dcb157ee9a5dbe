#include "toponet/betti_matching/binary_betti_matcher.hpp"

#include "toponet/filtration/neighbourhood.hpp"

namespace toponet {

template <class Value>
void BinaryBettiMatcher<Value>::match(const ImageView<Value>& f,
                                      const ImageView<std::uint8_t>& truth,
                                      const FiltrationOptions& options, int num_threads) {
    pieces_.load_rows(f.height, f.width, options, num_threads,
                      [&](std::int64_t r, Value limit, Value* common) {
                          const RowCheck check = copy_row(f.row(r), f.width, limit, common);
                          const std::uint8_t* const mask = truth.row(r);
                          // Loaded first: a conditional load would keep the loop from being
                          // vectorised.
                          for (std::int64_t c = 0; c < f.width; ++c) {
                              const Value outside = common[c];
                              common[c] = mask[c] ? Value(1) : outside;
                          }
                          return check;
                      });
    names_.minima.clear();
    pieces_.for_each_minimum([&](std::int32_t pixel, Value value) {
        // A minimum of value 1 is no name, since holes are born at 1 at the latest. So all names
        // lie outside the truth.
        if (value < Value(1)) names_.minima.push_back({pixel, value});
    });
    engine_.compute(f, options, diagram_, num_threads, &names_);
    features_.template find<Value>(truth, options.connectivity, options.frame, names_.minima);
    for (std::size_t dimension = 0; dimension < 2; ++dimension) {
        is_matched_[dimension].assign(diagram_.dimension[dimension].size(), 0);
    }
    if (options.dimension_0) match_pieces(options);
    if (options.dimension_1) match_holes();
}

template <class Value>
void BinaryBettiMatcher<Value>::match_pieces(const FiltrationOptions& options) {
    list_births(diagram_, births_);
    peaks_.clear();
    for (const std::int32_t pixel : features_.peaks()) peaks_.push_back({Value(1), pixel});
    pieces_.match(births_, peaks_, partners_);
    for (const Partners& partners : partners_) is_matched_[0][to_size(partners.f)] = 1;
    if (!options.frame) is_matched_[0][0] = 1;  // What never dies.
}

template <class Value>
void BinaryBettiMatcher<Value>::match_holes() {
    const auto& names = names_.names();
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] < 0) continue;
        is_matched_[1][i] = features_.is_lowest()[to_size(names[i])];
    }
}

template class BinaryBettiMatcher<float>;
template class BinaryBettiMatcher<double>;

}  // namespace toponet
