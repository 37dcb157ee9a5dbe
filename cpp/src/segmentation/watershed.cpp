// Walls between the wanted features of one component at the threshold, by flooding (Meyer 1994).
//
// Before the pixel where the first two of them meet, the merge tree tells the piece of every pixel.
// Only the band of pixels from there on is sorted and flooded. A region is known by a feature in
// it, and region 0 is the outside's.

#include <algorithm>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/segmentation/euler.hpp"
#include "toponet/segmentation/settling.hpp"

namespace toponet {
namespace {

constexpr std::int32_t as_region(std::int32_t feature) { return feature + 1; }

/// Labels of regions, while a component is flooded: 0 means unlabelled.
constexpr std::int32_t as_label(std::int32_t region) { return region + 1; }

}  // namespace

template <class Value>
void Settling<Value>::wall_off(Crowd& crowd, District& district) {
    const std::int32_t component = crowd.component;
    Component& own = components_[to_size(component)];
    std::vector<Edit>& walls = district.walls;
    std::vector<std::int32_t>& labelled = district.labelled;
    walls.clear();
    labelled.clear();
    for (const Wanted* wanted = crowd.begin; wanted != crowd.end; ++wanted) {
        const std::int32_t first = tree_->first_pixel(wanted->feature);
        if (!side_->before(first, own.meeting)) continue;
        // The region is the wanted feature's, even if an elder one lies in it.
        const std::int32_t root = root_before(first, own.meeting);
        parent_[to_size(as_region(root))] = as_region(wanted->feature);
    }
    label_rim(crowd, district);
    flood_band(crowd, district);
    wall_dents(component, district);
    own.state = State::walled;
    const auto wanted = static_cast<std::int32_t>(crowd.end - crowd.begin);
    if (holes_ != nullptr && encloses_holes(component, wanted)) {
        for (const std::int32_t pixel : labelled) label_[pixel] = unlabelled;
        for (const Edit& edit : walls) label_[edit.pixel] = unlabelled;
        own.state = State::shown;
        remainder_.undivided += wanted - 1;
    } else {
        for (const std::int32_t pixel : labelled) {
            std::int32_t& label = label_[pixel];
            if (label > 0) label = group_of_region(label - 1);
        }
        for (const Edit& edit : walls) act(edit.feature, Action::walled);
        district.edits.insert(district.edits.end(), walls.begin(), walls.end());
    }
}

/// The feature that a region belongs to: a wanted one, the outside, or nobody.
template <class Value>
std::int32_t Settling<Value>::owner(std::int32_t region) const {
    const std::int32_t feature = region - 1;
    if (feature == MergeTree<Value>::outside) return feature;
    return to_size(feature) < wanted_.size() && wanted(feature) ? feature : nobody;
}

/// The label of the region that a feature lies in just before the first meeting.
///
/// The feature's first pixel is labelled as well: many paths end there.
template <class Value>
std::int32_t Settling<Value>::label_of_feature(std::int32_t feature, std::int32_t meeting,
                                               District& district) {
    if (feature == MergeTree<Value>::outside) return as_label(as_region(feature));
    std::int32_t& label = label_[tree_->first_pixel(feature)];
    if (label == unlabelled) {
        label = as_label(as_region(root_from(feature, meeting)));
        district.labelled.push_back(tree_->first_pixel(feature));
    }
    return label;
}

/// The label of a pixel that has been flooded, or enters before the first meeting.
template <class Value>
std::int32_t Settling<Value>::label_at(std::int32_t pixel, std::int32_t meeting,
                                       District& district) {
    if (label_[pixel] == unlabelled) {
        const std::int32_t label = label_of_feature(tree_->end_of_path(pixel), meeting, district);
        if (label_[pixel] == unlabelled) district.labelled.push_back(pixel);
        label_[pixel] = label;
    }
    return label_[pixel];
}

template <class Value>
std::int32_t Settling<Value>::region_at(std::int32_t pixel, std::int32_t meeting,
                                        District& district) {
    return find_representative(parent_, label_at(pixel, meeting, district) - 1);
}

/// Floods all crowds. If edits may not change holes, one after the other: whether they would is
/// seen by pixels of other components as well.
template <class Value>
void Settling<Value>::flood_crowds(int num_threads) {
    // Crowds differ in size, so that each thread gets several districts. Each district follows its
    // paths at once, which is what keeps their number small.
    const std::size_t most = holes_ == nullptr && num_threads > 1 ? to_size(4 * num_threads) : 1;
    const std::size_t count = std::min(most, crowds_.size());
    districts_.resize(count);
    for (std::size_t k = 0; k < count; ++k) {
        districts_[k].first_crowd = k * crowds_.size() / count;
        districts_[k].end_crowd = (k + 1) * crowds_.size() / count;
    }
    const auto tasks = static_cast<std::int64_t>(count);
    parallel_for(tasks, num_threads,
                 [&](int, std::int64_t k) { find_bands(districts_[to_size(k)]); });
    // A region without a feature begins with a pixel of a band: there is a number for each.
    std::size_t regions = tree_->size() + 1;
    for (Crowd& crowd : crowds_) {
        crowd.next_region = static_cast<std::int32_t>(regions);
        regions += crowd.band_end - crowd.band_begin;
    }
    resize_lean(parent_, regions);
    dent_owner_.assign(regions, nobody);
    parallel_for(tasks, num_threads, [&](int, std::int64_t k) {
        District& district = districts_[to_size(k)];
        district.edits.clear();
        for (std::size_t crowd = district.first_crowd; crowd < district.end_crowd; ++crowd) {
            wall_off(crowds_[crowd], district);
        }
    });
    for (const District& district : districts_) {
        edits_.insert(edits_.end(), district.edits.begin(), district.edits.end());
    }
}

/// Finds what enters a crowd's component from the first meeting on, and the rim: what lies beside
/// and enters before.
template <class Value>
void Settling<Value>::find_band(Crowd& crowd, District& district) {
    const std::int32_t meeting = components_[to_size(crowd.component)].meeting;
    const Value level = side_->value(meeting);
    const bool upwards = side_->upwards();
    crowd.band_begin = district.band.size();
    pieces_->for_each_run(crowd.component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
            const Value value = side_->value(pixel);
            // Nearly all pixels fail this, so that ties are rarely looked at.
            if (upwards ? value > level : value < level) continue;
            if (side_->before(pixel, meeting)) continue;
            district.band.push_back({descending_bits(value), pixel});
        }
    });
    crowd.band_end = district.band.size();
    crowd.rim_begin = district.rim.size();
    for (std::size_t k = crowd.band_begin; k < crowd.band_end; ++k) {
        for (const std::int32_t pixel : side_->near(district.band[k].pixel)) {
            if (pixel == outside_pixel || label_[pixel] != unlabelled) continue;
            if (!side_->inside(pixel) || !side_->before(pixel, meeting)) continue;
            label_[pixel] = pending;
            district.rim.push_back(pixel);
        }
    }
    crowd.rim_end = district.rim.size();
}

/// Finds the bands and rims of all crowds of a district, and follows their paths.
///
/// All at once and in index order: flooding meets the pixels of a rim in the order of their values,
/// and one path after the other took twice the time.
template <class Value>
void Settling<Value>::find_bands(District& district) {
    district.band.clear();
    district.rim.clear();
    for (std::size_t crowd = district.first_crowd; crowd < district.end_crowd; ++crowd) {
        find_band(crowds_[crowd], district);
    }
    for (const std::int32_t pixel : district.rim) label_[pixel] = unlabelled;
    tree_->find_ends_of_paths(district.rim, district.rim_ends, district.paths);
}

template <class Value>
void Settling<Value>::label_rim(const Crowd& crowd, District& district) {
    const std::int32_t meeting = components_[to_size(crowd.component)].meeting;
    for (std::size_t k = crowd.rim_begin; k < crowd.rim_end; ++k) {
        label_[district.rim[k]] = label_of_feature(district.rim_ends[k], meeting, district);
        district.labelled.push_back(district.rim[k]);
    }
}

/// Floods a band: a pixel that touches two owners becomes a wall.
template <class Value>
void Settling<Value>::flood_band(Crowd& crowd, District& district) {
    std::vector<BandPixel>& sorted = district.sorted;
    sorted.assign(district.band.begin() + static_cast<std::ptrdiff_t>(crowd.band_begin),
                  district.band.begin() + static_cast<std::ptrdiff_t>(crowd.band_end));
    radix_sort(sorted, district.scratch);
    if (side_->upwards()) {
        for (const BandPixel& next : sorted) flood(next.pixel, crowd, district);
    } else {
        for (auto next = sorted.rbegin(); next != sorted.rend(); ++next) {
            flood(next->pixel, crowd, district);
        }
    }
}

template <class Value>
void Settling<Value>::flood(std::int32_t pixel, Crowd& crowd, District& district) {
    // Labels of all that entered before. Most pixels see one label only, and take it.
    Neighbours labels;
    bool alike = true;
    for (const std::int32_t other : side_->near(pixel)) {
        const std::int32_t label =
            other == outside_pixel ? as_label(as_region(MergeTree<Value>::outside)) : label_[other];
        // Without a label, it enters later or not at all.
        if (label == wall || label == unlabelled) continue;
        labels.add(label);
        alike &= label == labels.pixels[0];
    }
    const std::int32_t label =
        alike && labels.count > 0 ? labels.pixels[0] : join_regions(pixel, labels, crowd, district);
    label_[pixel] = label;
    if (label != wall) district.labelled.push_back(pixel);
}

/// Joins the regions that meet in a pixel; if two of them have owners it becomes a wall instead.
/// \return the pixel's label.
template <class Value>
std::int32_t Settling<Value>::join_regions(std::int32_t pixel, const Neighbours& labels,
                                           Crowd& crowd, District& district) {
    const auto first_pixel = [&](std::int32_t feature) {
        return feature == MergeTree<Value>::outside ? outside_pixel : tree_->first_pixel(feature);
    };
    Neighbours regions;
    std::int32_t winner = nobody;
    std::int32_t youngest = nobody;
    bool between_two = false;
    for (const std::int32_t label : labels) {
        const std::int32_t region = find_representative(parent_, label - 1);
        regions.add(region);
        const std::int32_t claim = owner(region);
        if (claim == nobody) continue;
        if (youngest == nobody || side_->before(first_pixel(youngest), first_pixel(claim))) {
            youngest = claim;
        }
        between_two |= winner != nobody && winner != region;
        winner = region;
    }
    if (between_two) {
        district.walls.push_back({youngest, pixel});
        return wall;
    }
    if (regions.count == 0) {
        // If all that entered before it is wall, it begins a region without a feature.
        const bool begins = side_->earlier(pixel).count == 0;
        regions.add(begins ? as_region(tree_->beginning_at(pixel)) : crowd.next_region++);
        if (!begins) parent_[to_size(regions.pixels[0])] = regions.pixels[0];
    }
    if (winner == nobody) winner = *std::min_element(regions.begin(), regions.end());
    for (const std::int32_t region : regions) parent_[to_size(region)] = winner;
    return as_label(winner);
}

/// A dent that only walls enclose becomes wall, for the feature of the smallest wall pixel beside.
template <class Value>
void Settling<Value>::wall_dents(std::int32_t component, District& district) {
    const std::int32_t meeting = components_[to_size(component)].meeting;
    std::vector<Edit>& walls = district.walls;
    std::sort(walls.begin(), walls.end(),
              [](const Edit& a, const Edit& b) { return a.pixel < b.pixel; });
    bool found = false;
    for (const Edit& edit : walls) {
        for (const std::int32_t other : side_->near(edit.pixel)) {
            if (other == outside_pixel || label_[other] == wall || !side_->inside(other)) continue;
            const std::int32_t region = region_at(other, meeting, district);
            if (owner(region) != nobody) continue;
            found = true;
            std::int32_t& dent = dent_owner_[to_size(region)];
            if (dent == nobody) dent = edit.feature;
        }
    }
    if (!found) return;
    pieces_->for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
            if (label_[pixel] == wall) continue;
            const std::int32_t region = region_at(pixel, meeting, district);
            const std::int32_t feature = dent_owner_[to_size(region)];
            if (feature != nobody) walls.push_back({feature, pixel});
        }
    });
    // Not before all are found: labels of first pixels speak for others.
    for (const Edit& edit : walls) label_[edit.pixel] = wall;
}

/// Whether one of the pieces between the walls has a hole.
template <class Value>
bool Settling<Value>::encloses_holes(std::int32_t component, std::int32_t pieces) const {
    std::int32_t euler = 0;
    // Pixels join in index order, so that only these four neighbours can have done so before.
    constexpr unsigned earlier = 1u << north_west | 1u << north | 1u << north_east | 1u << west;
    const auto stays = [&](std::int32_t pixel) {
        return side_->inside(pixel) && label_[pixel] != wall;
    };
    pieces_->for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
            if (!stays(pixel)) continue;
            euler += euler_gain(side_->link(pixel, false, stays) & earlier, side_->connectivity);
        }
    });
    return euler != pieces;
}

template <class Value>
std::int32_t Settling<Value>::group_of_region(std::int32_t region) {
    return group_of_feature(find_representative(parent_, region) - 1);
}

template <class Value>
std::int32_t Settling<Value>::group_between_walls(std::int32_t pixel, std::int32_t meeting) {
    return group_of_region(as_region(root_before(pixel, meeting)));
}

template class Settling<float>;
template class Settling<double>;

}  // namespace toponet
