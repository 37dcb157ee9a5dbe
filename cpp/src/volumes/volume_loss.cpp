#include "toponet/volumes/volume_loss.hpp"

#include <stdexcept>
#include <string>
#include <type_traits>

#include "toponet/volumes/volume_comparison.hpp"

namespace toponet {

template <class Value>
void volume_topological_loss(const VolumePatchBatch<Value>& batch, const VolumeTruths& truths,
                             const VolumeLossOptions& options, int num_threads, Value* gradient,
                             double* losses) {
    const auto sum = [&](auto mode) {
        sum_over_patches<VolumeComparison<Value, mode>>(batch, truths, options, num_threads,
                                                        gradient, losses);
    };
    if (options.matching == "complete") {
        sum(std::integral_constant<MatchingMode, MatchingMode::complete>());
    } else if (options.matching == "wasserstein") {
        sum(std::integral_constant<MatchingMode, MatchingMode::wasserstein>());
    } else if (options.matching == "persistence") {
        sum(std::integral_constant<MatchingMode, MatchingMode::persistence>());
    } else {
        throw std::invalid_argument(
            "matching of volumes must be one of 'complete', 'wasserstein', 'persistence', got '" +
            options.matching + "'");
    }
}

template void volume_topological_loss(const VolumePatchBatch<float>&, const VolumeTruths&,
                                      const VolumeLossOptions&, int, float*, double*);
template void volume_topological_loss(const VolumePatchBatch<double>&, const VolumeTruths&,
                                      const VolumeLossOptions&, int, double*, double*);

}  // namespace toponet
