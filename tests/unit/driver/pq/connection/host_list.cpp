#include <pgq/driver/pq/connection/host_list.hpp>

#include <support/catch.hpp>

#include <string>
#include <vector>

namespace unit_driver_pq_connection_host_list {

using pgq::driver::pq::host_entry;
using pgq::driver::pq::host_list;
using entries = std::vector<host_entry>;

TEST_CASE("a silent host is removed, and the others stay in their order", "[driver][pq][hosts]") {
    host_list l{entries{{"a", "", "1"}, {"b", "", "2"}, {"c", "", "3"}}};
    l.remove({"b", "10.0.0.2", "2"}, {"10.0.0.2"});
    CHECK(l.entries() == entries{{"a", "", "1"}, {"c", "", "3"}});
    CHECK(l.joined(&host_entry::host) == "a,c");
    CHECK(l.joined(&host_entry::port) == "1,3");
    CHECK(l.joined(&host_entry::hostaddr) == ",");
}

TEST_CASE("of a name with several addresses only the silent one is removed", "[driver][pq][hosts]") {
    host_list l{entries{{"a", "", "1"}, {"b", "10.0.0.9", "2"}}};
    l.remove({"a", "10.0.0.1", "1"}, {"10.0.0.1", "10.0.0.2"});
    CHECK(l.entries() == entries{{"a", "10.0.0.2", "1"}, {"b", "10.0.0.9", "2"}});
    l.remove({"a", "10.0.0.2", "1"}, {"10.0.0.1", "10.0.0.2"});
    CHECK(l.entries() == entries{{"b", "10.0.0.9", "2"}});
}

TEST_CASE("hosts with the same name differ by their ports", "[driver][pq][hosts]") {
    host_list l{entries{{"a", "", "1"}, {"a", "", "2"}}};
    l.remove({"a", "10.0.0.1", "2"}, {});
    CHECK(l.entries() == entries{{"a", "", "1"}});
}

TEST_CASE("a single entry with an empty setting is there twice, because an empty setting is none",
          "[driver][pq][hosts]") {
    const host_list socket{entries{{"", "", "1"}}};
    CHECK(socket.joined(&host_entry::host) == ",");
    CHECK(socket.joined(&host_entry::port) == "1,1");
    const host_list complete{entries{{"a", "10.0.0.1", "1"}}};
    CHECK(complete.joined(&host_entry::host) == "a");
}

TEST_CASE("an address that the list does not have ends it", "[driver][pq][hosts]") {
    host_list l{entries{{"a", "", "1"}}};
    l.remove({"b", "10.0.0.1", "1"}, {});
    CHECK(l.empty());
}

}  // namespace unit_driver_pq_connection_host_list
