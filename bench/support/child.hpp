#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace bench {

/// This program once more, as another process: `pgq_bench --child WORDS...`. Throws when it cannot be started.
class child {
public:
    explicit child(const std::vector<std::string>& words);
    child(child&& other) noexcept;
    ~child();

    /// The numbers it prints before it ends; fewer when it fails.
    std::vector<double> numbers();

private:
    pid_t pid_ = -1;
    std::FILE* output_ = nullptr;
};

}  // namespace bench
