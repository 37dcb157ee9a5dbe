#include "toponet/volumes/volume_batch.hpp"

#include "toponet/persistence/count_batch.hpp"
#include "toponet/persistence/diagrams_of_batch.hpp"
#include "toponet/volumes/volume_persistence.hpp"

namespace toponet {
namespace {

template <class Engine, class Value>
BatchDiagrams<Value> run(const std::vector<VolumeView<Value>>& volumes,
                         const VolumeOptions& options, int num_threads) {
    return diagrams_of_batch<Engine, VolumeDiagram<Value>>(
        volumes, "volume", num_threads,
        [&](auto& engine, const auto& volume, auto& diagram, int /*threads_each*/) {
            engine.compute(volume, options, diagram);
        });
}

}  // namespace

template <class Value>
BatchDiagrams<Value> batch_volume_persistence(const std::vector<VolumeView<Value>>& volumes,
                                              const VolumeOptions& options, Algorithm algorithm,
                                              int num_threads) {
    if (algorithm == Algorithm::union_find) {
        return run<CriticalCellPersistence<Value>>(volumes, options, num_threads);
    }
    return run<VolumeReduction<Value>>(volumes, options, num_threads);
}

template BatchDiagrams<float> batch_volume_persistence(const std::vector<VolumeView<float>>&,
                                                       const VolumeOptions&, Algorithm, int);
template BatchDiagrams<double> batch_volume_persistence(const std::vector<VolumeView<double>>&,
                                                        const VolumeOptions&, Algorithm, int);

std::vector<VolumeBettiNumbers> batch_volume_betti_numbers(
    const std::vector<VolumeView<std::uint8_t>>& masks, VolumeConnectivity connectivity, bool frame,
    int num_threads) {
    return count_batch<VolumeBettiCounter>(masks, num_threads, 65536, connectivity, frame);
}

}  // namespace toponet
