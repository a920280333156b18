#pragma once

#include <string_view>

namespace test::faults {

/// A setting of sessions, for the parameter `options` of a connection: the proxy of tests/faults.sh only delays them.
inline constexpr std::string_view only_slow = "-c pgq_tests.only_slow=on";

}  // namespace test::faults
