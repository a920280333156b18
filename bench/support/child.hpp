#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace bench {

/// A second process of this program: `pgq_bench --child WORDS...`. The constructor throws if the process does not
/// start.
class child {
public:
    explicit child(const std::vector<std::string>& words);
    child(child&& other) noexcept;
    ~child();

    /// Waits for the end of the process and gives the numbers that it printed; none if it failed.
    std::vector<double> numbers();

private:
    pid_t pid_ = -1;
    std::FILE* output_ = nullptr;
};

}  // namespace bench
