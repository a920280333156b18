#pragma once

// Replaces the global allocation functions of the program. Include it in only one source file of a program.

#include <cstddef>
#include <cstdlib>
#include <new>

namespace test {

/// The number of allocations of this thread.
inline thread_local std::size_t allocations = 0;

}  // namespace test

// All forms of `new` that end in these forms of `delete` are defined here. A sanitizer provides the others. They are
// not inlined, because GCC 12 warns if it sees `new` and `free` together.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++test::allocations;
    return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
    if (void* memory = operator new(size, std::nothrow)) return memory;
    throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
