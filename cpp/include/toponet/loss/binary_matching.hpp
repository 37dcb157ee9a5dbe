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

/// The components of a binary truth. Without a frame one of them never dies.
inline BinaryTarget components_of_truth(std::int64_t components, bool frame) {
    const bool any = components > 0;
    return {components - (!frame && any), any ? 1.0 : 0.0};
}

/// How dots are pulled to their goals.
struct PullOptions {
    double min_persistence;   ///< A dot of at most this persistence without partner is left alone.
    double unmatched_weight;  ///< Factor of the cost of dots without partner, on both sides.
    double factor;            ///< Of the gradient.
};

/// Pulls one dimension's dots: those with a partner to (1, 0), the others to the diagonal. Adds
/// `factor` times the gradient at the critical pixels to `gradient`.
/// \param is_matched  row -> whether its dot has a partner; isn't asked of what never dies.
/// \return the cost, without the factor.
template <class Value, class IsMatched>
double pull_dots(const std::vector<PersistencePair<Value>>& pairs, const BinaryTarget& target,
                 const IsMatched& is_matched, const PullOptions& options, Value* gradient) {
    double cost = 0;
    const auto pull = [&](std::int32_t pixel, double residual, double weight) {
        cost += weight * residual * residual;
        if (pixel == no_pixel) return;
        gradient[pixel] += static_cast<Value>(2 * weight * options.factor * residual);
    };
    std::int64_t matched = 0;
    for (std::size_t row = 0; row < pairs.size(); ++row) {
        const PersistencePair<Value>& pair = pairs[row];
        if (std::isinf(pair.death)) {
            pull(pair.birth_pixel, double(pair.birth) - target.essential_birth, 1);
            continue;
        }
        const Dot dot{double(pair.birth), double(pair.death)};
        Dot goal{(dot.birth + dot.death) / 2, (dot.birth + dot.death) / 2};
        double weight = options.unmatched_weight;
        if (is_matched(row)) {
            goal = {1, 0};
            weight = 1;
            ++matched;
        } else if (!(dot.persistence() > options.min_persistence)) {
            continue;
        }
        pull(pair.birth_pixel, dot.birth - goal.birth, weight);
        pull(pair.death_pixel, dot.death - goal.death, weight);
    }
    // A target without partner costs its own distance to the diagonal, squared.
    return cost + 0.5 * options.unmatched_weight * static_cast<double>(target.dots - matched);
}

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
        // What never dies comes first.
        const std::size_t first = !pairs.empty() && std::isinf(pairs[0].death);
        const auto dot_at = [&](std::size_t i) {
            return Dot{double(pairs[first + i].birth), double(pairs[first + i].death)};
        };
        choice_.choose(pairs.size() - first, dot_at, {1, 0}, target.dots, mode);
        return pull_dots(
            pairs, target, [&](std::size_t row) { return choice_.is_chosen(row - first); },
            {min_persistence, 1, factor}, gradient);
    }

  private:
    DotChoice choice_;
};

}  // namespace toponet
