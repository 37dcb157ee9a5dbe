/// The workspaces of the threads of a call.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

#include "toponet/basics/to_size.hpp"

namespace toponet {

/// One workspace for each thread of a call. The calling thread keeps its own for the next call.
///
/// Freed memory goes back to the system, which zeroes every page again when it is next touched.
/// Zeroing may take longer than the work: 5.3 of 7.8 ms for the Betti matching of two masks of
/// 512 x 512, on a virtual machine.
///
/// The workspace of a large image isn't kept, because it would hold too much memory. After an
/// exception none is kept either: the work may have stopped half-way and left it in disorder.
///
/// A thread may have only one Workspaces of a type at a time: two would share the kept workspace.
///
/// \tparam Workspace  its most_kept_pixels says of how large an image it is kept.
template <class Workspace>
class Workspaces {
  public:
    /// \param threads  at least 1.
    /// \param images   all images of the call.
    template <class View>
    Workspaces(int threads, const std::vector<View>& images)
        : exceptions_(std::uncaught_exceptions()), others_(to_size(threads - 1)) {
        for (const View& image : images) {
            keeps_ &= image.pixel_count() <= Workspace::most_kept_pixels;
        }
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
