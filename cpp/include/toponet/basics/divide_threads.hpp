/// How many threads a batch is worth.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace toponet {

/// How the threads are shared out.
struct Division {
    int tasks;         ///< Tasks that run at the same time.
    int threads_each;  ///< Threads that work on one task.
};

/// \param count   Number of tasks.
/// \param pixels  Number of pixels of all tasks together.
/// \param pixels_per_thread  How many pixels are worth a thread: starting one takes some 50
///                           microseconds.
inline Division divide_threads(std::int64_t count, std::int64_t pixels, int num_threads,
                               std::int64_t pixels_per_thread) {
    // Within an image the parts have to wait for each other a few times.
    constexpr std::int64_t pixels_per_thread_of_an_image = 65536;
    const std::int64_t useful =
        std::max<std::int64_t>(1, std::min<std::int64_t>(num_threads, pixels / pixels_per_thread));
    if (count == 0 || useful <= count) return {static_cast<int>(useful), 1};
    const std::int64_t each =
        std::min(useful / count, pixels / count / pixels_per_thread_of_an_image);
    return {static_cast<int>(count), static_cast<int>(std::max<std::int64_t>(1, each))};
}

/// One task per image.
template <class View>
Division divide_threads(const std::vector<View>& images, int num_threads,
                        std::int64_t pixels_per_thread) {
    std::int64_t pixels = 0;
    for (const View& image : images) pixels += image.pixel_count();
    return divide_threads(static_cast<std::int64_t>(images.size()), pixels, num_threads,
                          pixels_per_thread);
}

}  // namespace toponet
