// Components without a wanted feature: each is taken away, or joined to its elder, whichever is
// cheaper.
//
// The way from a component to its elder leads over the pixel where they meet, and from there along
// steepest paths. If such a path ends at another first pixel, the way goes on through the merge
// tree from there.

#include <algorithm>
#include <cmath>

#include "toponet/segmentation/settling.hpp"

namespace toponet {

template <class Value>
void Settling<Value>::fill_or_open(std::int32_t component) {
    Component& own = components_[to_size(component)];
    if (own.state != State::free) return;  // It lay on another one's way.
    if (open(component)) return;
    own.state = State::taken;
    act(own.eldest, Action::taken);
    pieces_->for_each_run(component, [&](const Pieces::Run& run) {
        for (std::int32_t pixel = run.begin; pixel < run.end; ++pixel) change(own.eldest, pixel);
    });
}

/// Joins a component to its elder, if that is cheaper than to take it away. Not if the elder isn't
/// shown, or if two components that stay would be joined.
template <class Value>
bool Settling<Value>::open(std::int32_t component) {
    const std::int32_t feature = components_[to_size(component)].eldest;
    const auto threshold = static_cast<double>(side_->threshold);
    const double to_birth = std::abs(birth(feature) - threshold);
    const double to_death = std::abs(death(feature) - threshold);
    const std::int32_t elder = tree_->elder(feature);
    if (elder == MergeTree<Value>::none) return false;
    if (side_->upwards() ? to_death >= to_birth : to_birth >= to_death) return false;
    if (elder != MergeTree<Value>::outside && group_at(tree_->first_pixel(elder)) == 0)
        return false;

    way_.clear();
    joined_.clear();
    if (!follow_links(feature)) return false;
    std::sort(way_.begin(), way_.end());
    way_.erase(std::unique(way_.begin(), way_.end()), way_.end());
    const std::int32_t group = find_group();
    if (group == 0) return false;
    if (!leaves_holes_alone()) return false;
    for (const std::int32_t pixel : way_) {
        label_[pixel] = group;
        change(feature, pixel);
    }
    for (const std::int32_t other : joined_) {
        components_[to_size(other)].state = State::shown;
        components_[to_size(other)].group = group;
        act(components_[to_size(other)].eldest, Action::given);
    }
    return true;
}

/// Adds the free components beside the way to those that it joins, and leaves out of the way what
/// an earlier one has opened.
/// \return the group beside the way; 0 if there are several.
template <class Value>
std::int32_t Settling<Value>::find_group() {
    std::int32_t group = 0;
    for (const std::int32_t pixel : way_) {
        Neighbours beside = side_->near(pixel);
        beside.add(pixel);
        for (const std::int32_t other : beside) {
            const std::int32_t free = free_component_at(other);
            if (free >= 0) joined_.push_back(free);
            const std::int32_t found = group_at(other);
            if (found == 0 || found == group) continue;
            if (group != 0) return 0;
            group = found;
        }
    }
    const auto is_open = [&](std::int32_t pixel) { return label_[pixel] != unlabelled; };
    way_.erase(std::remove_if(way_.begin(), way_.end(), is_open), way_.end());
    std::sort(joined_.begin(), joined_.end());
    joined_.erase(std::unique(joined_.begin(), joined_.end()), joined_.end());
    return group;
}

/// Collects the way from a feature to its elder. Links that are being followed are kept in a list
/// of their own: on an adversary's image they nest deeper than calls can.
/// \return whether it leads to something that is shown.
template <class Value>
bool Settling<Value>::follow_links(std::int32_t feature) {
    for (const std::int32_t linked : linked_) is_linked_[to_size(linked)] = 0;
    linked_.clear();
    links_.clear();
    is_linked_.resize(tree_->size());
    follow_link(feature);
    while (!links_.empty()) {
        Link& link = links_.back();
        const std::int32_t target = link.elder_side ? tree_->elder(link.feature) : link.feature;
        if (!link.started) {
            link.started = true;
            link.at = descend(first_step(link.feature, target));
        }
        switch (arrival(link.at, target)) {
            case Reached::blocked:
                return false;
            case Reached::between:
                if (is_linked_[to_size(link.at)]) {
                    link.at = tree_->elder(link.at);
                } else {
                    follow_link(link.at);
                }
                break;
            case Reached::target:
                if (!link.elder_side) {
                    link.elder_side = true;
                    link.started = false;
                    break;
                }
                links_.pop_back();
                if (!links_.empty()) links_.back().at = tree_->elder(links_.back().at);
                break;
            case Reached::shown:
                // All links that led here end here; on the younger's side none may.
                while (!links_.empty()) {
                    if (!links_.back().elder_side) return false;
                    links_.pop_back();
                }
                break;
        }
    }
    return true;
}

template <class Value>
void Settling<Value>::follow_link(std::int32_t feature) {
    is_linked_[to_size(feature)] = 1;
    linked_.push_back(feature);
    links_.push_back({feature});
    way_.push_back(tree_->meeting(feature));
}

/// The first pixel to enter, beside the one where a feature meets its elder, that lies in the piece
/// of one of the two.
template <class Value>
std::int32_t Settling<Value>::first_step(std::int32_t feature, std::int32_t target) const {
    const std::int32_t meeting = tree_->meeting(feature);
    for (const std::int32_t pixel : side_->earlier(meeting)) {
        if (root_before(pixel, meeting) == target) return pixel;
    }
    return meeting;  // Never: it meets both there.
}

/// The feature whose piece holds a pixel just before another pixel enters.
template <class Value>
std::int32_t Settling<Value>::root_before(std::int32_t start, std::int32_t pixel) const {
    if (start == outside_pixel) return MergeTree<Value>::outside;
    return root_from(tree_->end_of_path(start), pixel);
}

/// The feature whose piece has taken in that of another one just before a pixel enters.
template <class Value>
std::int32_t Settling<Value>::root_from(std::int32_t feature, std::int32_t pixel) const {
    while (feature != MergeTree<Value>::outside) {
        const std::int32_t meeting = tree_->meeting(feature);
        if (meeting == MergeTree<Value>::no_meeting || !side_->before(meeting, pixel)) break;
        feature = tree_->elder(feature);
    }
    return feature;
}

/// Adds the steepest path from a pixel to the way, up to something that is shown, a component or
/// a first pixel.
/// \return the feature there; none if the path is blocked.
template <class Value>
std::int32_t Settling<Value>::descend(std::int32_t pixel) {
    for (;;) {
        // What is shown, and the outside, stand for the features in them.
        if (group_at(pixel) != 0) return shown_feature;
        if (side_->inside(pixel)) {
            const std::int32_t component = free_component_at(pixel);
            return component < 0 ? MergeTree<Value>::none : components_[to_size(component)].eldest;
        }
        way_.push_back(pixel);
        const Neighbours earlier = side_->earlier(pixel);
        if (earlier.count == 0) return tree_->beginning_at(pixel);
        pixel = earlier.pixels[0];
    }
}

/// What a way has come to at a feature.
template <class Value>
auto Settling<Value>::arrival(std::int32_t at, std::int32_t target) -> Reached {
    if (at == MergeTree<Value>::none) return Reached::blocked;
    if (at == shown_feature || at == MergeTree<Value>::outside) return Reached::shown;
    const std::int32_t first = tree_->first_pixel(at);
    if (group_at(first) != 0) return Reached::shown;
    const std::int32_t component = free_component_at(first);
    if (component >= 0) {
        joined_.push_back(component);
    } else if (side_->inside(first)) {
        return Reached::blocked;
    }
    return at == target ? Reached::target : Reached::between;
}

template <class Value>
std::int32_t Settling<Value>::group_at(std::int32_t pixel) {
    if (pixel == outside_pixel) return side_->outside_grows ? outside_group : 0;
    const std::int32_t label = label_[pixel];
    if (label != unlabelled) return std::max(label, 0);
    if (!side_->inside(pixel)) return 0;
    const Component& component = components_[to_size(pieces_->at(pixel))];
    if (component.state == State::walled) return group_between_walls(pixel, component.meeting);
    return component.state == State::shown ? component.group : 0;
}

/// The number of the free component that holds a pixel, or -1.
template <class Value>
std::int32_t Settling<Value>::free_component_at(std::int32_t pixel) const {
    if (pixel == outside_pixel || label_[pixel] != unlabelled) return -1;
    if (!side_->inside(pixel)) return -1;
    const std::int32_t component = pieces_->at(pixel);
    return components_[to_size(component)].state == State::free ? component : -1;
}

/// Whether the way changes nothing but the number of pieces.
template <class Value>
bool Settling<Value>::leaves_holes_alone() {
    if (holes_ == nullptr) return true;
    if (holds_hole(way_)) return false;
    const bool alone =
        label_one_by_one(way_, on_the_way, true) == -static_cast<int>(joined_.size());
    if (!alone) {
        for (const std::int32_t pixel : way_) label_[pixel] = unlabelled;
    }
    return alone;
}

template class Settling<float>;
template class Settling<double>;

}  // namespace toponet
