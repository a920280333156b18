// expect: pgq: a cron expression has a date that never comes\. Write
// within: 10 lines

#include <pgq/cron.hpp>

template <pgq::cron::literal Text>
    requires pgq::cron::valid<Text>
struct nightly {
    static constexpr pgq::cron::expression when = pgq::cron::every<Text>;
};

constexpr auto broken = nightly<"0 0 30 2 *">::when;
