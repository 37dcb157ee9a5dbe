// One filtration holds both images. First all of the structure enters, which is the image inside,
// min(f, g). Then the background enters, where all of the structure is already there, which is the
// image outside, max(f, g). So one diagram tells everything, and the values of a dot tell on which
// side of the truth its pixels lie: those of the structure are likelihoods, those of the background
// are negative. A dot that is born in the structure and dies in the background is a true feature.
// (Which of several true features is elder is no longer that of either image alone. It doesn't
// matter, because each end of a true feature's dot is pulled for itself.)
//
// A tie between the likelihood and a value of the truth is so broken in favour of the truth: each
// true feature has its dot, whatever the likelihood.

#include "toponet/loss/in_place_comparison.hpp"

#include <cstddef>
#include <limits>
#include <stdexcept>

#include "toponet/basics/float_bits.hpp"
#include "toponet/basics/to_size.hpp"
#include "toponet/loss/probabilities.hpp"

namespace toponet {
namespace {

/// Maps [0, 1] to [-2, 0) so that the order is kept, and -2 to 0 back to [0, 1]. No value is
/// rounded, because bits are subtracted and not numbers: the bits of floating point numbers of one
/// sign are ordered as the numbers are. The result isn't subnormal, which some programs take for 0.
template <class Value>
Value other_side(Value value) {
    constexpr BitsOf<Value> sign = sign_bit<Value>;
    const BitsOf<Value> sum = to_bits(Value(1)) + to_bits(std::numeric_limits<Value>::min());
    const BitsOf<Value> bits = to_bits(value);
    return from_bits<Value>((~bits & sign) | (sum - (bits & ~sign)));
}

/// The values of one row in the filtration. Without a branch: with one it took a sixth of the time
/// of the loss.
template <class Value>
void filter_row(const Value* likelihood, const std::uint8_t* mask, std::int64_t width,
                Value* result) {
    for (std::int64_t c = 0; c < width; ++c) {
        const Value inside = likelihood[c] + Value(0);  // Turns -0.0 into 0.0.
        const Value outside = other_side(inside);
        result[c] = mask[c] ? inside : outside;
    }
}

/// Adds the derivative to the gradient of a pixel that is raised (-1) or lowered (+1).
/// \return the cost.
template <class Value>
double apply(const Pull& pull, std::int32_t pixel, double direction, double factor,
             Value* gradient) {
    if (pixel != no_pixel) gradient[pixel] += static_cast<Value>(direction * factor * pull.force);
    return pull.cost;
}

}  // namespace

template <class Value>
InPlaceComparison<Value>::InPlaceComparison(const Truths& truths, const LossOptions& options,
                                            int num_threads)
    : truths_(truths),
      options_(options),
      num_threads_(num_threads),
      weight_(to_in_place_weight(options.in_place_weight)) {
    if (truths.masks.empty()) throw std::invalid_argument("expected masks for 'in_place'");
}

template <class Value>
double InPlaceComparison<Value>::compare(const Patch<Value>& patch, Value* gradient) {
    check_in_batch("likelihood", patch.image, [&] { check_probabilities(patch.likelihood); });
    check_in_batch("target", patch.image,
                   [&] { copy_mask(truths_.masks[patch.image], patch.box, mask_); });
    const std::int64_t height = patch.box.height;
    const std::int64_t width = patch.box.width;
    image_.resize(to_size(height * width));
    for (std::int64_t r = 0; r < height; ++r) {
        filter_row(patch.likelihood.row(r), mask_.data() + r * width, width,
                   image_.data() + r * width);
    }
    FiltrationOptions filtration = options_.filtration;
    filtration.frame_value = 1;
    engine_.compute({image_.data(), height, width, width}, filtration, diagram_, num_threads_);
    double loss = 0;
    for (std::size_t dimension = 0; dimension < 2; ++dimension) {
        const double factor = patch.weight * options_.dimension_weights[dimension];
        double cost = 0;
        for (const Dot& dot : diagram_.dimension[dimension]) {
            cost += pull(dot, dimension, factor, gradient);
        }
        loss += factor * cost;
    }
    return loss;
}

template <class Value>
double InPlaceComparison<Value>::pull(const Dot& dot, std::size_t dimension, double factor,
                                      Value* gradient) const {
    if (dot.birth < 0) return pull_outside(dot, dimension, factor, gradient);
    if (dot.death < 0) return pull_feature(dot, dimension, factor, gradient);
    const double persistence = double(dot.birth) - double(dot.death);
    if (!(persistence > options_.min_persistence)) return 0;
    return apply(pull_surplus(1 - double(dot.death), persistence, weight_), dot.death_pixel, -1,
                 factor, gradient);
}

template <class Value>
double InPlaceComparison<Value>::pull_feature(const Dot& dot, std::size_t dimension, double factor,
                                              Value* gradient) const {
    const bool extremes = options_.in_place_extremes;
    double cost = 0;
    if (dot.birth == 0) {
        cost += pull_true(1, weight_).cost;  // It isn't there at all, so that no pixel can move.
    } else if (dimension == 1 || extremes) {
        cost +=
            apply(pull_true(1 - double(dot.birth), weight_), dot.birth_pixel, -1, factor, gradient);
    }
    if (dot.death_pixel != no_pixel && (dimension == 0 || extremes)) {
        cost += apply(pull_true(double(other_side(dot.death)), weight_), dot.death_pixel, 1, factor,
                      gradient);
    }
    return cost;
}

template <class Value>
double InPlaceComparison<Value>::pull_outside(const Dot& dot, std::size_t dimension, double factor,
                                              Value* gradient) const {
    const bool dies = dot.death_pixel != no_pixel;
    const double birth = double(other_side(dot.birth));
    const double death = dies ? double(other_side(dot.death)) : 0;
    const double persistence = birth - death;
    if (!(persistence > options_.min_persistence)) return 0;
    double cost =
        apply(pull_surplus(birth, persistence, weight_), dot.birth_pixel, 1, factor, gradient);
    if (dimension == 0 && dies) {
        cost +=
            apply(pull_apart(death, persistence, weight_), dot.death_pixel, 1, factor, gradient);
    }
    return cost;
}

template class InPlaceComparison<float>;
template class InPlaceComparison<double>;

}  // namespace toponet
