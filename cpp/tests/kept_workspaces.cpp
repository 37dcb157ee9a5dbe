// Whether the calling thread keeps its workspace for the next call, but not a large one, nor one of
// a call that failed. Ends with exit code 1 if not.

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include "toponet/basics/workspaces.hpp"

namespace {

struct Numbered {
    static constexpr std::int64_t most_kept_pixels = 100;
    static inline int made = 0;
    int number = ++made;
};

struct View {
    std::int64_t pixels;
    std::int64_t pixel_count() const { return pixels; }
};

/// The number of the workspace that a call gets.
int number_of_call(std::int64_t pixels, bool fails = false) {
    int number = 0;
    try {
        toponet::Workspaces<Numbered> workspaces(1, std::vector<View>{{1}, {pixels}});
        number = workspaces[0].number;
        if (fails) throw std::runtime_error("a call that fails");
    } catch (const std::runtime_error&) {
    }
    return number;
}

bool expect(bool holds, const char* what) {
    if (!holds) std::printf("expected: %s\n", what);
    return holds;
}

}  // namespace

int main() {
    const int first = number_of_call(9);
    bool right = expect(number_of_call(100) == first, "a workspace is kept");
    int of_another_thread = first;
    std::thread([&] { of_another_thread = number_of_call(9); }).join();
    right &= expect(of_another_thread != first, "another thread has a workspace of its own");
    right &= expect(number_of_call(101) == first, "a large image takes the kept workspace");
    const int second = number_of_call(9);
    right &= expect(second != first, "the workspace of a large image isn't kept");
    number_of_call(9, true);
    right &= expect(number_of_call(9) != second, "the workspace of a failed call isn't kept");
    if (right) std::printf("workspaces are kept as they should be\n");
    return right ? 0 : 1;
}
