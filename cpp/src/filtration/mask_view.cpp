#include "toponet/filtration/mask_view.hpp"

#include <cstddef>
#include <sstream>
#include <stdexcept>

#include "toponet/basics/to_size.hpp"

namespace toponet {
namespace {

/// \return whether all pixels are 0 or 1. No early exit: the loop is vectorised.
template <class Pixel>
bool copy_pixels(const Pixel* source, std::int64_t count, std::uint8_t* bytes) {
    std::uint8_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto one = static_cast<std::uint8_t>(source[i] == Pixel(1));
        wrong |= static_cast<std::uint8_t>(source[i] != Pixel(0)) ^ one;
        bytes[i] = one;
    }
    return wrong == 0;
}

template <class Pixel>
void copy_rows(const MaskView& mask, const Box& box, std::uint8_t* bytes) {
    for (std::int64_t r = 0; r < box.height; ++r) {
        const Pixel* row =
            static_cast<const Pixel*>(mask.data) + (box.row + r) * mask.width + box.column;
        if (copy_pixels(row, box.width, bytes + r * box.width)) continue;
        while (*row == Pixel(0) || *row == Pixel(1)) ++row;
        std::ostringstream sentence;
        // As a number, not as a character.
        sentence << "must hold only 0 and 1, got " << +*row << " as well";
        throw std::invalid_argument(sentence.str());
    }
}

}  // namespace

void copy_mask(const MaskView& mask, const Box& box, std::vector<std::uint8_t>& bytes) {
    bytes.resize(to_size(box.pixel_count()));
    copy_mask(mask, box, bytes.data());
}

void copy_mask(const MaskView& mask, const Box& box, std::uint8_t* bytes) {
    switch (mask.type) {
        case MaskType::uint8:
            return copy_rows<std::uint8_t>(mask, box, bytes);
        case MaskType::int32:
            return copy_rows<std::int32_t>(mask, box, bytes);
        case MaskType::int64:
            return copy_rows<std::int64_t>(mask, box, bytes);
        case MaskType::float32:
            return copy_rows<float>(mask, box, bytes);
        case MaskType::float64:
            return copy_rows<double>(mask, box, bytes);
    }
}

}  // namespace toponet
