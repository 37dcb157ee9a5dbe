#include "toponet/segmentation/settling.hpp"

#include <algorithm>
#include <numeric>

#include "toponet/basics/lean_vector.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/segmentation/euler.hpp"

namespace toponet {

template <class Value>
double Settling<Value>::end(std::int32_t pixel, double otherwise) const {
    return pixel == MergeTree<Value>::no_meeting ? otherwise
                                                 : static_cast<double>(side_->value(pixel));
}

template <class Value>
double Settling<Value>::birth(std::int32_t feature) const {
    return end(side_->upwards() ? tree_->first_pixel(feature) : tree_->meeting(feature), 1.0);
}

template <class Value>
double Settling<Value>::death(std::int32_t feature) const {
    return end(side_->upwards() ? tree_->meeting(feature) : tree_->first_pixel(feature), 0.0);
}

template <class Value>
bool Settling<Value>::is_wanted(std::int32_t feature, const Wishes& wishes) const {
    const double b = birth(feature);
    const double d = death(feature);
    const auto threshold = static_cast<double>(side_->threshold);
    if (b >= threshold && threshold > d) return wishes.keep == 0 || b - d > wishes.keep;
    return b - d > wishes.add;
}

template <class Value>
std::vector<std::int32_t> Settling<Value>::wanted_pixels() const {
    std::vector<std::int32_t> pixels;
    for (std::size_t feature = 0; feature < wanted_.size(); ++feature) {
        if (wanted_[feature])
            pixels.push_back(tree_->first_pixel(static_cast<std::int32_t>(feature)));
    }
    return pixels;
}

template <class Value>
void Settling<Value>::settle(const Side<Value>& side, MergeTree<Value>& tree, const Wishes& wishes,
                             const std::vector<std::int32_t>* holes, Pieces& pieces,
                             std::int32_t* labels, int num_threads) {
    side_ = &side;
    tree_ = &tree;
    holes_ = holes;
    pieces_ = &pieces;
    remainder_ = {};
    edits_.clear();
    label_ = labels;
    // By rows, because each thread that fills memory first makes its pages.
    parallel_for(side.height, num_threads, [&](int, std::int64_t row) {
        std::fill_n(label_ + row * side.width, side.width, unlabelled);
    });
    actions_.assign(tree.size(), Action::none);
    resize_lean(parent_, tree.size() + 1);
    std::iota(parent_.begin(), parent_.end(), 0);
    find_wanted(wishes);
    find_components();
    find_meetings();
    sort_components(num_threads);
    for (std::size_t feature = 0; feature < wanted_.size(); ++feature) {
        const auto number = static_cast<std::int32_t>(feature);
        if (wanted(number) && !side.inside(tree.first_pixel(number))) bring_out(number);
    }
    free_.clear();
    for (std::int32_t c = 0; c < pieces_->count(); ++c) {
        if (components_[to_size(c)].state == State::free) free_.push_back(c);
    }
    const auto first_pixel = [&](std::int32_t component) {
        return tree.first_pixel(components_[to_size(component)].eldest);
    };
    std::sort(free_.begin(), free_.end(), [&](std::int32_t a, std::int32_t b) {
        return side.before(first_pixel(a), first_pixel(b));
    });
    for (const std::int32_t component : free_) fill_or_open(component);
}

template <class Value>
void Settling<Value>::find_wanted(const Wishes& wishes) {
    resize_lean(wanted_, tree_->size());
    for (std::size_t feature = 0; feature < wanted_.size(); ++feature) {
        wanted_[feature] = is_wanted(static_cast<std::int32_t>(feature), wishes);
    }
}

/// Components at the threshold, with the eldest feature and the wanted ones of each.
template <class Value>
void Settling<Value>::find_components() {
    pieces_->find(*side_);
    pieces_->group_runs();
    components_.assign(to_size(pieces_->count()), Component());
    if (side_->outside_grows) {
        components_[0].eldest = MergeTree<Value>::outside;
        components_[0].group = outside_group;
    }
    wanted_inside_.clear();
    for (std::size_t feature = 0; feature < wanted_.size(); ++feature) {
        const auto number = static_cast<std::int32_t>(feature);
        const std::int32_t first = tree_->first_pixel(number);
        if (!side_->inside(first)) continue;
        const std::int32_t meeting = tree_->meeting(number);
        const bool eldest = meeting == MergeTree<Value>::no_meeting || !side_->inside(meeting);
        if (!eldest && !wanted_[feature]) continue;
        const std::int32_t component = pieces_->at(first);
        if (eldest) components_[to_size(component)].eldest = number;
        if (wanted_[feature]) {
            ++components_[to_size(component)].wanted;
            wanted_inside_.push_back({component, number});
        }
    }
    std::stable_sort(wanted_inside_.begin(), wanted_inside_.end(),
                     [](const Wanted& a, const Wanted& b) { return a.component < b.component; });
}

/// Where wanted features meet: for each the first other one, for each component the first two.
template <class Value>
void Settling<Value>::find_meetings() {
    resize_lean(wanted_meeting_, tree_->size());
    std::fill(wanted_meeting_.begin(), wanted_meeting_.end(), MergeTree<Value>::no_meeting);
    std::vector<std::uint8_t> holds_wanted(wanted_.begin(), wanted_.end());
    for (const std::int32_t younger : tree_->deaths(wanted_)) {
        if (!holds_wanted[to_size(younger)]) continue;
        const std::int32_t elder = tree_->elder(younger);
        const std::int32_t pixel = tree_->meeting(younger);
        const bool outside = elder == MergeTree<Value>::outside;
        if (!outside && !holds_wanted[to_size(elder)]) {
            holds_wanted[to_size(elder)] = 1;
            continue;
        }
        if (!outside && wanted_meeting_[to_size(elder)] == MergeTree<Value>::no_meeting) {
            wanted_meeting_[to_size(elder)] = pixel;
        }
        if (!side_->inside(pixel)) continue;
        Component& component = components_[to_size(pieces_->at(pixel))];
        if (component.meeting == MergeTree<Value>::no_meeting) component.meeting = pixel;
    }
}

template <class Value>
void Settling<Value>::sort_components(int num_threads) {
    const Wanted* next = wanted_inside_.data();
    crowds_.clear();
    for (std::int32_t c = 0; c < pieces_->count(); ++c) {
        Component& component = components_[to_size(c)];
        const Wanted* const begin = next;
        next += component.wanted;
        const bool outside = component.eldest == MergeTree<Value>::outside;
        const std::int32_t claims = component.wanted + outside;
        if (!outside && claims > 0) component.group = group_of_component(c);
        if (holes_ != nullptr && (outside || pieces_->euler_number(c) != 1)) {
            if (component.group == 0) component.group = group_of_component(c);
            component.state = State::shown;
            remainder_.kept += claims == 0;
            remainder_.undivided += std::max(0, claims - 1);
        } else if (claims > 1) {
            crowds_.push_back({c, begin, next});
        } else if (claims == 1) {
            component.state = State::shown;
        }
    }
    flood_crowds(num_threads);
}

/// A wanted feature beyond the threshold shows what lies beyond half of its height, and before it
/// meets another wanted one.
template <class Value>
void Settling<Value>::bring_out(std::int32_t feature) {
    const double level = (birth(feature) + death(feature)) / 2;
    const std::int32_t meeting = wanted_meeting_[to_size(feature)];
    const auto in_core = [&](std::int32_t pixel) {
        const auto value = static_cast<double>(side_->value(pixel));
        return (side_->upwards() ? value > level : value < level) &&
               (meeting == MergeTree<Value>::no_meeting || side_->before(pixel, meeting));
    };
    const std::int32_t first = tree_->first_pixel(feature);
    const std::int32_t group = group_of_feature(feature);
    std::vector<std::int32_t>& core = way_;
    core.assign(1, first);
    label_[first] = group;
    for (std::size_t k = 0; k < core.size(); ++k) {
        for (const std::int32_t pixel : side_->near(core[k])) {
            if (pixel == outside_pixel || label_[pixel] != unlabelled || !in_core(pixel)) {
                continue;
            }
            label_[pixel] = group;
            core.push_back(pixel);
        }
    }
    if (holes_ != nullptr && (holds_hole(core) || label_one_by_one(core, group, false) != 1)) {
        for (const std::int32_t pixel : core) label_[pixel] = unlabelled;
        core.assign(1, first);
        label_[first] = group;
    }
    act(feature, Action::brought_out);
    for (const std::int32_t pixel : core) change(feature, pixel);
}

/// Labels pixels one after the other.
/// \param joins_mask  whether they join the mask, or make a set of their own.
/// \return change of the Euler number.
template <class Value>
int Settling<Value>::label_one_by_one(const std::vector<std::int32_t>& pixels, std::int32_t label,
                                      bool joins_mask) {
    for (const std::int32_t pixel : pixels) label_[pixel] = unlabelled;
    int euler = 0;
    for (const std::int32_t pixel : pixels) {
        const unsigned link =
            side_->link(pixel, joins_mask && side_->outside_grows, [&](std::int32_t other) {
                return label_[other] == label || (joins_mask && in_mask(other));
            });
        euler += euler_gain(link, side_->connectivity);
        label_[pixel] = label;
    }
    return euler;
}

template <class Value>
bool Settling<Value>::holds_hole(const std::vector<std::int32_t>& pixels) const {
    return std::any_of(pixels.begin(), pixels.end(), [&](std::int32_t pixel) {
        return std::binary_search(holes_->begin(), holes_->end(), pixel);
    });
}

/// Whether a pixel belongs to what grows, with all edits so far.
template <class Value>
bool Settling<Value>::in_mask(std::int32_t pixel) const {
    const std::int32_t label = label_[pixel];
    if (label != unlabelled) return label > 0;
    return side_->inside(pixel) && components_[to_size(pieces_->at(pixel))].state != State::taken;
}

template class Settling<float>;
template class Settling<double>;

}  // namespace toponet
