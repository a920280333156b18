#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>

#include <string>

namespace pgq::driver::pq {

/// What the caller of a command has to know if the connection breaks before the answer.
struct doubt {
    const char* state;   ///< what may be the case
    const char* remedy;  ///< how to repeat the call safely

    void add_to(error_info& e) const {
        if (e.code != make_error_code(errc::connection_lost)) return;
        e.detail = state;
        e.hint = e.hint.empty() ? remedy : std::string{remedy} + "; " + e.hint;
    }
};

inline constexpr doubt jobs_in_doubt{"the jobs may be stored or not",
                                     "give calls a request_id, then it is safe to repeat them"};

}  // namespace pgq::driver::pq
