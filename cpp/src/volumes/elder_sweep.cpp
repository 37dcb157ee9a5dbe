// Of each piece that meets another one a path of rising (falling) values leads to its extremum, so
// that only the meetings are sorted, and only what the paths pass is labelled.

#include "toponet/volumes/elder_sweep.hpp"

#include <algorithm>

#include "toponet/basics/bits.hpp"
#include "toponet/basics/lean_vector.hpp"
#include "toponet/filtration/filtration.hpp"

namespace toponet {

template <class Value>
void ElderSweep<Value>::run(const SweptVolume<Value>& volume, std::vector<std::int32_t>& labels) {
    assign_zeros_lean(labels, volume.size());
    volume.for_each_padding_cell(
        [&](std::int32_t cell) { labels[to_size(cell)] = Union::outside; });
    label_extrema(volume, labels);
    sort(volume);
    for (const Key& key : keys_) {
        Meeting& meeting = meetings_[to_size(key.meeting)];
        meeting.side = label(volume, labels, meeting.side);
        meeting.other_side = label(volume, labels, meeting.other_side);
        meet(volume, meeting);
    }
    if (direction_ == SweepDirection::of_the_complement) std::reverse(loops_.begin(), loops_.end());
    const bool outside =
        volume.outside_enters_first() == (direction_ == SweepDirection::of_the_set);
    eldest_ = outside
                  ? no_cell
                  : extrema_[to_size(pieces_.find(Union::first_extremum) - Union::first_extremum)];
}

template <class Value>
void ElderSweep<Value>::label_extrema(const SweptVolume<Value>& volume,
                                      std::vector<std::int32_t>& labels) {
    // The complement is swept backwards: of equal values the larger cell comes first there.
    if (direction_ == SweepDirection::of_the_complement) {
        std::reverse(extrema_.begin(), extrema_.end());
    }
    pieces_.reset(extrema_.size());
    std::int32_t node = Union::first_extremum;
    for (const std::int32_t cell : extrema_) {
        const Value value = volume.value(cell);
        pieces_.set_value(node, direction_ == SweepDirection::of_the_set ? value : -value);
        labels[to_size(cell)] = node++;
    }
}

template <class Value>
std::int32_t ElderSweep<Value>::label(const SweptVolume<Value>& volume,
                                      std::vector<std::int32_t>& labels, std::int32_t cell) {
    path_.clear();
    while (labels[to_size(cell)] == 0) {
        path_.push_back(cell);
        const Neighbours upper = volume.upper(cell);
        const Neighbours next =
            direction_ == SweepDirection::of_the_set ? upper & all_faces : ~upper & all_neighbours;
        cell = volume.neighbour(cell, lowest_bit(next));
    }
    const std::int32_t found = labels[to_size(cell)];
    for (const std::int32_t passed : path_) labels[to_size(passed)] = found;
    return found;
}

template <class Value>
void ElderSweep<Value>::sort(const SweptVolume<Value>& volume) {
    keys_.clear();
    reserve_lean(keys_, meetings_.size());
    for (std::size_t k = 0; k < meetings_.size(); ++k) {
        keys_.push_back(
            {descending_bits(volume.value(meetings_[k].cell)), static_cast<std::int32_t>(k)});
    }
    radix_sort(keys_, scratch_);
    if (direction_ == SweepDirection::of_the_complement) std::reverse(keys_.begin(), keys_.end());
}

template <class Value>
void ElderSweep<Value>::meet(const SweptVolume<Value>& volume, const Meeting& meeting) {
    const std::int32_t a = pieces_.find(meeting.side);
    const std::int32_t b = pieces_.find(meeting.other_side);
    if (a == b) {
        loops_.push_back(meeting);
        return;
    }
    const bool a_is_elder =
        a == Union::outside ||
        (b != Union::outside && enters_before(pieces_.value(a), a, pieces_.value(b), b));
    const std::int32_t elder = a_is_elder ? a : b;
    const std::int32_t younger = a_is_elder ? b : a;
    pieces_.join(younger, elder);
    const std::int32_t extremum = extrema_[to_size(younger - Union::first_extremum)];
    if (volume.value(extremum) == volume.value(meeting.cell)) return;
    if (direction_ == SweepDirection::of_the_set) {
        pairs_.push_back({extremum, meeting.cell});
    } else {
        pairs_.push_back({meeting.cell, extremum});
    }
}

template class ElderSweep<float>;
template class ElderSweep<double>;

}  // namespace toponet
