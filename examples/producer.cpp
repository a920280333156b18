// producer COUNT [CONNECTION-STRING]: enqueues COUNT jobs, a thousand at a time.

#include "mail.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::int64_t batch_size = 1000;

std::vector<mail::send_email> batch(std::int64_t first, std::int64_t count) {
    std::vector<mail::send_email> jobs;
    for (std::int64_t i = first; i < first + count; ++i)
        jobs.push_back({"user" + std::to_string(i) + "@example.org", "welcome"});
    return jobs;
}

}  // namespace

int main(int argc, char** argv) try {
    std::int64_t count = 0;
    const std::string_view wanted = argc > 1 ? argv[1] : "";
    const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), count);
    if (error != std::errc{} || end != wanted.data() + wanted.size() || count < 1 || argc > 3) {
        std::fputs("usage: producer COUNT [CONNECTION-STRING]\n", stderr);
        return 2;
    }

    mail::queue jobs{mail::database(argc > 2 ? argv[2] : nullptr)};
    jobs.install().value();

    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t done = 0; done < count; done += batch_size)
        jobs.enqueue(batch(done, std::min(batch_size, count - done))).value();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

    std::printf("enqueued %lld jobs in %.2f s, %.0f jobs/s\n", static_cast<long long>(count), took.count(),
                static_cast<double>(count) / took.count());
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "producer: %s\n", e.info().text().c_str());
    return 1;
}
