#pragma once

#include <cstdlib>

namespace test {

/// Whether the library's connections go through a pooler (tests/pooler.sh).
inline bool is_pooled() { return std::getenv("PGQ_POOLED") != nullptr; }

}  // namespace test
