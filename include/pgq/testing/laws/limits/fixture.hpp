#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Laws of limits that all workers share.
namespace pgq::laws {

/// A lane with limits, and functions that claim from it.
template <class Driver>
struct limited_fixture {
    driver_fixture<Driver> w;
    lane_id lane{};

    limited_fixture(Driver d, const std::vector<limit_spec>& limits) : w{std::move(d)}, lane{w.lane()} {
        declare("job", limits);
    }
    void declare(std::string_view entrypoint, const std::vector<limit_spec>& limits) {
        std::vector<lane_limit> all;
        for (const auto& l : limits) all.push_back({.entrypoint = std::string{entrypoint}, .limit = l});
        (void)must(w.client().limits("default", all));
    }
    void enqueue_keyed(const strings& texts, const strings& keys) { enqueue_keyed(lane, texts, keys); }
    void enqueue_keyed(lane_id to, const strings& texts, const strings& keys) {
        const bodies b = driver_fixture<Driver>::packed(texts), k = driver_fixture<Driver>::packed(keys);
        const enqueue_options plain;
        std::vector<job_id> ids;
        must(w.client().enqueue({.lane = to, .bodies = &b, .options = {&plain, 1}, .keys = &k}, ids));
    }
    sync_reply claim(test_worker<typename Driver::session>& p, std::uint32_t most, bool sleeps = false) {
        return claim_of(p, {lane}, most, most, sleeps);
    }
    static sync_reply claim_of(test_worker<typename Driver::session>& p, const std::vector<lane_id>& lanes,
                               std::uint32_t most, std::uint32_t room, bool sleeps = false) {
        std::vector<limited_lane> wanted;
        for (const lane_id l : lanes) wanted.push_back({.lane = l, .most = most, .max_attempts = 5});
        return p.sync({.limited = wanted, .limited_capacity = room, .subscribe_wakes = sleeps});
    }
};

}  // namespace pgq::laws
