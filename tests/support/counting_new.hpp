#pragma once

// Replaces the global allocation functions of the whole program: include it in one source of a program only.

#include <cstddef>
#include <cstdlib>
#include <new>

namespace test {

/// How often this thread has asked for memory.
inline thread_local std::size_t allocations = 0;

}  // namespace test

// Every form that ends in these `delete`s is here: a sanitizer brings its own of those that are not. Not inlined: GCC 12 would see
// `new` here and `free` there and warn.
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
