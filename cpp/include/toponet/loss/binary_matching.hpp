/// Optimal matching of a diagram with the diagram of a binary truth, and the gradient of its cost.
///
/// All finite dots of a binary truth lie at (1, 0).
///
/// Source: Hu et al., NeurIPS 2019, eq. 2.2 and 2.3.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/loss/dot_choice.hpp"
#include "toponet/persistence/diagram.hpp"

namespace toponet {

/// One dimension of a binary truth: how many dots at (1, 0), and where its essential class is born.
struct BinaryTarget {
    std::int64_t dots = 0;
    double essential_birth = 0;
};

/// Time O(n) on average for n dots. A matcher keeps its workspace, so each thread needs its own.
class BinaryMatcher {
  public:
    /// Matches one dimension. Adds `factor` times the gradient at the critical pixels to
    /// `gradient`.
    /// \param min_persistence  a dot of at most this persistence without partner is left alone.
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
        const Dot wanted{1, 0};
        const auto dot_at = [&](std::size_t i) {
            return Dot{double(pairs[first + i].birth), double(pairs[first + i].death)};
        };
        const std::size_t dots = pairs.size() - first;
        choice_.choose(dots, dot_at, wanted, target.dots, mode);
        std::int64_t matched = 0;
        for (std::size_t i = 0; i < dots; ++i) {
            const Dot dot = dot_at(i);
            Dot goal{(dot.birth + dot.death) / 2, (dot.birth + dot.death) / 2};
            if (choice_.is_chosen(i)) {
                goal = wanted;
                ++matched;
            } else if (!(dot.persistence() > min_persistence)) {
                continue;
            }
            pull(pairs[first + i].birth_pixel, dot.birth - goal.birth);
            pull(pairs[first + i].death_pixel, dot.death - goal.death);
        }
        // A target without partner costs its own distance to the diagonal, squared.
        return cost + 0.5 * static_cast<double>(target.dots - matched);
    }

  private:
    DotChoice choice_;
};

}  // namespace toponet
