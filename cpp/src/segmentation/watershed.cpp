// Walls between the wanted features of one component at the threshold, by flooding (Meyer 1994).
//
// Before the pixel where the first two of them meet, the merge tree tells the piece of every pixel.
// Only the band of pixels from there on is sorted and flooded. A region is known by a feature in
// it, and region 0 is the outside's.

#include <algorithm>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/segmentation/euler.hpp"
#include "toponet/segmentation/settling.hpp"

namespace toponet {
namespace {

constexpr std::int32_t as_region(std::int32_t feature) { return feature + 1; }

/// Labels of regions, while a component is flooded: 0 means unlabelled.
constexpr std::int32_t as_label(std::int32_t region) { return region + 1; }

}  // namespace

template <class Value>
void Settling<Value>::wall_off(const Crowd& crowd) {
    const std::int32_t component = crowd.component;
    Component& own = components_[to_size(component)];
    const std::size_t regions = parent_.size();
    walls_.clear();
    labelled_.clear();
    for (const Wanted* wanted = crowd.begin; wanted != crowd.end; ++wanted) {
        const std::int32_t first = tree_->first_pixel(wanted->feature);
        if (!side_->before(first, own.meeting)) continue;
        // The region is the wanted feature's, even if an elder one lies in it.
        const std::int32_t root = root_before(first, own.meeting);
        parent_[to_size(as_region(root))] = as_region(wanted->feature);
    }
    label_rim(crowd);
    flood_band(crowd);
    wall_dents(component);
    own.state = State::walled;
    const auto wanted = static_cast<std::int32_t>(crowd.end - crowd.begin);
    if (holes_ != nullptr && encloses_holes(component, wanted)) {
        for (const std::int32_t pixel : labelled_) label_[pixel] = unlabelled;
        for (const Edit& edit : walls_) label_[edit.pixel] = unlabelled;
        own.state = State::shown;
        remainder_.undivided += wanted - 1;
    } else {
        for (const std::int32_t pixel : labelled_) {
            std::int32_t& label = label_[pixel];
            if (label > 0) label = group_of_region(label - 1);
        }
        for (const Edit& edit : walls_) {
            act(edit.feature, Action::walled);
            change(edit.feature, edit.pixel);
        }
    }
    parent_.resize(regions);
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
std::int32_t Settling<Value>::label_of_feature(std::int32_t feature, std::int32_t meeting) {
    if (feature == MergeTree<Value>::outside) return as_label(as_region(feature));
    std::int32_t& label = label_[tree_->first_pixel(feature)];
    if (label == unlabelled) {
        label = as_label(as_region(root_from(feature, meeting)));
        labelled_.push_back(tree_->first_pixel(feature));
    }
    return label;
}

/// The label of a pixel that has been flooded, or enters before the first meeting.
template <class Value>
std::int32_t Settling<Value>::label_at(std::int32_t pixel, std::int32_t meeting) {
    if (label_[pixel] == unlabelled) {
        const std::int32_t label = label_of_feature(tree_->end_of_path(pixel), meeting);
        if (label_[pixel] == unlabelled) labelled_.push_back(pixel);
        label_[pixel] = label;
    }
    return label_[pixel];
}

template <class Value>
std::int32_t Settling<Value>::region_at(std::int32_t pixel, std::int32_t meeting) {
    return find_representative(parent_, label_at(pixel, meeting) - 1);
}

/// Finds the bands of all crowds: what enters from the first meeting on. And their rims: what lies
/// beside a band and enters before.
///
/// All at once and in index order: flooding meets the pixels of a rim in the order of their values,
/// and one path after the other took twice the time.
template <class Value>
void Settling<Value>::find_bands() {
    band_.clear();
    rim_.clear();
    for (Crowd& crowd : crowds_) {
        const std::int32_t meeting = components_[to_size(crowd.component)].meeting;
        const Value level = side_->value(meeting);
        const bool upwards = side_->upwards();
        crowd.band_begin = band_.size();
        pieces_->for_each_run(crowd.component, [&](const Pieces::Run& run) {
            for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
                const Value value = side_->value(pixel);
                // Nearly all pixels fail this, so that ties are rarely looked at.
                if (upwards ? value > level : value < level) continue;
                if (side_->before(pixel, meeting)) continue;
                band_.push_back({descending_bits(value), pixel});
            }
        });
        crowd.band_end = band_.size();
        crowd.rim_begin = rim_.size();
        for (std::size_t k = crowd.band_begin; k < crowd.band_end; ++k) {
            for (const std::int32_t pixel : side_->near(band_[k].pixel)) {
                if (pixel == outside_pixel || label_[pixel] != unlabelled) continue;
                if (!side_->inside(pixel) || !side_->before(pixel, meeting)) continue;
                label_[pixel] = pending;
                rim_.push_back(pixel);
            }
        }
        crowd.rim_end = rim_.size();
    }
    for (const std::int32_t pixel : rim_) label_[pixel] = unlabelled;
    tree_->find_ends_of_paths(rim_, rim_ends_);
}

template <class Value>
void Settling<Value>::label_rim(const Crowd& crowd) {
    const std::int32_t meeting = components_[to_size(crowd.component)].meeting;
    for (std::size_t k = crowd.rim_begin; k < crowd.rim_end; ++k) {
        label_[rim_[k]] = label_of_feature(rim_ends_[k], meeting);
        labelled_.push_back(rim_[k]);
    }
}

/// Floods a band: a pixel that touches two owners becomes a wall.
template <class Value>
void Settling<Value>::flood_band(const Crowd& crowd) {
    sorted_.assign(band_.begin() + static_cast<std::ptrdiff_t>(crowd.band_begin),
                   band_.begin() + static_cast<std::ptrdiff_t>(crowd.band_end));
    radix_sort(sorted_, band_scratch_);
    if (side_->upwards()) {
        for (const BandPixel& next : sorted_) flood(next.pixel);
    } else {
        for (auto next = sorted_.rbegin(); next != sorted_.rend(); ++next) flood(next->pixel);
    }
}

template <class Value>
void Settling<Value>::flood(std::int32_t pixel) {
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
        alike && labels.count > 0 ? labels.pixels[0] : join_regions(pixel, labels);
    label_[pixel] = label;
    if (label != wall) labelled_.push_back(pixel);
}

/// Joins the regions that meet in a pixel; if two of them have owners it becomes a wall instead.
/// \return the pixel's label.
template <class Value>
std::int32_t Settling<Value>::join_regions(std::int32_t pixel, const Neighbours& labels) {
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
        walls_.push_back({youngest, pixel});
        return wall;
    }
    if (regions.count == 0) {
        // If all that entered before it is wall, it begins a region without a feature.
        const bool begins = side_->earlier(pixel).count == 0;
        if (!begins) parent_.push_back(static_cast<std::int32_t>(parent_.size()));
        regions.add(begins ? as_region(tree_->beginning_at(pixel))
                           : static_cast<std::int32_t>(parent_.size()) - 1);
    }
    if (winner == nobody) winner = *std::min_element(regions.begin(), regions.end());
    for (const std::int32_t region : regions) parent_[to_size(region)] = winner;
    return as_label(winner);
}

/// A dent that only walls enclose becomes wall, for the feature of the smallest wall pixel beside.
template <class Value>
void Settling<Value>::wall_dents(std::int32_t component) {
    const std::int32_t meeting = components_[to_size(component)].meeting;
    std::sort(walls_.begin(), walls_.end(),
              [](const Edit& a, const Edit& b) { return a.pixel < b.pixel; });
    dent_owner_.clear();
    for (const Edit& edit : walls_) {
        for (const std::int32_t other : side_->near(edit.pixel)) {
            if (other == outside_pixel || label_[other] == wall || !side_->inside(other)) continue;
            const std::int32_t region = region_at(other, meeting);
            if (owner(region) != nobody) continue;
            if (dent_owner_.empty()) dent_owner_.assign(parent_.size(), nobody);
            if (dent_owner_[to_size(region)] == nobody) dent_owner_[to_size(region)] = edit.feature;
        }
    }
    if (dent_owner_.empty()) return;
    pieces_->for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
            if (label_[pixel] == wall) continue;
            const std::int32_t feature = dent_owner_[to_size(region_at(pixel, meeting))];
            if (feature != nobody) walls_.push_back({feature, pixel});
        }
    });
    // Not before all are found: labels of first pixels speak for others.
    for (const Edit& edit : walls_) label_[edit.pixel] = wall;
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
