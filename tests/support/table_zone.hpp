#pragma once

#include <pgq/cron/zone.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace support {

/// A time zone for tests, from a list of its changes. It needs no database of time zones.
class table_zone {
public:
    struct change {
        std::chrono::sys_seconds at;
        std::chrono::seconds offset;  ///< from then on
    };

    constexpr table_zone(std::chrono::seconds first, std::vector<change> changes)
        : first_{first}, changes_{std::move(changes)} {}

    constexpr pgq::cron::offset_period period_at(std::chrono::sys_seconds t) const {
        pgq::cron::offset_period period{.offset = first_};
        for (const change& c : changes_) {
            if (t < c.at) {
                period.end = c.at;
                break;
            }
            period.begin = c.at;
            period.offset = c.offset;
        }
        return period;
    }

private:
    std::chrono::seconds first_;
    std::vector<change> changes_;
};

}  // namespace support
