// Compares both engines of volumes, a used engine with a new one, Betti numbers with diagrams, and
// losses of one thread with those of several, on random small volumes full of ties. Says how many
// agreed; ends with exit code 1 at the first difference.
//
//     compare_volumes [volumes = 10000] [seed = 0]

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "awkward_values.hpp"
#include "equal_diagrams.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/volumes/volume_betti_numbers.hpp"
#include "toponet/volumes/volume_loss.hpp"
#include "toponet/volumes/volume_persistence.hpp"

namespace {

using namespace toponet;

template <class Value>
struct Volume {
    std::vector<Value> voxels;
    VolumeView<Value> view;

    explicit Volume(std::mt19937_64& random) {
        const auto side = [&] { return static_cast<std::int64_t>(1 + random() % 6); };
        const std::int64_t depth = side();
        const std::int64_t height = side();
        const std::int64_t width = side();
        const std::int64_t stride = width + static_cast<std::int64_t>(random() % 3);
        const std::int64_t plane = stride * (height + static_cast<std::int64_t>(random() % 2));
        const auto levels = static_cast<unsigned>(2 + random() % (random() % 4 ? 6 : 1000));
        voxels.resize(to_size(depth * plane));
        for (Value& voxel : voxels) voxel = awkward_value<Value>(random, levels);
        view = {voxels.data(), depth, height, width, plane, stride};
    }
};

/// The dots that are alive at a threshold are the classes of the mask.
template <class Value>
bool betti_numbers_agree(const VolumeView<Value>& volume, const VolumeDiagram<Value>& diagram,
                         const VolumeOptions& options, Value threshold) {
    std::vector<std::uint8_t> mask(to_size(volume.voxel_count()));
    for (std::size_t i = 0; i < mask.size(); ++i) {
        mask[i] = volume.at(static_cast<std::int64_t>(i)) >= threshold;
    }
    VolumeBettiCounter counter;
    const VolumeBettiNumbers numbers =
        counter.count({mask.data(), volume.depth, volume.height, volume.width,
                       volume.height * volume.width, volume.width},
                      options.connectivity, options.frame);
    const std::int64_t expected[] = {numbers.pieces, numbers.tunnels, numbers.cavities};
    for (std::size_t d = 0; d < 3; ++d) {
        const auto& pairs = diagram.dimension[d];
        const auto alive = std::count_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
            return pair.birth >= threshold && pair.death < threshold;
        });
        if (alive != expected[d]) return false;
    }
    return true;
}

/// Loss and gradient of a batch don't depend on the threads, whether patches overlap or not.
template <class Value>
bool losses_agree(const VolumeOptions& filtration, std::mt19937_64& random) {
    const std::int64_t side = 5;
    const std::int64_t voxels = side * side * side;
    const std::int64_t volumes = 4;
    std::vector<Value> likelihoods(to_size(volumes * voxels));
    std::vector<std::uint8_t> masks(likelihoods.size());
    for (Value& value : likelihoods) value = static_cast<Value>(random() % 10) / Value(9);
    for (std::uint8_t& value : masks) value = random() % 3 == 0;
    for (const bool overlap : {false, true}) {
        VolumePatchBatch<Value> batch;
        batch.overlap = overlap;
        VolumeTruths truths;
        truths.height = side;
        for (std::int64_t i = 0; i < volumes; ++i) {
            batch.likelihoods.push_back(
                {likelihoods.data() + i * voxels, side, side, side, side * side, side});
            truths.masks.push_back({masks.data() + i * voxels, MaskType::uint8, side});
            const std::int64_t cut = overlap ? 2 : 3;
            batch.boxes.push_back({0, 0, 0, side, 3, side});
            batch.boxes.push_back({0, cut, 0, side, side - cut, side});
            batch.weights.insert(batch.weights.end(), {0.75, 0.25});
        }
        VolumeLossOptions options;
        options.filtration = filtration;
        std::vector<Value> gradients[2];
        std::vector<double> losses[2];
        for (int k = 0; k < 2; ++k) {
            gradients[k].resize(likelihoods.size());
            losses[k].resize(to_size(volumes));
            volume_topological_loss(batch, truths, options, 1 + 2 * k, gradients[k].data(),
                                    losses[k].data());
        }
        if (gradients[0] != gradients[1] || losses[0] != losses[1]) return false;
    }
    return true;
}

/// \param used  an engine that has seen other volumes: nothing that it keeps may show.
template <class Value>
bool check(std::mt19937_64& random, CriticalCellPersistence<Value>& used) {
    const Volume<Value> volume(random);
    for (const auto connectivity : {VolumeConnectivity::six, VolumeConnectivity::twenty_six}) {
        for (const bool frame : {false, true}) {
            VolumeOptions options;
            options.connectivity = connectivity;
            options.frame = frame;
            VolumeDiagram<Value> found;
            VolumeDiagram<Value> expected;
            used.compute(volume.view, options, found);
            VolumeReduction<Value>().compute(volume.view, options, expected);
            if (!equal_diagrams(found, expected)) return false;
            if (!betti_numbers_agree(volume.view, found, options, Value(0.5))) return false;
            if (random() % 8 == 0 && !losses_agree<Value>(options, random)) return false;
        }
    }
    return true;
}

}  // namespace

int main(int argument_count, char** arguments) {
    const long volumes = argument_count > 1 ? std::atol(arguments[1]) : 10000;
    const auto seed = static_cast<std::uint64_t>(argument_count > 2 ? std::atol(arguments[2]) : 0);
    std::mt19937_64 random(seed);
    CriticalCellPersistence<float> single;
    CriticalCellPersistence<double> twice;
    for (long i = 0; i < volumes; ++i) {
        const bool same = i % 2 ? check<float>(random, single) : check<double>(random, twice);
        if (same) continue;
        std::fprintf(stderr, "difference in volume %ld of seed %lu\n", i,
                     static_cast<unsigned long>(seed));
        return 1;
    }
    std::printf("%ld volumes, both connectivities, with and without frame: no difference\n",
                volumes);
    return 0;
}
