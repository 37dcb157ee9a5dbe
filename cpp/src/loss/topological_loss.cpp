#include "toponet/loss/topological_loss.hpp"

#include <stdexcept>
#include <string>

#include "toponet/loss/betti_comparison.hpp"
#include "toponet/loss/binary_comparison.hpp"
#include "toponet/loss/in_place_comparison.hpp"

namespace toponet {
namespace {

template <class Value>
struct NamedComparison {
    const char* name;
    void (*sum)(const PatchBatch<Value>&, const Truths&, const LossOptions&, int, Value*, double*);
};

/// A line for each comparison.
template <class Value>
constexpr NamedComparison<Value> comparisons[] = {
    {"complete", sum_over_patches<BinaryComparison<Value, MatchingMode::complete>>},
    {"wasserstein", sum_over_patches<BinaryComparison<Value, MatchingMode::wasserstein>>},
    {"persistence", sum_over_patches<BinaryComparison<Value, MatchingMode::persistence>>},
    {"betti", sum_over_patches<BettiComparison<Value>>},
    {"in_place", sum_over_patches<InPlaceComparison<Value>>},
};

}  // namespace

template <class Value>
void topological_loss(const PatchBatch<Value>& batch, const Truths& truths,
                      const LossOptions& options, int num_threads, Value* gradient,
                      double* losses) {
    std::string names;
    for (const NamedComparison<Value>& comparison : comparisons<Value>) {
        if (options.matching == comparison.name) {
            return comparison.sum(batch, truths, options, num_threads, gradient, losses);
        }
        names += std::string(names.empty() ? "'" : ", '") + comparison.name + "'";
    }
    throw std::invalid_argument("matching must be one of " + names + ", got '" + options.matching +
                                "'");
}

template void topological_loss(const PatchBatch<float>&, const Truths&, const LossOptions&, int,
                               float*, double*);
template void topological_loss(const PatchBatch<double>&, const Truths&, const LossOptions&, int,
                               double*, double*);

}  // namespace toponet
