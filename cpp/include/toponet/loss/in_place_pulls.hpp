/// What the in-place loss charges for a critical value, and how hard it pulls the value.
///
/// The residual r is the distance of a critical value from its goal, 0 or 1. With weight one a pull
/// costs r^2, and its force is 2 r. Otherwise the weight is the persistence p of the value's dot,
/// and the force is 2 p r. The cost is then the integral of the force, from where it vanishes, over
/// the critical value; the dot's other value is held.
#pragma once

#include <stdexcept>
#include <string>

namespace toponet {

enum class InPlaceWeight { persistence, one };

inline InPlaceWeight to_in_place_weight(const std::string& name) {
    if (name == "persistence") return InPlaceWeight::persistence;
    if (name == "one") return InPlaceWeight::one;
    throw std::invalid_argument("no weight of the in-place loss is called '" + name + "'");
}

struct Pull {
    double cost;
    double force;  ///< The size of the derivative of the cost.
};

/// Pulls one end of a true feature's dot. Its other end is the truth's, so the persistence is 1 - r
/// and the cost with it a function of r alone: r^2 - 2 r^3 / 3.
inline Pull pull_true(double residual, InPlaceWeight weight) {
    const double r = residual;
    if (weight == InPlaceWeight::one) return {r * r, 2 * r};
    return {r * r * (1 - 2 * r / 3), 2 * (1 - r) * r};
}

/// Pulls one end of a dot that should not be there towards the other end, where the dot vanishes
/// and the pull with it.
inline Pull pull_surplus(double residual, double persistence, InPlaceWeight weight) {
    const double r = residual;
    if (weight == InPlaceWeight::one) return {r * r, 2 * r};
    return {persistence * persistence * (r - persistence / 3), 2 * persistence * r};
}

/// Pulls one end of a dot that should not be there away from the other end. With the persistence as
/// its weight it costs nothing: the integral would not vanish with the dot.
inline Pull pull_apart(double residual, double persistence, InPlaceWeight weight) {
    const double r = residual;
    if (weight == InPlaceWeight::one) return {r * r, 2 * r};
    return {0, 2 * persistence * r};
}

}  // namespace toponet
