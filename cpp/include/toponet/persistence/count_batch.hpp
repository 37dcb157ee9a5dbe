/// Counts something in each mask of a batch, shared out over threads.
#pragma once

#include <cstdint>
#include <vector>

#include "toponet/basics/divide_threads.hpp"
#include "toponet/basics/parallel_for.hpp"
#include "toponet/basics/to_size.hpp"

namespace toponet {

/// \tparam Counter  has count(mask, options...), and a workspace: each thread has one of its own.
/// \param pixels_per_thread  how many pixels are worth starting a thread for.
template <class Counter, class View, class... Options>
auto count_batch(const std::vector<View>& masks, int num_threads, std::int64_t pixels_per_thread,
                 const Options&... options) {
    using Numbers = decltype(Counter().count(masks[0], options...));
    const int threads = divide_threads(masks, num_threads, pixels_per_thread).tasks;
    std::vector<Counter> counters(to_size(threads));
    std::vector<Numbers> numbers(masks.size());
    const auto count = static_cast<std::int64_t>(masks.size());
    parallel_for(count, threads, [&](int thread, std::int64_t i) {
        const auto mask = to_size(i);
        numbers[mask] = counters[to_size(thread)].count(masks[mask], options...);
    });
    return numbers;
}

}  // namespace toponet
