#include "toponet/segmentation/merge_tree.hpp"

#include "toponet/basics/lean_vector.hpp"

namespace toponet {

template <class Value>
void MergeTree<Value>::grow(const Side<Value>& side, Connectivity connectivity, bool frame,
                            int num_threads) {
    const ImageView<Value> image{side.values, side.height, side.width, side.width};
    FiltrationOptions options;
    options.connectivity = connectivity;
    options.frame = frame;
    grid_.load(image, options, num_threads);
    finder_.find(grid_.upper_links(), grid_.height(), grid_.stride(), connectivity, num_threads,
                 critical_);
    SweepSteps& steps = side.upwards() ? upwards_ : downwards_;
    steps.prepare(grid_.stride(), connectivity);
    steps_ = &steps;
    grid_.label_padding(ElderUnionFind<Value>::outside);
    saddles_.sort(grid_, critical_.saddles);

    const std::vector<std::int32_t>& extrema = side.upwards() ? critical_.maxima : critical_.minima;
    basins_.find(grid_, steps, extrema, critical_.saddles);
    resize_lean(first_, extrema.size());
    for (std::size_t k = 0; k < extrema.size(); ++k) first_[k] = grid_.pixel(extrema[k]);
    resize_lean(meeting_, extrema.size());
    resize_lean(elder_, extrema.size());
    std::fill(meeting_.begin(), meeting_.end(), no_meeting);
    std::fill(elder_.begin(), elder_.end(), none);
    deaths_.clear();
    const auto& sorted = saddles_.all();
    if (side.upwards()) {
        join<Sweep::upwards>(sorted.begin(), sorted.end());
    } else {
        join<Sweep::downwards>(sorted.rbegin(), sorted.rend());
    }
}

template <class Value>
template <Sweep direction, class Saddles>
void MergeTree<Value>::join(Saddles begin, Saddles end) {
    for (Saddles saddle = begin; saddle != end; ++saddle) {
        const std::size_t rank = to_size(saddle->rank);
        const std::size_t before = deaths_.size();
        basins_.template join<direction>(rank, [&](std::int32_t node, std::int32_t) {
            deaths_.push_back(node - ElderUnionFind<Value>::first_extremum);
        });
        if (deaths_.size() == before) continue;
        const std::int32_t pixel = grid_.pixel(critical_.saddles[rank]);
        // The outside's node comes right before those of the extrema.
        const std::int32_t elder = basins_.joined(rank) - ElderUnionFind<Value>::first_extremum;
        for (std::size_t k = before; k < deaths_.size(); ++k) {
            meeting_[to_size(deaths_[k])] = pixel;
            elder_[to_size(deaths_[k])] = elder;
        }
    }
}

template <class Value>
void MergeTree<Value>::find_ends_of_paths(const std::vector<std::int32_t>& pixels,
                                          std::vector<std::int32_t>& pieces) {
    pieces.resize(pixels.size());
    for (std::size_t k = 0; k < pixels.size(); ++k) pieces[k] = grid_.cell(pixels[k]);
    steps_->paths.follow(pieces, grid_.upper_links());
    for (std::int32_t& piece : pieces) piece = piece_of(piece);
}

template class MergeTree<float>;
template class MergeTree<double>;

}  // namespace toponet
