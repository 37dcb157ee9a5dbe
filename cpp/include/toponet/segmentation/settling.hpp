/// Settles the features of one dimension of an image, by their persistence.
///
/// Wanted features get a piece of their own at the threshold, and others get none; see
/// tests/segmentation_reference.py for the definition in plain Python. A feature is known by the
/// number of its piece in the merge tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/segmentation/merge_tree.hpp"
#include "toponet/segmentation/pieces.hpp"
#include "toponet/segmentation/side.hpp"

namespace toponet {

/// What is done for a feature. The numbers are those of holes' actions; those of pieces' come
/// before them, in the same order.
enum class Action : std::uint8_t { none, taken, given, walled, brought_out };

struct Wishes {
    double keep;  ///< A shown feature stays if its persistence is larger; 0 = all stay.
    double add;   ///< A hidden one is brought out if its persistence is larger.
};

/// What a settled dimension differs in from its wanted features.
struct Remainder {
    std::int64_t kept = 0;       ///< Pieces without a wanted feature that stay.
    std::int64_t undivided = 0;  ///< Wanted features that share the piece of another one.
};

/// A pixel that changes sides, and the feature for which it does.
struct Edit {
    std::int32_t feature;
    std::int32_t pixel;
};

template <class Value>
class Settling {
  public:
    /// \param holes  for pieces: pixels that must stay in their holes, ascending; no edit changes
    ///               the holes then. nullptr = holes don't matter.
    /// \param pieces  a workspace.
    /// \param labels  room for a number per pixel; what is left there has no meaning.
    /// \param num_threads  the result doesn't depend on it.
    void settle(const Side<Value>& side, MergeTree<Value>& tree, const Wishes& wishes,
                const std::vector<std::int32_t>* holes, Pieces& pieces, std::int32_t* labels,
                int num_threads);

    /// Per feature.
    const std::vector<Action>& actions() const { return actions_; }
    const std::vector<Edit>& edits() const { return edits_; }
    const Remainder& remainder() const { return remainder_; }
    /// First pixels of the wanted features, ascending.
    std::vector<std::int32_t> wanted_pixels() const;

    /// Birth and death of a feature: the frame's value is 1; what never dies is taken to die at 0.
    double birth(std::int32_t feature) const;
    double death(std::int32_t feature) const;

  private:
    enum class State : std::uint8_t { free, shown, taken, walled };

    /// A piece at the threshold.
    struct Component {
        State state = State::free;
        std::int32_t group = 0;  ///< If it is shown.
        std::int32_t eldest = MergeTree<Value>::none;
        std::int32_t wanted = 0;                              ///< How many it holds.
        std::int32_t meeting = MergeTree<Value>::no_meeting;  ///< Where the first two meet.
    };

    struct Wanted {
        std::int32_t component;
        std::int32_t feature;
    };

    struct BandPixel {
        decltype(descending_bits(Value())) bits;
        std::int32_t pixel;
    };

    /// A component with several wanted features.
    struct Crowd {
        std::int32_t component;
        const Wanted* begin;
        const Wanted* end;
        std::size_t band_begin = 0;  ///< Its part of its district's band.
        std::size_t band_end = 0;
        std::size_t rim_begin = 0;  ///< Its part of its district's rim.
        std::size_t rim_end = 0;
        std::int32_t next_region = 0;  ///< Regions that begin without a feature get it.
    };

    /// Crowds that are flooded one after the other. Districts share no pixel, feature or region, so
    /// that threads can flood them side by side.
    struct District {
        std::size_t first_crowd;
        std::size_t end_crowd;
        std::vector<BandPixel> band;         ///< What enters from the first meeting on.
        std::vector<std::int32_t> rim;       ///< What lies beside the band, before the meeting.
        std::vector<std::int32_t> rim_ends;  ///< Features at the ends of its paths.
        std::vector<BandPixel> sorted;       ///< The band of one crowd.
        std::vector<BandPixel> scratch;
        std::vector<std::int32_t> labelled;
        std::vector<Edit> walls;  ///< Of one crowd, with the wanted feature that each is for.
        std::vector<Edit> edits;
        MonotonePaths paths;
    };

    /// What a way through the merge tree has come to.
    enum class Reached { target, between, shown, blocked };

    /// A link of the merge tree that is being followed, first on its younger side.
    struct Link {
        std::int32_t feature;
        bool elder_side = false;
        bool started = false;
        std::int32_t at = 0;  ///< The feature that this side has come to.
    };

    // What stays belongs to a group: the outside's, that of a feature, or that of a component.
    // Labels are the numbers of groups, or one of these.
    static constexpr std::int32_t unlabelled = 0;
    static constexpr std::int32_t wall = -1;
    static constexpr std::int32_t on_the_way = -2;
    static constexpr std::int32_t pending = -3;
    static constexpr std::int32_t outside_group = 1;
    // Owners of a flooded region, beside features.
    static constexpr std::int32_t nobody = -2;
    // Stands for all that is shown, beside features.
    static constexpr std::int32_t shown_feature = -3;

    std::int32_t group_of_feature(std::int32_t feature) const {
        return feature == MergeTree<Value>::outside ? outside_group : outside_group + 1 + feature;
    }
    std::int32_t group_of_component(std::int32_t component) const {
        return group_of_feature(static_cast<std::int32_t>(wanted_.size())) + component;
    }

    bool wanted(std::int32_t feature) const { return wanted_[to_size(feature)] != 0; }
    double end(std::int32_t pixel, double otherwise) const;
    bool is_wanted(std::int32_t feature, const Wishes& wishes) const;
    void find_wanted(const Wishes& wishes);
    void find_components();
    void find_meetings();
    void sort_components(int num_threads);
    void act(std::int32_t feature, Action action) { actions_[to_size(feature)] = action; }
    void change(std::int32_t feature, std::int32_t pixel) { edits_.push_back({feature, pixel}); }

    void flood_crowds(int num_threads);
    void find_band(Crowd& crowd, District& district);
    void find_bands(District& district);
    void wall_off(Crowd& crowd, District& district);
    std::int32_t owner(std::int32_t region) const;
    std::int32_t label_of_feature(std::int32_t feature, std::int32_t meeting, District& district);
    std::int32_t label_at(std::int32_t pixel, std::int32_t meeting, District& district);
    std::int32_t region_at(std::int32_t pixel, std::int32_t meeting, District& district);
    std::int32_t join_regions(std::int32_t pixel, const Neighbours& labels, Crowd& crowd,
                              District& district);
    void label_rim(const Crowd& crowd, District& district);
    void flood_band(Crowd& crowd, District& district);
    void flood(std::int32_t pixel, Crowd& crowd, District& district);
    void wall_dents(std::int32_t component, District& district);
    bool encloses_holes(std::int32_t component, std::int32_t pieces) const;
    std::int32_t group_of_region(std::int32_t region);
    std::int32_t group_between_walls(std::int32_t pixel, std::int32_t meeting);

    void bring_out(std::int32_t feature);
    void fill_or_open(std::int32_t component);
    bool open(std::int32_t component);
    bool follow_links(std::int32_t feature);
    void follow_link(std::int32_t feature);
    std::int32_t first_step(std::int32_t feature, std::int32_t target) const;
    std::int32_t descend(std::int32_t pixel);
    Reached arrival(std::int32_t at, std::int32_t target);
    std::int32_t find_group();
    std::int32_t root_before(std::int32_t start, std::int32_t pixel) const;
    std::int32_t root_from(std::int32_t feature, std::int32_t pixel) const;
    std::int32_t group_at(std::int32_t pixel);
    std::int32_t free_component_at(std::int32_t pixel) const;
    bool in_mask(std::int32_t pixel) const;
    bool holds_hole(const std::vector<std::int32_t>& pixels) const;
    int label_one_by_one(const std::vector<std::int32_t>& pixels, std::int32_t label,
                         bool joins_mask);
    bool leaves_holes_alone();

    const Side<Value>* side_ = nullptr;
    MergeTree<Value>* tree_ = nullptr;
    const std::vector<std::int32_t>* holes_ = nullptr;
    Pieces* pieces_ = nullptr;  ///< At the threshold.
    std::vector<Component> components_;
    std::vector<std::uint8_t> wanted_;          ///< Per feature.
    std::vector<std::int32_t> wanted_meeting_;  ///< Where it first meets another wanted one.
    std::vector<Wanted> wanted_inside_;         ///< Those at the threshold.
    std::int32_t* label_ = nullptr;             ///< Per pixel.
    std::vector<std::int32_t> free_;            ///< Components, elders first.
    std::vector<Action> actions_;
    std::vector<Edit> edits_;
    Remainder remainder_;

    // Of the flooding of components.
    std::vector<Crowd> crowds_;
    std::vector<District> districts_;
    std::vector<std::int32_t> parent_;      ///< Of each region.
    std::vector<std::int32_t> dent_owner_;  ///< Of each region.

    // Of the way that opens one component.
    std::vector<std::int32_t> way_;
    std::vector<std::int32_t> joined_;  ///< Components.
    std::vector<std::int32_t> linked_;
    std::vector<std::uint8_t> is_linked_;  ///< Per feature.
    std::vector<Link> links_;
};

extern template class Settling<float>;
extern template class Settling<double>;

}  // namespace toponet
