/// Compares a patch with a binary truth pixel by pixel: each critical value is pulled to the truth
/// of its own pixel, and no dots are matched.
///
/// For a likelihood f and a truth g, the critical values are those of two images.
/// Inside, min(f, g): each true feature has its dot there, whose birth is the strongest value of a
/// true piece or the weakest value of a true cell's wall. All other dots are faults within the
/// structure: breaks of a piece, and pinholes.
/// Outside, max(f, g): births and deaths outside the structure are specks, bridges between true
/// pieces, and walls within true cells.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/filtration/image_view.hpp"
#include "toponet/loss/in_place_pulls.hpp"
#include "toponet/loss/patches.hpp"
#include "toponet/loss/topological_loss.hpp"
#include "toponet/persistence/diagram.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {

/// Time: that of the persistence of one image, in which both can be told apart. It keeps its
/// workspace, so each thread needs its own.
/// \throws std::invalid_argument if the truths are diagrams, which have no pixels.
template <class Value>
class InPlaceComparison {
  public:
    static constexpr std::int64_t pixels_per_thread =
        UnionFindPersistence<Value>::pixels_per_thread;

    InPlaceComparison(const Truths& truths, const LossOptions& options, int num_threads);

    double compare(const Patch<Value>& patch, Value* gradient);

  private:
    using Dot = PersistencePair<Value>;

    double pull(const Dot& dot, std::size_t dimension, double factor, Value* gradient) const;
    double pull_feature(const Dot& dot, std::size_t dimension, double factor,
                        Value* gradient) const;
    double pull_outside(const Dot& dot, std::size_t dimension, double factor,
                        Value* gradient) const;

    const Truths& truths_;
    const LossOptions& options_;
    const int num_threads_;
    const InPlaceWeight weight_;
    UnionFindPersistence<Value> engine_;
    Diagram<Value> diagram_;
    std::vector<std::uint8_t> mask_;
    std::vector<Value> image_;  ///< Both images in one.
};

extern template class InPlaceComparison<float>;
extern template class InPlaceComparison<double>;

}  // namespace toponet
