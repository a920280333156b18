// cron_times: reads lines "zone|after|how many|expression" and prints the next times of each in a line, in seconds
// since 1970, or "error: ...". "..until" in place of "how many" asks for all times up to that one; then the program
// also goes backwards, and prints an error if it does not find the same times. Tests compare its answers with other
// implementations.

#include <pgq/cron.hpp>
#include <pgq/timezones.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace pgq;

// Each zone is found once.
const result<time_zone>& zone_named(const std::string& name) {
    static std::map<std::string, result<time_zone>> zones;
    const auto known = zones.find(name);
    return known != zones.end() ? known->second : zones.emplace(name, time_zone::find(name)).first->second;
}

std::string cut(std::string& line) {
    const auto bar = line.find('|');
    std::string first = line.substr(0, bar);
    line.erase(0, bar == std::string::npos ? bar : bar + 1);
    return first;
}

// The times after `after`, up to `until`.
std::vector<time_point> times_between(const cron::expression& e, const time_zone& zone, time_point after,
                                      time_point until) {
    std::vector<time_point> times;
    for (auto at = e.next(after, zone); at <= until; at = e.next(at, zone)) times.push_back(at);
    return times;
}

bool is_same_backwards(const cron::expression& e, const time_zone& zone, const std::vector<time_point>& times,
                       time_point after, time_point until) {
    time_point at = e.previous(until + std::chrono::microseconds{1}, zone);
    for (auto expected = times.rbegin(); expected != times.rend(); ++expected, at = e.previous(at, zone))
        if (at != *expected) return false;
    return at <= after;
}

time_point to_time(const std::string& seconds) { return time_point{std::chrono::seconds{std::atoll(seconds.c_str())}}; }

void answer(std::string line) {
    const std::string name = cut(line);
    const time_point after = to_time(cut(line));
    const std::string how_many = cut(line);
    const auto parsed = cron::expression::parse(line);
    if (!parsed) return void(std::printf("error: %s\n", parsed.error().text().c_str()));
    const auto& zone = zone_named(name);
    if (!zone) return void(std::printf("error: %s\n", zone.error().text().c_str()));
    std::vector<time_point> times;
    if (how_many.starts_with("..")) {
        const time_point until = to_time(how_many.substr(2));
        times = times_between(*parsed, *zone, after, until);
        if (!is_same_backwards(*parsed, *zone, times, after, until))
            return void(std::printf("error: other times backwards\n"));
    } else {
        times = parsed->next_times(after, std::strtoul(how_many.c_str(), nullptr, 10), *zone);
    }
    for (const time_point t : times)
        std::printf("%lld ", static_cast<long long>(t.time_since_epoch().count() / 1'000'000));
    std::printf("\n");
}

}  // namespace

int main() {
    std::string line;
    while (std::getline(std::cin, line)) answer(line);
    return std::ferror(stdout) != 0;
}
