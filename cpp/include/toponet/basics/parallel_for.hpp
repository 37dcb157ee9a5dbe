/// Runs independent tasks on threads that live for one call.
///
/// No thread outlives the call. So a forked child inherits no broken pool, and callers share
/// nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace toponet {

/// Calls task(thread, i) for every i in [0, count), each once; `thread` counts from 0 and no two
/// calls with the same `thread` overlap.
///
/// Tasks are handed out one by one, so that a slow one doesn't hold up others. The caller works
/// too: with num_threads = 1 no thread is started. If tasks throw, the exception of the smallest
/// index is re-thrown after all threads have ended, whatever their number.
template <class Task>
void parallel_for(std::int64_t count, int num_threads, const Task& task) {
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex failure_mutex;
    std::int64_t failure_index = count;
    std::exception_ptr failure;

    const auto work = [&](int thread) {
        // Indices are handed out in ascending order, so those below a failed one run to their end.
        while (!failed.load(std::memory_order_relaxed)) {
            const std::int64_t i = next.fetch_add(1, std::memory_order_relaxed);
            if (i >= count) return;
            try {
                task(thread, i);
            } catch (...) {
                const std::lock_guard<std::mutex> lock(failure_mutex);
                failed = true;
                if (i < failure_index) {
                    failure_index = i;
                    failure = std::current_exception();
                }
            }
        }
    };

    std::vector<std::thread> threads;
    const auto wanted = static_cast<int>(std::min<std::int64_t>(num_threads, count));
    try {
        for (int thread = 1; thread < wanted; ++thread) threads.emplace_back(work, thread);
    } catch (const std::system_error&) {
        // The system has no more threads to give: the ones that run do the work.
    }
    work(0);
    for (std::thread& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace toponet
