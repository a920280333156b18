#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

namespace pgq::cli {

/// Finds lanes by their ids. The first page of lanes is read at once, each other lane when it is asked for: a listing
/// of 50 jobs reads few lanes, however many there are.
class lane_names {
public:
    explicit lane_names(program& p) : program_{p} {
        for (listed_lane& l : program_.ops().lanes().value()) keep(std::move(l));
    }

    const listed_lane& of(lane_id id) {
        if (const auto found = known_.find(id.value); found != known_.end()) return found->second;
        auto page = program_.ops().lanes({.after = {id.value - 1}, .most = 1}).value();
        const bool is_there = !page.empty() && page.front().id == id;
        return keep(is_there ? std::move(page.front()) : listed_lane{.id = id});
    }
    /// "mail/send"
    std::string text(lane_id id) {
        const listed_lane& l = of(id);
        return l.queue.empty() ? "lane " + std::to_string(id.value) : l.queue + '/' + l.entrypoint;
    }

private:
    const listed_lane& keep(listed_lane l) {
        const std::int32_t id = l.id.value;
        return known_.insert_or_assign(id, std::move(l)).first->second;
    }

    program& program_;
    std::unordered_map<std::int32_t, listed_lane> known_{};
};

}  // namespace pgq::cli
