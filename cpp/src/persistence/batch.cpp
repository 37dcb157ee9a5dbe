#include "toponet/persistence/batch.hpp"

#include <stdexcept>
#include <string>

#include "toponet/basics/divide_threads.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/persistence.hpp"

namespace toponet {
namespace {

/// Where one image's pairs lie: in which worker's, from where on, and how many a dimension.
struct Piece {
    std::size_t worker = 0;
    std::size_t begin = 0;
    std::size_t count[2] = {0, 0};
};

/// Puts the pairs in the order of the images, whichever worker got which image.
template <class Value>
BatchDiagrams<Value> gather(const std::vector<Piece>& pieces,
                            const std::vector<std::vector<PersistencePair<Value>>>& pairs) {
    BatchDiagrams<Value> result;
    result.splits.reserve(pieces.size() + 1);
    result.splits.push_back(0);
    std::int64_t total = 0;
    for (const Piece& piece : pieces) {
        total += static_cast<std::int64_t>(piece.count[0] + piece.count[1]);
        result.splits.push_back(total);
    }
    const auto rows = to_size(total);
    result.values.resize(2 * rows);
    result.pixels.resize(2 * rows);
    result.dimensions.resize(rows);
    std::size_t row = 0;
    for (const Piece& piece : pieces) {
        const PersistencePair<Value>* pair = pairs[piece.worker].data() + piece.begin;
        for (std::int8_t dimension = 0; dimension < 2; ++dimension) {
            for (std::size_t i = 0; i < piece.count[dimension]; ++i, ++row, ++pair) {
                result.values[2 * row] = pair->birth;
                result.values[2 * row + 1] = pair->death;
                result.pixels[2 * row] = pair->birth_pixel;
                result.pixels[2 * row + 1] = pair->death_pixel;
                result.dimensions[row] = dimension;
            }
        }
    }
    return result;
}

/// \param compute  compute(engine, image, diagram, num_threads) of one image.
template <template <class> class Engine, class Value, class Compute>
BatchDiagrams<Value> run(const std::vector<ImageView<Value>>& images, int num_threads,
                         const Compute& compute) {
    const Division division = divide_threads(images, num_threads, Engine<Value>::pixels_per_thread);
    const auto workers = to_size(division.tasks);
    std::vector<Engine<Value>> engines(workers);
    std::vector<Diagram<Value>> diagrams(workers);
    std::vector<std::vector<PersistencePair<Value>>> pairs(workers);
    std::vector<Piece> pieces(images.size());
    const auto count = static_cast<std::int64_t>(images.size());
    parallel_for(count, division.tasks, [&](int thread, std::int64_t i) {
        const auto worker = to_size(thread);
        Diagram<Value>& diagram = diagrams[worker];
        try {
            compute(engines[worker], images[to_size(i)], diagram, division.threads_each);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument("image " + std::to_string(i) + " " + error.what());
        }
        Piece& piece = pieces[to_size(i)];
        if (pairs[worker].empty()) {
            // Images of a batch resemble each other, so the first one tells how much room is
            // needed. Growing by doubling would touch twice as much memory for the first time,
            // which takes longer than filling it.
            const std::size_t first = diagram.dimension[0].size() + diagram.dimension[1].size();
            pairs[worker].reserve((first + first / 4 + 16) * (images.size() / workers + 1));
        }
        piece.worker = worker;
        piece.begin = pairs[worker].size();
        for (std::size_t dimension = 0; dimension < 2; ++dimension) {
            const auto& found = diagram.dimension[dimension];
            piece.count[dimension] = found.size();
            pairs[worker].insert(pairs[worker].end(), found.begin(), found.end());
        }
    });
    return gather(pieces, pairs);
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
    const int threads = divide_threads(masks, num_threads, 2 * 65536).tasks;
    std::vector<BettiCounter> counters(to_size(threads));
    std::vector<BettiNumbers> numbers(masks.size());
    const auto count = static_cast<std::int64_t>(masks.size());
    parallel_for(count, threads, [&](int thread, std::int64_t i) {
        const auto mask = to_size(i);
        numbers[mask] = counters[to_size(thread)].count(masks[mask], connectivity, frame);
    });
    return numbers;
}

}  // namespace toponet
