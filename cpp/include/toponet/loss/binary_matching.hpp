/// Optimal matching of a diagram with that of a binary truth, and the gradient of its cost.
///
/// All finite dots of a binary truth lie at (1, 0), so the optimum is a choice of dots: those with
/// the largest keys. For the modes with an optimum the key is what the pair saves,
/// |p - diagonal|^2 + |t - diagonal|^2 - |p - t|^2 = (b - d) - (b + d - 1)^2 / 2.
///
/// Source: Hu et al., NeurIPS 2019, eq. 2.2 and 2.3.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/diagram.hpp"

namespace toponet {

enum class MatchingMode {
    complete,     ///< Every target gets a dot as long as there are dots.
    wasserstein,  ///< Only where it is cheaper than the diagonal for both.
    persistence   ///< The most persistent dots go to the targets.
};

/// One dimension of a binary truth: how many dots at (1, 0), and where its essential class is born.
struct BinaryTarget {
    std::int64_t dots = 0;
    double essential_birth = 0;
};

/// Time O(n) on average for n dots. One thread, one matcher: it keeps its workspace.
class BinaryMatcher {
  public:
    /// Matches one dimension. Adds `factor` times the gradient at the critical pixels to
    /// `gradient`.
    /// \param min_persistence  dots without partner of at most this persistence are left alone.
    /// \return the cost of the matching, without the factor.
    template <class Value>
    double match(const std::vector<PersistencePair<Value>>& pairs, const BinaryTarget& target,
                 MatchingMode mode, double min_persistence, double factor, Value* gradient) {
        double cost = 0;
        std::size_t first = 0;
        const auto pull = [&](std::int32_t pixel, double residual) {
            cost += residual * residual;
            if (pixel != no_pixel) gradient[pixel] += static_cast<Value>(2 * factor * residual);
        };
        if (!pairs.empty() && std::isinf(pairs[0].death)) {
            pull(pairs[0].birth_pixel, double(pairs[0].birth) - target.essential_birth);
            first = 1;
        }
        choose(pairs, first, target.dots, mode);
        std::int64_t matched = 0;
        for (std::size_t i = first; i < pairs.size(); ++i) {
            const double birth = pairs[i].birth;
            const double death = pairs[i].death;
            double target_birth = (birth + death) / 2;
            double target_death = target_birth;
            if (chosen_[i - first]) {
                target_birth = 1;
                target_death = 0;
                ++matched;
            } else if (!(birth - death > min_persistence)) {
                continue;
            }
            pull(pairs[i].birth_pixel, birth - target_birth);
            pull(pairs[i].death_pixel, death - target_death);
        }
        // A target without partner costs its own distance to the diagonal, squared.
        return cost + 0.5 * static_cast<double>(target.dots - matched);
    }

  private:
    /// The `count` dots with the largest keys; among equal keys the first.
    template <class Value>
    void choose(const std::vector<PersistencePair<Value>>& pairs, std::size_t first,
                std::int64_t count, MatchingMode mode) {
        const std::size_t dots = pairs.size() - first;
        chosen_.assign(dots, 0);
        keys_.clear();
        for (std::size_t i = 0; i < dots; ++i) {
            const double birth = pairs[first + i].birth;
            const double death = pairs[first + i].death;
            const double along = birth + death - 1;
            const double key = mode == MatchingMode::persistence
                                   ? birth - death
                                   : (birth - death) - along * along / 2;
            if (mode != MatchingMode::wasserstein || key > 0) keys_.push_back({-key, i});
        }
        auto end = keys_.end();
        if (to_size(count) < keys_.size()) {
            end = keys_.begin() + static_cast<std::ptrdiff_t>(count);
            std::nth_element(keys_.begin(), end, keys_.end());
        }
        std::for_each(keys_.begin(), end, [&](const auto& key) { chosen_[key.second] = 1; });
    }

    std::vector<std::pair<double, std::size_t>> keys_;  ///< (negative key, dot).
    std::vector<char> chosen_;
};

}  // namespace toponet
