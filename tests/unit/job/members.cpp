#include <pgq/job/members.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_job_members {

namespace member_jobs {

struct mail {
    std::string to{};
    const int edge = 256;
    int left_out = 0;
    std::vector<int> parts{};
};
struct defined {
    BOOST_HANA_DEFINE_STRUCT(defined, (int, count), (std::string, name));
};
struct empty {};
struct unknown {
    int x = 0;
};
class hidden {
public:
    int get_x() const { return x_; }
    void set_x(int x) { x_ = x; }

private:
    int x_ = 0;
};

}  // namespace member_jobs

}  // namespace unit_job_members

BOOST_HANA_ADAPT_STRUCT(unit_job_members::member_jobs::mail, to, edge, parts);
BOOST_HANA_ADAPT_STRUCT(unit_job_members::member_jobs::empty);

// The code that BOOST_HANA_ADAPT_ADT generates, written by hand: access through functions.
template <>
struct boost::hana::accessors_impl<unit_job_members::member_jobs::hidden> {
    static constexpr auto apply() {
        constexpr auto get = [](const auto& h) { return h.get_x(); };
        return boost::hana::make_tuple(boost::hana::make_pair(boost::hana::string_c<'x'>, get));
    }
};

namespace unit_job_members {

using namespace pgq;
using namespace member_jobs;

TEST_CASE("a struct is adapted if its members are listed for Hana", "[job][members]") {
    STATIC_REQUIRE(adapted<mail>);
    STATIC_REQUIRE(adapted<defined>);
    STATIC_REQUIRE(adapted<empty>);
    STATIC_REQUIRE_FALSE(adapted<unknown>);
    STATIC_REQUIRE_FALSE(adapted<const mail>);
    STATIC_REQUIRE_FALSE(adapted<mail&>);
    STATIC_REQUIRE_FALSE(adapted<int>);
    STATIC_REQUIRE_FALSE(adapted<void>);
    STATIC_REQUIRE_FALSE(adapted<std::pair<int, int>>);
    STATIC_REQUIRE_FALSE(adapted<std::string>);
}

TEST_CASE("a class with access to its members only through functions is not adapted", "[job][members]") {
    STATIC_REQUIRE_FALSE(adapted<hidden>);
}

TEST_CASE("members_of has the members in the order in which they are listed", "[job][members]") {
    STATIC_REQUIRE(
        std::is_same_v<members_of<mail>, pgq::detail::type_list<member<mail, 0>, member<mail, 1>, member<mail, 2>>>);
    STATIC_REQUIRE(std::is_same_v<members_of<empty>, pgq::detail::type_list<>>);
    STATIC_REQUIRE(members_of<defined>::size == 2);
}

TEST_CASE("the name of a member is known at compile time", "[job][members]") {
    STATIC_REQUIRE(member<mail, 0>::name == "to");
    STATIC_REQUIRE(member<mail, 2>::name == "parts");
    STATIC_REQUIRE(member<defined, 1>::name == "name");
    STATIC_REQUIRE(std::is_same_v<decltype(member<mail, 0>::name), const std::string_view>);
}

TEST_CASE("the type of a member keeps its const", "[job][members]") {
    STATIC_REQUIRE(std::is_same_v<member<mail, 0>::type, std::string>);
    STATIC_REQUIRE(std::is_same_v<member<mail, 1>::type, const int>);
    STATIC_REQUIRE(std::is_same_v<member<defined, 0>::type, int>);
}

TEST_CASE("get reads and writes a member of a job", "[job][members]") {
    mail m{};
    member<mail, 0>::get(m) = "ada";
    CHECK(m.to == "ada");
    const mail& c = m;
    STATIC_REQUIRE(std::is_same_v<decltype(member<mail, 0>::get(c)), const std::string&>);
    CHECK(&member<mail, 2>::get(c) == &m.parts);
}

}  // namespace unit_job_members
