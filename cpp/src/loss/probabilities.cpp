#include "toponet/loss/probabilities.hpp"

#include <cmath>
#include <cstdint>
#include <iomanip>
#include <sstream>
#include <stdexcept>

namespace toponet {
namespace {

/// NaN lies outside. No early exit: the loop is vectorised.
template <class Value>
bool in_unit_interval(const Value* row, std::int64_t count) {
    unsigned outside = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        outside |= (row[i] >= Value(0) ? 0u : 1u) | (row[i] <= Value(1) ? 0u : 1u);
    }
    return outside == 0;
}

}  // namespace

template <class Value>
void check_probabilities(const ImageView<Value>& image) {
    for (std::int64_t r = 0; r < image.height; ++r) {
        const Value* row = image.row(r);
        if (in_unit_interval(row, image.width)) continue;
        while (*row >= 0 && *row <= 1) ++row;
        std::ostringstream sentence;
        // Enough digits to tell a float from 1.
        sentence << std::setprecision(9) << "must hold probabilities in [0, 1], got ";
        if (std::isnan(*row)) {
            sentence << "NaN";
        } else {
            sentence << *row << "; apply sigmoid or softmax to logits first";
        }
        throw std::invalid_argument(sentence.str());
    }
}

template void check_probabilities(const ImageView<float>&);
template void check_probabilities(const ImageView<double>&);

}  // namespace toponet
