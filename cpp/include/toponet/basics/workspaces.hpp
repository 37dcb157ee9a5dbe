/// The workspaces of the threads of a call.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

#include "toponet/basics/to_size.hpp"

namespace toponet {

/// One workspace for each thread. The calling thread's outlives the call, and serves the next one.
///
/// Memory that is given back comes again as fresh pages, and the system zeroes each of them when it
/// is touched. That may take longer than the work itself: of 7.8 ms for the Betti matching of two
/// masks of 512 x 512, 5.3 went into it on a virtual machine.
///
/// The workspace of a large image isn't kept, because memory is worth more there. Nor is one that
/// an exception left in the middle of its work.
template <class Workspace>
class Workspaces {
  public:
    /// \param images  those that the threads share out.
    template <class View>
    Workspaces(int threads, const std::vector<View>& images)
        : exceptions_(std::uncaught_exceptions()), others_(to_size(threads - 1)) {
        for (const View& image : images) keeps_ &= image.pixel_count() <= most_pixels;
        if (!own_) own_.emplace();
    }
    ~Workspaces() {
        if (!keeps_ || std::uncaught_exceptions() > exceptions_) own_.reset();
    }
    Workspaces(const Workspaces&) = delete;
    Workspaces& operator=(const Workspaces&) = delete;

    /// \param thread  0 is the calling thread.
    Workspace& operator[](int thread) { return thread == 0 ? *own_ : others_[to_size(thread - 1)]; }

  private:
    // Some 50 bytes a pixel are kept: 25 MB.
    static constexpr std::int64_t most_pixels = std::int64_t{1} << 19;

    static std::optional<Workspace>& of_this_thread() {
        thread_local std::optional<Workspace> workspace;
        return workspace;
    }

    const int exceptions_;
    bool keeps_ = true;
    std::optional<Workspace>& own_ = of_this_thread();
    std::vector<Workspace> others_;
};

}  // namespace toponet
