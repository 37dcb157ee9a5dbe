/// Whether an image holds probabilities.
#pragma once

#include "toponet/filtration/image_view.hpp"

namespace toponet {

/// \throws std::invalid_argument if a value is NaN or lies outside [0, 1].
template <class Value>
void check_probabilities(const ImageView<Value>& image);

extern template void check_probabilities(const ImageView<float>&);
extern template void check_probabilities(const ImageView<double>&);

}  // namespace toponet
