#pragma once

#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>

namespace pgq::detail {

/// Calls once more if the answer is missing and the call has a request id: it cannot happen twice then. If the second
/// call fails, too, the answer is the error of the first one, because what that has done is still in doubt.
template <class Call>
auto repeat_in_doubt(bool has_request_id, Call call) {
    auto answer = call();
    if (answer || !has_request_id || !ends_session(answer.error())) return answer;
    auto second = call();
    return second ? second : answer;
}

}  // namespace pgq::detail
