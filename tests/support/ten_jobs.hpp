#pragma once

#include <pgq/job/members.hpp>

#include <boost/hana/define_struct.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace test {

/// Ten job types, job_0 ... job_9: entrypoints of one queue that several programs serve.
template <int Number>
struct numbered_job {
    static constexpr char name[] = {'j', 'o', 'b', '_', static_cast<char>('0' + Number), '\0'};
    static constexpr std::string_view entrypoint{name};
    BOOST_HANA_DEFINE_STRUCT(numbered_job, (std::int64_t, n));
};

/// A queue of these ten types with some policies.
template <template <class...> class Queue, class... Policies>
using queue_of_ten =
    Queue<numbered_job<0>, numbered_job<1>, numbered_job<2>, numbered_job<3>, numbered_job<4>, numbered_job<5>,
          numbered_job<6>, numbered_job<7>, numbered_job<8>, numbered_job<9>, Policies...>;

/// Enqueues one job of each type.
template <class Queue>
void enqueue_one_of_each(Queue& jobs, std::int64_t n = 0, std::int16_t priority = 0) {
    [&]<int... Number>(std::integer_sequence<int, Number...>) {
        ((void)jobs.enqueue(numbered_job<Number>{n}, {.priority = priority}).value(), ...);
    }
    (std::make_integer_sequence<int, 10>{});
}

}  // namespace test
