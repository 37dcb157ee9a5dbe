#include "toponet/batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "toponet/parallel_for.hpp"
#include "toponet/persistence.hpp"

namespace toponet {
namespace {

template <class View>
int useful_threads(const std::vector<View>& images, int num_threads) {
    // Starting a thread takes about as long as the persistence of this many pixels.
    constexpr std::int64_t pixels_per_thread = 4096;
    std::int64_t pixels = 0;
    for (const View& image : images) pixels += image.pixel_count();
    return static_cast<int>(
        std::max<std::int64_t>(1, std::min<std::int64_t>(num_threads, pixels / pixels_per_thread)));
}

template <class Value>
void append_rows(const Diagram<Value>& diagram, BatchDiagrams<Value>& rows) {
    for (std::int8_t dimension = 0; dimension < 2; ++dimension) {
        for (const PersistencePair<Value>& pair : diagram.dimension[dimension]) {
            rows.values.push_back(pair.birth);
            rows.values.push_back(pair.death);
            rows.pixels.push_back(pair.birth_pixel);
            rows.pixels.push_back(pair.death_pixel);
            rows.dimensions.push_back(dimension);
        }
    }
}

/// Computes one diagram of a batch; a mistake in the image is named by the image's index.
template <class Engine, class Value>
void compute_image(Engine& engine, const std::vector<ImageView<Value>>& images, std::int64_t i,
                   const FiltrationOptions& options, Diagram<Value>& diagram) {
    try {
        engine.compute(images[static_cast<std::size_t>(i)], options, diagram);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument("image " + std::to_string(i) + " " + error.what());
    }
}

template <template <class> class Engine, class Value>
BatchDiagrams<Value> run(const std::vector<ImageView<Value>>& images,
                         const FiltrationOptions& options, int num_threads) {
    const int threads = useful_threads(images, num_threads);
    const auto workers = static_cast<std::size_t>(threads);
    std::vector<Engine<Value>> engines(workers);
    std::vector<Diagram<Value>> diagrams(workers);
    std::vector<BatchDiagrams<Value>> parts(workers);
    struct Piece {
        std::size_t worker;
        std::size_t begin;
        std::size_t end;
    };
    std::vector<Piece> pieces(images.size());

    const auto count = static_cast<std::int64_t>(images.size());
    parallel_for(count, threads, [&](int thread, std::int64_t i) {
        const auto worker = static_cast<std::size_t>(thread);
        const auto image = static_cast<std::size_t>(i);
        compute_image(engines[worker], images, i, options, diagrams[worker]);
        const std::size_t begin = parts[worker].dimensions.size();
        append_rows(diagrams[worker], parts[worker]);
        pieces[image] = {worker, begin, parts[worker].dimensions.size()};
    });

    // Which thread got which image is chance; the order of the result is not.
    BatchDiagrams<Value> result;
    result.splits.reserve(images.size() + 1);
    result.splits.push_back(0);
    std::size_t total = 0;
    for (const Piece& piece : pieces) {
        total += piece.end - piece.begin;
        result.splits.push_back(static_cast<std::int64_t>(total));
    }
    result.values.reserve(2 * total);
    result.pixels.reserve(2 * total);
    result.dimensions.reserve(total);
    const auto append = [](auto& target, const auto& source, std::size_t begin, std::size_t end) {
        target.insert(target.end(), source.begin() + static_cast<std::ptrdiff_t>(begin),
                      source.begin() + static_cast<std::ptrdiff_t>(end));
    };
    for (const Piece& piece : pieces) {
        const BatchDiagrams<Value>& part = parts[piece.worker];
        append(result.values, part.values, 2 * piece.begin, 2 * piece.end);
        append(result.pixels, part.pixels, 2 * piece.begin, 2 * piece.end);
        append(result.dimensions, part.dimensions, piece.begin, piece.end);
    }
    return result;
}

}  // namespace

template <class Value>
BatchDiagrams<Value> batch_persistence(const std::vector<ImageView<Value>>& images,
                                       const FiltrationOptions& options, Algorithm algorithm,
                                       int num_threads) {
    return algorithm == Algorithm::union_find
               ? run<UnionFindPersistence>(images, options, num_threads)
               : run<ReductionPersistence>(images, options, num_threads);
}

template BatchDiagrams<float> batch_persistence(const std::vector<ImageView<float>>&,
                                                const FiltrationOptions&, Algorithm, int);
template BatchDiagrams<double> batch_persistence(const std::vector<ImageView<double>>&,
                                                 const FiltrationOptions&, Algorithm, int);

template <class Value>
void batch_topological_loss(const std::vector<ImageView<Value>>& images,
                            const std::vector<BinaryTruth>& truths,
                            const FiltrationOptions& filtration, const MatchingOptions& matching,
                            int num_threads, Value* gradient, double* losses) {
    const int threads = useful_threads(images, num_threads);
    const auto workers = static_cast<std::size_t>(threads);
    std::vector<UnionFindPersistence<Value>> engines(workers);
    std::vector<Diagram<Value>> diagrams(workers);
    std::vector<BinaryMatcher> matchers(workers);
    const auto count = static_cast<std::int64_t>(images.size());
    parallel_for(count, threads, [&](int thread, std::int64_t i) {
        const auto worker = static_cast<std::size_t>(thread);
        const BinaryTruth& truth = truths[static_cast<std::size_t>(i)];
        Diagram<Value>& diagram = diagrams[worker];
        compute_image(engines[worker], images, i, filtration, diagram);
        const std::int64_t pixels = images[static_cast<std::size_t>(i)].pixel_count();
        Value* image_gradient = gradient + i * pixels;
        std::fill_n(image_gradient, pixels, Value(0));
        losses[i] = 0;
        const bool wanted[2] = {filtration.dimension_0, filtration.dimension_1};
        for (std::size_t dimension = 0; dimension < 2; ++dimension) {
            if (!wanted[dimension]) continue;
            losses[i] += matchers[worker].match(
                diagram.dimension[dimension], truth.dimension[dimension], matching, image_gradient);
        }
    });
}

template void batch_topological_loss(const std::vector<ImageView<float>>&,
                                     const std::vector<BinaryTruth>&, const FiltrationOptions&,
                                     const MatchingOptions&, int, float*, double*);
template void batch_topological_loss(const std::vector<ImageView<double>>&,
                                     const std::vector<BinaryTruth>&, const FiltrationOptions&,
                                     const MatchingOptions&, int, double*, double*);

std::vector<BettiNumbers> batch_betti_numbers(const std::vector<ImageView<std::uint8_t>>& masks,
                                              Connectivity connectivity, bool frame,
                                              int num_threads) {
    const int threads = useful_threads(masks, num_threads);
    std::vector<BettiCounter> counters(static_cast<std::size_t>(threads));
    std::vector<BettiNumbers> numbers(masks.size());
    const auto count = static_cast<std::int64_t>(masks.size());
    parallel_for(count, threads, [&](int thread, std::int64_t i) {
        const auto mask = static_cast<std::size_t>(i);
        numbers[mask] =
            counters[static_cast<std::size_t>(thread)].count(masks[mask], connectivity, frame);
    });
    return numbers;
}

}  // namespace toponet
