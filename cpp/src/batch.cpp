#include "toponet/batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "toponet/parallel_for.hpp"
#include "toponet/persistence.hpp"

namespace toponet {
namespace {

/// How threads are divided: so many images at a time, and so many threads for each.
struct Division {
    int images;
    int threads_each;
};

/// \param pixels_per_thread  as many as are worth a thread: starting one takes some 50
/// microseconds.
template <class View>
Division divide_threads(const std::vector<View>& images, int num_threads,
                        std::int64_t pixels_per_thread) {
    // Within an image the parts have to wait for each other a few times.
    constexpr std::int64_t pixels_per_thread_of_an_image = 65536;
    std::int64_t pixels = 0;
    for (const View& image : images) pixels += image.pixel_count();
    const auto count = static_cast<std::int64_t>(images.size());
    const std::int64_t useful =
        std::max<std::int64_t>(1, std::min<std::int64_t>(num_threads, pixels / pixels_per_thread));
    if (count == 0 || useful <= count) return {static_cast<int>(useful), 1};
    const std::int64_t each =
        std::min(useful / count, pixels / count / pixels_per_thread_of_an_image);
    return {static_cast<int>(count), static_cast<int>(std::max<std::int64_t>(1, each))};
}

/// Computes one diagram of a batch; a mistake in the image is named by the image's index.
template <class Engine, class Value>
void compute_image(Engine& engine, const std::vector<ImageView<Value>>& images, std::int64_t i,
                   const FiltrationOptions& options, int num_threads, Diagram<Value>& diagram) {
    try {
        engine.compute(images[static_cast<std::size_t>(i)], options, diagram, num_threads);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument("image " + std::to_string(i) + " " + error.what());
    }
}

/// Where one image's pairs lie: in which worker's, from where on, and how many a dimension.
struct Piece {
    std::size_t worker = 0;
    std::size_t begin = 0;
    std::size_t count[2] = {0, 0};
};

/// Which worker got which image is chance; the order of the result is not.
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
    const auto rows = static_cast<std::size_t>(total);
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

template <template <class> class Engine, class Value>
BatchDiagrams<Value> run(const std::vector<ImageView<Value>>& images,
                         const FiltrationOptions& options, int num_threads) {
    const Division division = divide_threads(images, num_threads, Engine<Value>::pixels_per_thread);
    const auto workers = static_cast<std::size_t>(division.images);
    std::vector<Engine<Value>> engines(workers);
    std::vector<Diagram<Value>> diagrams(workers);
    std::vector<std::vector<PersistencePair<Value>>> pairs(workers);
    std::vector<Piece> pieces(images.size());
    const auto count = static_cast<std::int64_t>(images.size());
    parallel_for(count, division.images, [&](int thread, std::int64_t i) {
        const auto worker = static_cast<std::size_t>(thread);
        Diagram<Value>& diagram = diagrams[worker];
        compute_image(engines[worker], images, i, options, division.threads_each, diagram);
        Piece& piece = pieces[static_cast<std::size_t>(i)];
        if (pairs[worker].empty()) {
            // Images of a batch resemble each other; growing by doubling would touch twice the
            // memory for the first time, which takes longer than filling it.
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
    const Division division =
        divide_threads(images, num_threads, UnionFindPersistence<Value>::pixels_per_thread);
    const auto workers = static_cast<std::size_t>(division.images);
    std::vector<UnionFindPersistence<Value>> engines(workers);
    std::vector<Diagram<Value>> diagrams(workers);
    std::vector<BinaryMatcher> matchers(workers);
    const auto count = static_cast<std::int64_t>(images.size());
    parallel_for(count, division.images, [&](int thread, std::int64_t i) {
        const auto worker = static_cast<std::size_t>(thread);
        const BinaryTruth& truth = truths[static_cast<std::size_t>(i)];
        Diagram<Value>& diagram = diagrams[worker];
        compute_image(engines[worker], images, i, filtration, division.threads_each, diagram);
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
    const int threads = divide_threads(masks, num_threads, 2 * 65536).images;
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
