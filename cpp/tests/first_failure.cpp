// Whether parallel_for reports the failure of the smallest index, whichever task fails last. Ends
// with exit code 1 if not. Where the later task waits, it waits longer than a thread needs to note
// a failure: on a machine that stands still in between, a mistake could pass, but never an alarm
// be false.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

#include "toponet/basics/parallel_for.hpp"

namespace {

/// The message of what two tasks throw, both of which are running before either of them fails.
std::string reported(std::int64_t fails_last) {
    std::atomic<int> running{0};
    std::atomic<bool> other_fails{false};
    try {
        toponet::parallel_for(2, 2, [&](int, std::int64_t i) {
            ++running;
            while (running < 2) std::this_thread::yield();
            if (i == fails_last) {
                while (!other_fails) std::this_thread::yield();
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
            other_fails = true;
            throw std::runtime_error(std::to_string(i));
        });
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "nothing";
}

}  // namespace

int main() {
    for (const std::int64_t last : {0, 1}) {
        const std::string found = reported(last);
        if (found != "0") {
            std::printf("task %d failed last: expected the failure of 0, got %s\n",
                        static_cast<int>(last), found.c_str());
            return 1;
        }
    }
    std::printf("the first of two failures is reported\n");
    return 0;
}
