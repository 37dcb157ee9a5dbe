/// Which dots of a diagram are matched when all targets coincide.
///
/// A matching is then a choice of dots: the dots with the largest keys are matched. In the modes
/// that minimise a cost, the key of a dot p is what is saved if p and a target t are matched with
/// each other and not with the diagonal: |p - diagonal|^2 + |t - diagonal|^2 - |p - t|^2. This
/// difference is computed as a product, which loses no digits, and one square.
///
/// Source: Hu et al., NeurIPS 2019, eq. 2.2.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "toponet/basics/to_size.hpp"

namespace toponet {

enum class MatchingMode {
    complete,     ///< Every target gets a dot as long as there are dots.
    wasserstein,  ///< Only where it is cheaper than the diagonal for both.
    persistence   ///< The most persistent dots go to the targets.
};

struct Dot {
    double birth;
    double death;

    double persistence() const { return birth - death; }
};

/// Time O(n) on average for n dots. It keeps its workspace, so each thread needs its own.
class DotChoice {
  public:
    /// Chooses the `targets` dots with the largest keys; among equal keys the first.
    /// \param dot_at  position -> Dot, for `dots` positions.
    template <class DotAt>
    void choose(std::size_t dots, const DotAt& dot_at, const Dot& target, std::int64_t targets,
                MatchingMode mode) {
        chosen_.assign(dots, 0);
        keys_.clear();
        for (std::size_t i = 0; i < dots; ++i) {
            const double key = key_of(dot_at(i), target, mode);
            if (mode != MatchingMode::wasserstein || key > 0) keys_.push_back({-key, i});
        }
        auto end = keys_.end();
        if (to_size(targets) < keys_.size()) {
            end = keys_.begin() + static_cast<std::ptrdiff_t>(targets);
            std::nth_element(keys_.begin(), end, keys_.end());
        }
        std::for_each(keys_.begin(), end, [&](const auto& key) { chosen_[key.second] = 1; });
    }

    bool is_chosen(std::size_t dot) const { return chosen_[dot] != 0; }

  private:
    static double key_of(const Dot& dot, const Dot& target, MatchingMode mode) {
        if (mode == MatchingMode::persistence) return dot.persistence();
        const double along = dot.birth + dot.death - (target.birth + target.death);
        return dot.persistence() * target.persistence() - along * along / 2;
    }

    std::vector<std::pair<double, std::size_t>> keys_;  ///< (negative key, dot).
    std::vector<char> chosen_;
};

}  // namespace toponet
