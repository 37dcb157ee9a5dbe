/// Runs an engine of persistence over a batch, and gathers what it finds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "toponet/basics/divide_threads.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/basics/workspaces.hpp"
#include "toponet/persistence/batch_diagrams.hpp"
#include "toponet/persistence/diagram.hpp"

namespace toponet {

/// Where one image's pairs lie: in which worker's, from where on, and how many a dimension. Images
/// have no dimension 2.
struct PieceOfBatch {
    std::size_t worker = 0;
    std::size_t begin = 0;
    std::size_t count[3] = {0, 0, 0};
};

/// Puts the pairs in the order of the images, whichever worker got which image.
template <class Value>
BatchDiagrams<Value> gather_batch(const std::vector<PieceOfBatch>& pieces,
                                  const std::vector<std::vector<PersistencePair<Value>>>& pairs) {
    BatchDiagrams<Value> result;
    result.splits.reserve(pieces.size() + 1);
    result.splits.push_back(0);
    std::int64_t total = 0;
    for (const PieceOfBatch& piece : pieces) {
        for (const std::size_t count : piece.count) total += static_cast<std::int64_t>(count);
        result.splits.push_back(total);
    }
    const auto rows = to_size(total);
    result.values.resize(2 * rows);
    result.pixels.resize(2 * rows);
    result.dimensions.resize(rows);
    std::size_t row = 0;
    for (const PieceOfBatch& piece : pieces) {
        const PersistencePair<Value>* pair = pairs[piece.worker].data() + piece.begin;
        for (std::int8_t dimension = 0; dimension < 3; ++dimension) {
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

/// \param noun     what the elements of the batch are called in errors.
/// \param compute  compute(engine, image, diagram, num_threads) of one image.
template <class Engine, class Diagram, class View, class Compute>
auto diagrams_of_batch(const std::vector<View>& images, const std::string& noun, int num_threads,
                       const Compute& compute) {
    using Pair = typename std::decay_t<decltype(Diagram().dimension[0])>::value_type;
    const Division division = divide_threads(images, num_threads, Engine::pixels_per_thread);
    const auto workers = to_size(division.tasks);
    Workspaces<Engine> engines(division.tasks, images);
    std::vector<Diagram> diagrams(workers);
    std::vector<std::vector<Pair>> pairs(workers);
    std::vector<PieceOfBatch> pieces(images.size());
    const auto count = static_cast<std::int64_t>(images.size());
    parallel_for(count, division.tasks, [&](int thread, std::int64_t i) {
        const auto worker = to_size(thread);
        Diagram& diagram = diagrams[worker];
        try {
            compute(engines[thread], images[to_size(i)], diagram, division.threads_each);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument(noun + " " + std::to_string(i) + " " + error.what());
        }
        PieceOfBatch& piece = pieces[to_size(i)];
        const auto& found = diagram.dimension;
        if (pairs[worker].empty()) {
            // Images of a batch resemble each other, so the first one tells how much room is
            // needed. Growing by doubling would touch twice as much memory for the first time,
            // which takes longer than filling it.
            const std::size_t first =
                std::accumulate(std::begin(found), std::end(found), std::size_t{0},
                                [](std::size_t sum, const auto& of_dimension) {
                                    return sum + of_dimension.size();
                                });
            pairs[worker].reserve((first + first / 4 + 16) * (images.size() / workers + 1));
        }
        piece.worker = worker;
        piece.begin = pairs[worker].size();
        for (std::size_t dimension = 0; dimension < std::size(found); ++dimension) {
            const auto& of_dimension = found[dimension];
            piece.count[dimension] = of_dimension.size();
            pairs[worker].insert(pairs[worker].end(), of_dimension.begin(), of_dimension.end());
        }
    });
    return gather_batch(pieces, pairs);
}

}  // namespace toponet
