#include "toponet/betti_matching/batch.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "toponet/basics/divide_threads.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/basics/workspaces.hpp"
#include "toponet/betti_matching/betti_matcher.hpp"
#include "toponet/betti_matching/binary_betti_matcher.hpp"
#include "toponet/persistence/betti_numbers.hpp"

namespace toponet {
namespace {

template <class Value>
void append(const Diagram<Value>& diagram, BatchDiagrams<Value>& batch) {
    for (std::int8_t dimension = 0; dimension < 2; ++dimension) {
        for (const PersistencePair<Value>& pair : diagram.dimension[dimension]) {
            batch.values.push_back(pair.birth);
            batch.values.push_back(pair.death);
            batch.pixels.push_back(pair.birth_pixel);
            batch.pixels.push_back(pair.death_pixel);
            batch.dimensions.push_back(dimension);
        }
    }
    batch.splits.push_back(static_cast<std::int64_t>(batch.dimensions.size()));
}

/// Rows count through both dimensions of an image's diagram.
template <class Value>
void append(const MatchedDiagrams<Value>& image, BatchMatching<Value>& batch) {
    append(image.f, batch.f);
    append(image.g, batch.g);
    std::int64_t first_f = 0;
    std::int64_t first_g = 0;
    for (std::size_t dimension = 0; dimension < 2; ++dimension) {
        for (const Partners& partners : image.partners[dimension]) {
            batch.partners.push_back(first_f + partners.f);
            batch.partners.push_back(first_g + partners.g);
        }
        first_f += static_cast<std::int64_t>(image.f.dimension[dimension].size());
        first_g += static_cast<std::int64_t>(image.g.dimension[dimension].size());
    }
    batch.splits.push_back(static_cast<std::int64_t>(batch.partners.size() / 2));
}

/// Counts the features of masks; keeps its workspace.
class MaskComparison {
  public:
    static constexpr std::int64_t most_kept_pixels = UnionFindPersistence<float>::most_kept_pixels;

    MaskCounts count(const ImageView<std::uint8_t>& f, const ImageView<std::uint8_t>& g,
                     Connectivity connectivity, bool frame, int num_threads) {
        values_.resize(to_size(f.pixel_count()));
        for (std::int64_t r = 0; r < f.height; ++r) {
            std::copy_n(f.row(r), f.width, values_.data() + r * f.width);
        }
        const ImageView<float> image{values_.data(), f.height, f.width, f.width};
        matcher_.match(image, g, {true, true, connectivity, frame, 1.0}, num_threads);
        const BettiNumbers of_f = numbers_of_f();
        const BettiNumbers of_g = matcher_.truth_numbers();
        // What never dies is a feature of a mask that isn't empty.
        const bool both = of_f.components > 0 && of_g.components > 0;
        const std::int64_t matched[2] = {matched_dots(0) + (!frame && both), matched_dots(1)};
        return {{{matched[0], of_f.components - matched[0], of_g.components - matched[0]},
                 {matched[1], of_f.holes - matched[1], of_g.holes - matched[1]}}};
    }

  private:
    /// Each dot of a mask is a feature, but for the class that never dies where the mask is empty.
    BettiNumbers numbers_of_f() const {
        const auto& pieces = matcher_.diagram().dimension[0];
        const bool empty = !pieces.empty() && std::isinf(pieces[0].death) && pieces[0].birth == 0;
        return {static_cast<std::int64_t>(pieces.size()) - empty,
                static_cast<std::int64_t>(matcher_.diagram().dimension[1].size())};
    }

    /// Dots that die and have a partner.
    std::int64_t matched_dots(std::size_t dimension) const {
        const auto& pairs = matcher_.diagram().dimension[dimension];
        std::int64_t matched = 0;
        for (std::size_t row = 0; row < pairs.size(); ++row) {
            matched += !std::isinf(pairs[row].death) && matcher_.is_matched(dimension, row);
        }
        return matched;
    }

    std::vector<float> values_;
    BinaryBettiMatcher<float> matcher_;
};

}  // namespace

std::vector<MaskCounts> batch_betti_matching_counts(const std::vector<ImageView<std::uint8_t>>& f,
                                                    const std::vector<ImageView<std::uint8_t>>& g,
                                                    Connectivity connectivity, bool frame,
                                                    int num_threads) {
    const Division division =
        divide_threads(f, num_threads, BinaryBettiMatcher<float>::pixels_per_thread);
    Workspaces<MaskComparison> comparisons(division.tasks, f);
    std::vector<MaskCounts> counts(f.size());
    parallel_for(static_cast<std::int64_t>(f.size()), division.tasks,
                 [&](int thread, std::int64_t i) {
                     const auto image = to_size(i);
                     counts[image] = comparisons[thread].count(f[image], g[image], connectivity,
                                                               frame, division.threads_each);
                 });
    return counts;
}

template <class Value>
BatchMatching<Value> batch_betti_matching(const std::vector<ImageView<Value>>& f,
                                          const std::vector<ImageView<Value>>& g,
                                          const FiltrationOptions& options, int num_threads) {
    const Division division =
        divide_threads(f, num_threads, BettiMatcher<Value>::pixels_per_thread);
    Workspaces<BettiMatcher<Value>> matchers(division.tasks, f);
    std::vector<MatchedDiagrams<Value>> images(f.size());
    const auto count = static_cast<std::int64_t>(f.size());
    parallel_for(count, division.tasks, [&](int thread, std::int64_t i) {
        const auto image = to_size(i);
        try {
            matchers[thread].match(f[image], g[image], options, images[image],
                                   division.threads_each);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument("image " + std::to_string(i) + " " + error.what());
        }
    });
    BatchMatching<Value> batch;
    batch.f.splits.push_back(0);
    batch.g.splits.push_back(0);
    batch.splits.push_back(0);
    for (const MatchedDiagrams<Value>& image : images) append(image, batch);
    return batch;
}

template BatchMatching<float> batch_betti_matching(const std::vector<ImageView<float>>&,
                                                   const std::vector<ImageView<float>>&,
                                                   const FiltrationOptions&, int);
template BatchMatching<double> batch_betti_matching(const std::vector<ImageView<double>>&,
                                                    const std::vector<ImageView<double>>&,
                                                    const FiltrationOptions&, int);

}  // namespace toponet
