#include "toponet/persistence/seams.hpp"

#include <algorithm>
#include <numeric>

#include "toponet/basics/lean_vector.hpp"

namespace toponet {

template <class Value>
std::int32_t Seams<Value>::global(std::size_t tile, std::int32_t number) const {
    return number < Seam<Value>::first ? 0 : first_[tile] + number - Seam<Value>::first;
}

template <class Value>
void Seams<Value>::collect_sets(const std::vector<const Seam<Value>*>& seams) {
    sets_.clear();
    sets_.push_back({Value(0), no_pixel, false});
    first_.clear();
    for (const Seam<Value>* seam : seams) {
        first_.push_back(static_cast<std::int32_t>(sets_.size()));
        sets_.insert(sets_.end(), seam->sets.begin(), seam->sets.end());
    }
    resize_lean(parent_, sets_.size());
    std::iota(parent_.begin(), parent_.end(), 0);
}

/// Joins each gate to the set where its path ends, in the tile beyond: an extremum, or the next
/// gate.
template <class Value>
void Seams<Value>::open_gates(const Tiling& tiling, std::int64_t image_width,
                              const std::vector<const Seam<Value>*>& seams) {
    for (std::size_t set = 1; set < sets_.size(); ++set) {
        if (!sets_[set].is_gate) continue;
        const std::int64_t row = sets_[set].pixel / image_width;
        const std::int64_t column = sets_[set].pixel % image_width;
        const std::int64_t tile = tiling.tile_of(row, column);
        const Box box = tiling.box(tile);
        const std::size_t place = tiling.border(tile).place(row - box.row, column - box.column);
        parent_[set] = global(to_size(tile), seams[to_size(tile)]->ends[place]);
    }
}

template <class Value>
void Seams<Value>::sort_meetings(const ImageView<Value>& image,
                                 const std::vector<const Seam<Value>*>& seams) {
    meetings_.clear();
    for (std::size_t tile = 0; tile < seams.size(); ++tile) {
        for (const auto& meeting : seams[tile]->meetings) {
            meetings_.push_back({descending_bits(image.at(meeting.pixel)),
                                 meeting.pixel,
                                 {global(tile, meeting.younger), global(tile, meeting.elder)}});
        }
    }
    radix_sort(meetings_, scratch_);
    // Tiles come one after the other, so that pixels of equal value aren't in order yet.
    const auto by_pixel = [](const Meeting& a, const Meeting& b) { return a.pixel < b.pixel; };
    for (auto begin = meetings_.begin(); begin != meetings_.end();) {
        const auto end = std::find_if(begin, meetings_.end(), [&](const Meeting& meeting) {
            return meeting.bits != begin->bits;
        });
        std::sort(begin, end, by_pixel);
        begin = end;
    }
}

template <class Value>
template <Sweep direction>
bool Seams<Value>::is_elder(std::int32_t a, std::int32_t b) const {
    if (a == 0 || b == 0) return a == 0;
    const auto& first = sets_[to_size(a)];
    const auto& second = sets_[to_size(b)];
    return direction == Sweep::upwards
               ? enters_before(first.value, first.pixel, second.value, second.pixel)
               : enters_before(second.value, second.pixel, first.value, first.pixel);
}

template <class Value>
template <Sweep direction>
void Seams<Value>::join_all() {
    const auto join = [&](const Meeting& meeting) {
        const std::int32_t a = find_representative(parent_, meeting.sets[0]);
        const std::int32_t b = find_representative(parent_, meeting.sets[1]);
        if (a == b) return;
        const bool a_is_elder = is_elder<direction>(a, b);
        const std::int32_t younger = a_is_elder ? b : a;
        const std::int32_t elder = a_is_elder ? a : b;
        parent_[to_size(younger)] = elder;
        const auto& set = sets_[to_size(younger)];
        deaths_.push_back({set.value, set.pixel, meeting.pixel, sets_[to_size(elder)].pixel});
    };
    if (direction == Sweep::upwards) {
        std::for_each(meetings_.begin(), meetings_.end(), join);
    } else {
        std::for_each(meetings_.rbegin(), meetings_.rend(), join);
    }
}

template <class Value>
void Seams<Value>::merge(const ImageView<Value>& image, const Tiling& tiling, Sweep direction,
                         const std::vector<const Seam<Value>*>& seams) {
    collect_sets(seams);
    open_gates(tiling, image.width, seams);
    sort_meetings(image, seams);
    deaths_.clear();
    if (direction == Sweep::upwards) {
        join_all<Sweep::upwards>();
    } else {
        join_all<Sweep::downwards>();
    }
    for (std::size_t set = 1; set < sets_.size(); ++set) {
        if (parent_[set] != static_cast<std::int32_t>(set)) continue;
        deaths_.push_back({sets_[set].value, sets_[set].pixel, no_pixel, no_pixel});
    }
}

template class Seams<float>;
template class Seams<double>;

}  // namespace toponet
