// Walls between the wanted features of one component at the threshold, by flooding (Meyer 1994).
//
// Up to the pixel where the first two of them meet, each lies in a region of its own; these regions
// are found without sorting. Only the band of pixels from there on is sorted and flooded.

#include <algorithm>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/segmentation/euler.hpp"
#include "toponet/segmentation/settling.hpp"

namespace toponet {
namespace {

/// Regions are numbered from 0 on; as labels they are shifted, because 0 means unlabelled.
constexpr std::int32_t as_label(std::int32_t region) { return region + 1; }
constexpr std::int32_t as_region(std::int32_t label) { return label - 1; }

constexpr std::int32_t outside_region = 0;

}  // namespace

template <class Value>
void Settling<Value>::wall_off(std::int32_t component, const Wanted* begin, const Wanted* end) {
    const bool outside = components_[to_size(component)].eldest == MergeTree<Value>::outside;
    parent_.clear();
    owner_.clear();
    walls_.clear();
    new_region(outside ? MergeTree<Value>::outside : nobody);
    flood_below(component, components_[to_size(component)].meeting);
    flood_above(begin, end);
    wall_dents(component);
    if (holes_ != nullptr && encloses_holes(component, static_cast<std::int32_t>(end - begin))) {
        pieces_.for_each_run(component, [&](const Pieces::Run& run) {
            std::fill(label_.begin() + run.begin, label_.begin() + run.end, unlabelled);
        });
        components_[to_size(component)].state = State::shown;
        remainder_.undivided += end - begin - 1;
        return;
    }
    keep_walls(component);
}

template <class Value>
std::int32_t Settling<Value>::new_region(std::int32_t owner) {
    parent_.push_back(static_cast<std::int32_t>(parent_.size()));
    owner_.push_back(owner);
    return parent_.back();
}

/// Labels what enters before the first meeting, region after region.
template <class Value>
void Settling<Value>::flood_below(std::int32_t component, std::int32_t meeting) {
    band_.clear();
    pieces_.for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t start = run.begin; start < run.end; ++start) {
            if (!side_->before(start, meeting)) {
                band_.push_back(start);
                continue;
            }
            if (label_[to_size(start)] != unlabelled) continue;
            const std::int32_t region = new_region(nobody);
            label_[to_size(start)] = as_label(region);
            stack_.assign(1, start);
            while (!stack_.empty()) {
                const std::int32_t pixel = stack_.back();
                stack_.pop_back();
                for (const std::int32_t next : side_->near(pixel)) {
                    if (next == outside_pixel) {
                        // Every region that touches the outside belongs to it.
                        parent_[to_size(region)] = outside_region;
                    } else if (side_->before(next, meeting) &&
                               label_[to_size(next)] == unlabelled) {
                        label_[to_size(next)] = as_label(region);
                        stack_.push_back(next);
                    }
                }
            }
        }
    });
}

/// Floods the band: a pixel that touches regions of two owners becomes a wall.
template <class Value>
void Settling<Value>::flood_above(const Wanted* begin, const Wanted* end) {
    const auto region_of = [&](std::int32_t pixel) {
        return find_representative(parent_, as_region(label_[to_size(pixel)]));
    };
    std::vector<std::int32_t> late;
    for (const Wanted* wanted = begin; wanted != end; ++wanted) {
        const std::int32_t first = tree_->first_pixel(wanted->feature);
        if (label_[to_size(first)] == unlabelled) {
            late.push_back(first);
        } else {
            owner_[to_size(region_of(first))] = wanted->feature;
        }
    }
    std::sort(late.begin(), late.end());
    std::sort(band_.begin(), band_.end(),
              [&](std::int32_t a, std::int32_t b) { return side_->before(a, b); });
    const auto first_pixel = [&](std::int32_t owner) {
        return owner == MergeTree<Value>::outside ? outside_pixel : tree_->first_pixel(owner);
    };
    for (const std::int32_t pixel : band_) {
        Neighbours regions;
        std::int32_t owner = nobody;
        std::int32_t youngest = nobody;
        bool between_two = false;
        for (const std::int32_t other : side_->near(pixel)) {
            if (other != outside_pixel && label_[to_size(other)] <= 0) continue;
            const std::int32_t region = other == outside_pixel ? outside_region : region_of(other);
            regions.add(region);
            const std::int32_t claim = owner_[to_size(region)];
            if (claim == nobody) continue;
            if (owner == nobody) owner = youngest = claim;
            if (side_->before(first_pixel(youngest), first_pixel(claim))) youngest = claim;
            between_two |= claim != owner;
        }
        if (between_two) {
            label_[to_size(pixel)] = wall;
            walls_.push_back({youngest, pixel});
            continue;
        }
        if (regions.count == 0) {
            const bool claimed = std::binary_search(late.begin(), late.end(), pixel);
            regions.add(new_region(claimed ? tree_->beginning_at(pixel) : nobody));
        }
        // The one with an owner takes the others in.
        std::int32_t winner = regions.pixels[0];
        for (const std::int32_t region : regions) {
            if (owner_[to_size(region)] != nobody) winner = region;
        }
        for (const std::int32_t region : regions) parent_[to_size(region)] = winner;
        label_[to_size(pixel)] = as_label(winner);
    }
}

/// A dent that only walls enclose becomes wall, for the feature of the smallest wall pixel beside.
template <class Value>
void Settling<Value>::wall_dents(std::int32_t component) {
    const auto region_of = [&](std::int32_t label) {
        return find_representative(parent_, as_region(label));
    };
    dent_owner_.assign(parent_.size(), nobody);
    std::sort(walls_.begin(), walls_.end(),
              [](const Edit& a, const Edit& b) { return a.pixel < b.pixel; });
    bool any = false;
    for (const Edit& edit : walls_) {
        for (const std::int32_t other : side_->near(edit.pixel)) {
            if (other == outside_pixel || label_[to_size(other)] <= 0) continue;
            const auto region = to_size(region_of(label_[to_size(other)]));
            if (owner_[region] != nobody || dent_owner_[region] != nobody) continue;
            dent_owner_[region] = edit.feature;
            any = true;
        }
    }
    if (!any) return;
    pieces_.for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
            if (label_[to_size(pixel)] <= 0) continue;
            const std::int32_t owner = dent_owner_[to_size(region_of(label_[to_size(pixel)]))];
            if (owner != nobody) walls_.push_back({owner, pixel});
        }
    });
    for (const Edit& edit : walls_) label_[to_size(edit.pixel)] = wall;
}

/// Whether one of the pieces between the walls has a hole.
template <class Value>
bool Settling<Value>::encloses_holes(std::int32_t component, std::int32_t pieces) {
    std::int32_t euler = 0;
    // Pixels join in index order, so that only these four neighbours can have done so before.
    constexpr unsigned earlier = 1u << 7 | 1u << 0 | 1u << 1 | 1u << 6;
    pieces_.for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
            if (label_[to_size(pixel)] <= 0) continue;
            const unsigned link = side_->link(pixel, false, [&](std::int32_t other) {
                return side_->inside(other) && label_[to_size(other)] > 0;
            });
            euler += euler_gain(link & earlier, side_->connectivity);
        }
    });
    return euler != pieces;
}

/// Makes the labels those of groups, one for each owner.
template <class Value>
void Settling<Value>::keep_walls(std::int32_t component) {
    components_[to_size(component)].state = State::walled;
    for (const Edit& edit : walls_) {
        act(edit.feature, Action::walled);
        change(edit.feature, edit.pixel);
    }
    std::vector<std::int32_t>& group_of = dent_owner_;
    group_of.assign(parent_.size(), 0);
    pieces_.for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) {
            std::int32_t& label = label_[to_size(pixel)];
            if (label <= 0) continue;
            const auto region = to_size(find_representative(parent_, as_region(label)));
            if (group_of[region] == 0) {
                const bool outside = owner_[region] == MergeTree<Value>::outside;
                group_of[region] = outside ? outside_group : ++groups_;
            }
            label = group_of[region];
        }
    });
}

template class Settling<float>;
template class Settling<double>;

}  // namespace toponet
