#include "toponet/persistence/batch.hpp"

#include "toponet/persistence/count_batch.hpp"
#include "toponet/persistence/diagrams_of_batch.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {
namespace {

template <template <class> class Engine, class Value, class Compute>
BatchDiagrams<Value> run(const std::vector<ImageView<Value>>& images, int num_threads,
                         const Compute& compute) {
    return diagrams_of_batch<Engine<Value>, Diagram<Value>>(images, "image", num_threads, compute);
}

}  // namespace

template <class Value>
BatchDiagrams<Value> batch_persistence(const std::vector<ImageView<Value>>& images,
                                       const FiltrationOptions& options, Algorithm algorithm,
                                       int num_threads, TileSize tile) {
    if (algorithm == Algorithm::union_find) {
        return run<UnionFindPersistence>(
            images, num_threads,
            [&](auto& engine, const auto& image, auto& diagram, int threads_each) {
                engine.compute(image, options, diagram, threads_each, nullptr, tile);
            });
    }
    return run<ReductionPersistence>(
        images, num_threads, [&](auto& engine, const auto& image, auto& diagram, int threads_each) {
            engine.compute(image, options, diagram, threads_each);
        });
}

template BatchDiagrams<float> batch_persistence(const std::vector<ImageView<float>>&,
                                                const FiltrationOptions&, Algorithm, int, TileSize);
template BatchDiagrams<double> batch_persistence(const std::vector<ImageView<double>>&,
                                                 const FiltrationOptions&, Algorithm, int,
                                                 TileSize);

std::vector<BettiNumbers> batch_betti_numbers(const std::vector<ImageView<std::uint8_t>>& masks,
                                              Connectivity connectivity, bool frame,
                                              int num_threads) {
    return count_batch<BettiCounter>(masks, num_threads, 2 * 65536, connectivity, frame);
}

}  // namespace toponet
