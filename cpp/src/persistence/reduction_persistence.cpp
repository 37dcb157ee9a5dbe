// Persistence by reduction of the boundary matrix, the textbook way.
//
// Squares are reduced before edges. The pivot of a square's column is an edge that creates the loop
// which the square fills; that edge's own column must reduce to zero and is skipped (clearing).

#include <algorithm>
#include <limits>

#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/boundary_matrix.hpp"
#include "toponet/persistence/cubical_complex.hpp"
#include "toponet/persistence/persistence.hpp"
#include "toponet/persistence/ranks.hpp"

namespace toponet {
namespace {

/// Pairs of one dimension from (birth cell, death cell); equal values are dropped.
template <class Value>
class PairCollector {
  public:
    PairCollector(const ImageView<Value>& image, Value frame_value)
        : image_(image), frame_value_(frame_value) {}

    void add(const CubicalComplex::Cell& birth, const CubicalComplex::Cell& death,
             std::vector<PersistencePair<Value>>& pairs) const {
        if (value(birth) == value(death)) return;
        pairs.push_back({value(birth), value(death), birth.pixel, death.pixel});
    }

  private:
    Value value(const CubicalComplex::Cell& cell) const {
        return cell.pixel == no_pixel ? frame_value_ : image_.at(cell.pixel);
    }

    const ImageView<Value>& image_;
    Value frame_value_;
};

}  // namespace

template <class Value>
void ReductionPersistence<Value>::compute(const ImageView<Value>& image,
                                          const FiltrationOptions& options, Diagram<Value>& diagram,
                                          int /*num_threads*/) {
    diagram.clear();
    refuse_unordered_values(image, options);
    const CubicalComplex complex(image, options);
    const auto& cells = complex.cells();
    const PairCollector<Value> collector(image, static_cast<Value>(options.frame_value));
    BoundaryMatrix matrix(cells.size());
    const auto reduce_dimension = [&](int dimension, std::vector<PersistencePair<Value>>& pairs) {
        for (std::size_t j = 0; j < cells.size(); ++j) {
            if (cells[j].dimension() != dimension || matrix.is_pivot(j)) continue;
            matrix.set_column(j, complex.boundary(cells[j]));
            const std::int32_t pivot = matrix.reduce(j);
            if (pivot >= 0) collector.add(cells[to_size(pivot)], cells[j], pairs);
        }
    };
    // Dimension 1 first even when it isn't asked for: clearing makes dimension 0 cheaper.
    reduce_dimension(2, diagram.dimension[1]);
    if (!options.dimension_1) diagram.dimension[1].clear();
    if (options.dimension_0) {
        reduce_dimension(1, diagram.dimension[0]);
        // The first vertex of all starts the component that never dies; the frame's isn't reported.
        const std::int32_t first = cells[0].pixel;
        if (first != no_pixel) {
            diagram.dimension[0].push_back(
                {image.at(first), -std::numeric_limits<Value>::infinity(), first, no_pixel});
        }
    }
    for (auto& pairs : diagram.dimension) {
        std::sort(pairs.begin(), pairs.end(), comes_before<Value>);
    }
}

template class ReductionPersistence<float>;
template class ReductionPersistence<double>;

}  // namespace toponet
