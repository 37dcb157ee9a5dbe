/// The superlevel filtration of an image: its options and its total order.
///
/// Larger value first; among equal values the smaller index; the frame before every pixel;
/// -0.0 equals 0.0. Every function that compares pixels follows this order, which makes diagrams
/// and critical pixels functions of the image alone.
#pragma once

namespace toponet {

/// The connectivity of the foreground; the background has the other one.
enum class Connectivity { four = 4, eight = 8 };

struct FiltrationOptions {
    bool dimension_0 = true;
    bool dimension_1 = true;
    Connectivity connectivity = Connectivity::eight;
    /// A virtual one-pixel frame around the image, part of every superlevel set (relative homology,
    /// section 2.3 of the paper). Without it the outside is background.
    bool frame = false;
    /// Birth value of a class that is born with the frame; never below the image's maximum.
    double frame_value = 1.0;
};

/// Whether a pixel enters the filtration before another one.
template <class Value, class Index>
bool enters_before(Value value, Index index, Value other_value, Index other_index) {
    return value > other_value || (value == other_value && index < other_index);
}

}  // namespace toponet
