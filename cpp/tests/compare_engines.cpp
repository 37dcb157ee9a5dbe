// Compares both engines, tiles with whole images, threads with one thread, a used engine with a new
// one, and Betti numbers with diagrams, on random small images full of ties. Says how many agreed;
// ends with exit code 1 at the first difference.
//
//     compare_engines [images = 100000] [seed = 0]

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "awkward_values.hpp"
#include "equal_diagrams.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/loss/topological_loss.hpp"
#include "toponet/persistence/batch.hpp"
#include "toponet/persistence/persistence.hpp"

namespace {

using namespace toponet;

template <class Value>
struct Batch {
    std::vector<std::vector<Value>> pixels;
    std::vector<ImageView<Value>> views;
};

template <class Value>
Batch<Value> random_batch(std::mt19937_64& random, std::size_t count) {
    Batch<Value> batch;
    for (std::size_t i = 0; i < count; ++i) {
        const auto height = static_cast<std::int64_t>(1 + random() % 12);
        const auto width = static_cast<std::int64_t>(1 + random() % 12);
        const auto stride = width + static_cast<std::int64_t>(random() % 3);
        const auto levels = static_cast<unsigned>(2 + random() % (random() % 4 ? 6 : 1000));
        std::vector<Value> pixels(to_size(height * stride));
        for (Value& pixel : pixels) pixel = awkward_value<Value>(random, levels);
        batch.pixels.push_back(std::move(pixels));
        batch.views.push_back({batch.pixels.back().data(), height, width, stride});
    }
    return batch;
}

template <class Value>
bool equal(const BatchDiagrams<Value>& a, const BatchDiagrams<Value>& b) {
    return a.values == b.values && a.pixels == b.pixels && a.dimensions == b.dimensions &&
           a.splits == b.splits;
}

/// Betti numbers of {f >= t} by the diagrams and by counting runs of the mask.
template <class Value>
bool betti_numbers_agree(const Batch<Value>& batch, const BatchDiagrams<Value>& diagrams,
                         const FiltrationOptions& options, Value threshold) {
    std::vector<std::vector<std::uint8_t>> masks;
    std::vector<ImageView<std::uint8_t>> views;
    for (const ImageView<Value>& image : batch.views) {
        std::vector<std::uint8_t> mask;
        for (std::int64_t i = 0; i < image.pixel_count(); ++i) {
            mask.push_back(image.at(i) >= threshold);
        }
        masks.push_back(std::move(mask));
        views.push_back({masks.back().data(), image.height, image.width, image.width});
    }
    const auto counted = batch_betti_numbers(views, options.connectivity, options.frame, 2);
    for (std::size_t i = 0; i < views.size(); ++i) {
        std::int64_t alive[2] = {0, 0};
        for (auto row = to_size(diagrams.splits[i]); row < to_size(diagrams.splits[i + 1]); ++row) {
            alive[diagrams.dimensions[row]] +=
                diagrams.values[2 * row] >= threshold && diagrams.values[2 * row + 1] < threshold;
        }
        if (alive[0] != counted[i].components || alive[1] != counted[i].holes) return false;
    }
    return true;
}

/// Losses and gradients with three threads are those with one, for whole images and for patches
/// that overlap.
template <class Value>
bool losses_agree(const Batch<Value>& batch, const FiltrationOptions& options,
                  std::mt19937_64& random) {
    const ImageView<Value>& first = batch.views[0];
    const auto pixels = to_size(first.pixel_count());
    std::vector<Value> likelihood(pixels);
    std::vector<std::uint8_t> mask(pixels);
    for (std::size_t i = 0; i < pixels; ++i) {
        const Value value = first.at(static_cast<std::int64_t>(i));
        likelihood[i] = std::min(std::max(value, Value(0)), Value(1));
        mask[i] = random() % 2;
    }
    const ImageView<Value> view{likelihood.data(), first.height, first.width, first.width};
    const bool overlap = random() % 2 != 0;
    PatchBatch<Value> patches;
    patches.likelihoods.assign(4, view);
    patches.overlap = overlap;
    Truths truths;
    truths.masks.assign(4, {mask.data(), MaskType::uint8, first.width});
    for (int image = 0; image < 4; ++image) {
        for (int patch = 0; patch < (overlap ? 3 : 1); ++patch) {
            const std::int64_t rows = overlap ? first.height - first.height / 3 : first.height;
            const std::int64_t row = patch % 2 ? first.height - rows : 0;
            patches.boxes.push_back({row, 0, rows, first.width});
            patches.weights.push_back(patch == 2 ? 0.0 : 0.5);
        }
    }
    LossOptions loss_options;
    loss_options.filtration = options;
    loss_options.filtration.frame_value = 1;
    std::vector<Value> gradients[2];
    std::vector<double> losses[2];
    for (int k = 0; k < 2; ++k) {
        gradients[k].resize(pixels * 4);
        losses[k].resize(4);
        topological_loss(patches, truths, loss_options, 1 + 2 * k, gradients[k].data(),
                         losses[k].data());
    }
    return gradients[0] == gradients[1] && losses[0] == losses[1];
}

/// Enough pixels for several threads: a batch, and one image whose rows and dimensions are shared.
template <class Value>
bool threads_agree(std::mt19937_64& random) {
    const auto levels = static_cast<unsigned>(2 + random() % 1000);
    std::vector<Value> pixels(600 * 500);
    for (Value& pixel : pixels) pixel = awkward_value<Value>(random, levels);
    std::vector<ImageView<Value>> batch;
    for (std::int64_t i = 0; i < 10; ++i)
        batch.push_back({pixels.data() + i * 30000, 60, 490, 500});
    const std::vector<ImageView<Value>> large(1, {pixels.data(), 600, 490, 500});
    for (const bool frame : {false, true}) {
        const FiltrationOptions options{true, true, Connectivity::eight, frame, 1.0};
        for (const auto& images : {batch, large}) {
            const auto alone = batch_persistence(images, options, Algorithm::union_find, 1);
            const auto shared = batch_persistence(images, options, Algorithm::union_find, 4);
            if (!equal(alone, shared)) return false;
        }
    }
    return true;
}

/// Sides of a few pixels; by turns none, which leaves the choice to the engine.
TileSize random_tile(std::mt19937_64& random) {
    return {static_cast<std::int64_t>(random() % 6), static_cast<std::int64_t>(random() % 6)};
}

/// One engine for all images, with options and tiles by turns, answers as a new one for each does:
/// nothing that its workspace keeps may show.
template <class Value>
bool reuse_agrees(const Batch<Value>& batch, std::mt19937_64& random) {
    UnionFindPersistence<Value> engine;
    Diagram<Value> diagram;
    for (const ImageView<Value>& image : batch.views) {
        for (int turn = 0; turn < 3; ++turn) {
            const auto connectivity = random() % 2 ? Connectivity::four : Connectivity::eight;
            const FiltrationOptions options{random() % 4 != 0, random() % 4 != 0, connectivity,
                                            random() % 2 != 0, 1.0};
            UnionFindPersistence<Value> fresh;
            Diagram<Value> expected;
            engine.compute(image, options, diagram, 1, nullptr, random_tile(random));
            fresh.compute(image, options, expected);
            if (!equal_diagrams(diagram, expected)) return false;
        }
    }
    return true;
}

template <class Value>
bool check(std::mt19937_64& random, std::size_t count) {
    if (!threads_agree<Value>(random)) return false;
    const Batch<Value> batch = random_batch<Value>(random, count);
    if (!reuse_agrees(batch, random)) return false;
    for (const Connectivity connectivity : {Connectivity::four, Connectivity::eight}) {
        for (const bool frame : {false, true}) {
            const FiltrationOptions options{true, true, connectivity, frame, 1.0};
            const auto fast = batch_persistence(batch.views, options, Algorithm::union_find, 1);
            const auto shared = batch_persistence(batch.views, options, Algorithm::union_find, 3);
            const auto slow = batch_persistence(batch.views, options, Algorithm::reduction, 2);
            const auto tiled = batch_persistence(batch.views, options, Algorithm::union_find, 1,
                                                 random_tile(random));
            if (!equal(fast, slow) || !equal(fast, shared) || !equal(fast, tiled)) return false;
            if (!betti_numbers_agree(batch, fast, options, Value(0.5))) return false;
            if (!losses_agree(batch, options, random)) return false;
        }
    }
    return true;
}

}  // namespace

int main(int argument_count, char** arguments) {
    const long images = argument_count > 1 ? std::atol(arguments[1]) : 100000;
    const auto seed = static_cast<std::uint64_t>(argument_count > 2 ? std::atol(arguments[2]) : 0);
    constexpr long at_once = 500;
    for (long done = 0; done < images; done += at_once) {
        std::mt19937_64 random(seed + static_cast<std::uint64_t>(done));
        const auto half = to_size(std::min(at_once, images - done) + 1) / 2;
        if (!check<float>(random, half) || !check<double>(random, half)) {
            std::fprintf(stderr, "difference among images %ld to %ld of seed %lu\n", done,
                         done + at_once, static_cast<unsigned long>(seed));
            return 1;
        }
    }
    std::printf("%ld images, both connectivities, with and without frame: no difference\n", images);
    return 0;
}
