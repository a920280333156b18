#pragma once

#include <pgq/compose/composition.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/outcome.hpp>

#include <cstddef>
#include <string_view>

namespace pgq::detail {

/// `version` is that of the lane which the job came from.
template <class Composition, class Job>
result<void> read_job(std::string_view body, std::size_t version, Job& job) {
    const typename Composition::template serializer_of<Job> serializer{};
    if constexpr (has_versions<decltype(serializer), Job>) return serializer.read(body, job, version);
    else return serializer.read(body, job);
}
inline hold cannot_be_read(const error_info& why) { return {"the payload cannot be read: " + why.text()}; }

}  // namespace pgq::detail
