// Counts allocations of one engine over images of one size: once warm, there must be none, and the
// workspace must stay below 48 bytes a pixel. Ends with exit code 1 otherwise.

#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <vector>

#include "toponet/basics/to_size.hpp"
#include "toponet/persistence/persistence.hpp"

namespace {

std::size_t allocations = 0;
std::size_t live_bytes = 0;
std::size_t peak_bytes = 0;

constexpr std::size_t header = alignof(std::max_align_t);

void* counted(std::size_t size) {
    void* const memory = std::malloc(size + header);
    if (memory == nullptr) throw std::bad_alloc();
    *static_cast<std::size_t*>(memory) = size;
    ++allocations;
    live_bytes += size;
    if (live_bytes > peak_bytes) peak_bytes = live_bytes;
    return static_cast<char*>(memory) + header;
}

void release(void* memory) {
    if (memory == nullptr) return;
    void* const start = static_cast<char*>(memory) - header;
    live_bytes -= *static_cast<std::size_t*>(start);
    std::free(start);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

namespace {

/// Pure noise: the most critical cells that images have in practice.
template <class Value>
bool check(const char* name, std::int64_t height, std::int64_t width) {
    constexpr int images = 8;
    std::mt19937 random(1);
    std::uniform_real_distribution<Value> uniform(0, 1);
    std::vector<std::vector<Value>> pixels(images);
    for (auto& image : pixels) {
        image.resize(toponet::to_size(height * width));
        for (Value& pixel : image) pixel = uniform(random);
    }
    toponet::UnionFindPersistence<Value> engine;
    toponet::Diagram<Value> diagram;
    const std::size_t input = live_bytes;
    peak_bytes = live_bytes;
    std::size_t output = 0;
    const auto run_all = [&](bool frame) {
        for (const auto& image : pixels) {
            const toponet::FiltrationOptions options{true, true, toponet::Connectivity::eight,
                                                     frame, 1.0};
            engine.compute({image.data(), height, width, width}, options, diagram);
            const std::size_t rows = diagram.dimension[0].size() + diagram.dimension[1].size();
            output = std::max(output, rows * sizeof(toponet::PersistencePair<Value>));
        }
    };
    run_all(true);
    run_all(false);
    const std::size_t before = allocations;
    run_all(true);
    run_all(false);
    const std::size_t more = allocations - before;
    const double workspace =
        static_cast<double>(peak_bytes - input - output) / static_cast<double>(height * width);
    std::printf("%s, %ld x %ld noise: %zu allocations once warm, workspace %.1f bytes a pixel\n",
                name, static_cast<long>(height), static_cast<long>(width), more, workspace);
    // Tables and buffers for a stretch of rows don't grow with the image.
    constexpr double fixed = 65536;
    const auto area = static_cast<double>(height * width);
    return more == 0 && workspace * area <= 48 * area + fixed;
}

}  // namespace

int main() {
    bool passed = check<float>("float32", 65, 65);
    passed &= check<double>("float64", 65, 65);
    passed &= check<float>("float32", 700, 900);
    passed &= check<double>("float64", 700, 900);
    return passed ? 0 : 1;
}
