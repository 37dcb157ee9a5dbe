#include "toponet/loss/topological_loss.hpp"

#include "toponet/loss/binary_comparison.hpp"

namespace toponet {

template <class Value>
void topological_loss(const PatchBatch<Value>& batch, const Truths& truths,
                      const LossOptions& options, int num_threads, Value* gradient,
                      double* losses) {
    // A line for each comparison.
    switch (options.matching.mode) {
        case MatchingMode::complete:
        case MatchingMode::wasserstein:
        case MatchingMode::persistence:
            return sum_over_patches<BinaryComparison<Value>>(batch, truths, options, num_threads,
                                                             gradient, losses);
    }
}

template void topological_loss(const PatchBatch<float>&, const Truths&, const LossOptions&, int,
                               float*, double*);
template void topological_loss(const PatchBatch<double>&, const Truths&, const LossOptions&, int,
                               double*, double*);

}  // namespace toponet
