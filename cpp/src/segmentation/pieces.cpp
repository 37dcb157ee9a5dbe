#include "toponet/segmentation/pieces.hpp"

#include <algorithm>
#include <iterator>

#include "toponet/basics/disjoint_sets.hpp"
#include "toponet/basics/lean_vector.hpp"
#include "toponet/filtration/row_runs.hpp"

namespace toponet {

template <class Value>
void Pieces::find(const Side<Value>& side) {
    width_ = side.width;
    const auto width = static_cast<std::int32_t>(side.width);
    const std::int32_t reach = side.connectivity == Connectivity::eight ? 1 : 0;
    runs_.clear();
    overlaps_.clear();
    first_of_row_.clear();
    parent_.clear();
    // Node 0 is the outside, runs are numbered from 1 on.
    parent_.push_back(0);
    row_.resize(to_size(width));
    edges_.resize(to_size(width) + 1);
    // Room that isn't used costs nothing; growing would copy.
    const auto most = to_size(side.height * ((side.width + 1) / 2));
    runs_.reserve(most);
    overlaps_.reserve(most);
    parent_.reserve(most + 1);
    std::size_t above = 0;
    for (std::int64_t r = 0; r < side.height; ++r) {
        const Value* const values = side.values + r * side.width;
        if (side.upwards()) {
            for (std::int32_t c = 0; c < width; ++c) row_[to_size(c)] = values[c] >= side.threshold;
        } else {
            for (std::int32_t c = 0; c < width; ++c) row_[to_size(c)] = values[c] < side.threshold;
        }
        const std::int32_t edges = find_edges(row_.data(), width, false, edges_.data());
        const std::size_t first = runs_.size();
        first_of_row_.push_back(first);
        const auto start = static_cast<std::int32_t>(r * side.width);
        for (std::size_t k = 0; k < to_size(edges); k += 2) {
            const bool touches = side.outside_grows && (r == 0 || r == side.height - 1 ||
                                                        edges_[k] == 0 || edges_[k + 1] == width);
            parent_.push_back(touches ? 0 : static_cast<std::int32_t>(parent_.size()));
            runs_.push_back({start + edges_[k], start + edges_[k + 1], 0});
        }
        overlaps_.resize(runs_.size());
        if (r > 0) join_overlaps(above, first, runs_.size(), width, reach);
        above = first;
    }
    first_of_row_.push_back(runs_.size());
    number_pieces(side.outside_grows);
}

void Pieces::join_overlaps(std::size_t above, std::size_t row, std::size_t end, std::int32_t width,
                           std::int32_t reach) {
    for_each_overlap(runs_.data() + above, row - above, runs_.data() + row, end - row, width, reach,
                     [&](std::size_t i, std::size_t j) {
                         const auto node = [&](std::size_t run) {
                             return find_representative(parent_,
                                                        static_cast<std::int32_t>(run) + 1);
                         };
                         const std::int32_t a = node(above + i);
                         const std::int32_t b = node(row + j);
                         parent_[to_size(std::max(a, b))] = std::min(a, b);
                         ++overlaps_[row + j];
                     });
}

/// The representative of a piece is its first run, so that numbers come in the order of the runs.
void Pieces::number_pieces(bool outside) {
    resize_lean(numbers_, runs_.size() + 1);
    runs_minus_overlaps_.clear();
    if (outside) runs_minus_overlaps_.push_back(0);
    numbers_[0] = 0;
    for (std::size_t k = 0; k < runs_.size(); ++k) {
        const auto node = static_cast<std::int32_t>(k) + 1;
        const std::int32_t root = find_representative(parent_, node);
        if (root == node) {
            numbers_[to_size(node)] = count();
            runs_minus_overlaps_.push_back(0);
        }
        runs_[k].piece = numbers_[to_size(root)];
        runs_minus_overlaps_[to_size(runs_[k].piece)] += 1 - overlaps_[k];
    }
}

void Pieces::group_runs() {
    first_.assign(to_size(count()) + 2, 0);
    for (const Run& run : runs_) ++first_[to_size(run.piece) + 2];
    for (std::size_t piece = 2; piece < first_.size(); ++piece) first_[piece] += first_[piece - 1];
    resize_lean(by_piece_, runs_.size());
    for (std::size_t k = 0; k < runs_.size(); ++k) {
        by_piece_[to_size(first_[to_size(runs_[k].piece) + 1]++)] = static_cast<std::int32_t>(k);
    }
}

std::int32_t Pieces::at(std::int32_t pixel) const {
    const auto row = to_size(pixel / width_);
    const auto begin = runs_.begin() + static_cast<std::ptrdiff_t>(first_of_row_[row]);
    const auto end = runs_.begin() + static_cast<std::ptrdiff_t>(first_of_row_[row + 1]);
    const auto after = std::upper_bound(
        begin, end, pixel, [](std::int32_t p, const Run& run) { return p < run.begin; });
    return std::prev(after)->piece;
}

template void Pieces::find(const Side<float>&);
template void Pieces::find(const Side<double>&);

}  // namespace toponet
