#include <pgq/job/sensitive.hpp>

#include "support/catch.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace unit_job_sensitive {

namespace sensitive_jobs {

struct plain {
    std::string a{};
    std::vector<std::map<std::string, int>> b{};
};
struct login {
    std::string user{};
    pgq::sensitive<std::string> password{};
};
struct tree {
    std::string name{};
    std::vector<tree> children{};
};
struct secret_tree {
    std::vector<secret_tree> children{};
    pgq::sensitive<int> pin{};
};
struct deep {
    std::map<std::string, std::vector<std::optional<login>>> logins{};
};
template <class T>
struct boxed {
    T inside{};
};
// Its members are not visible, but it declares that one is sensitive.
struct vault {
    static constexpr bool is_sensitive = true;
};

}  // namespace sensitive_jobs

}  // namespace unit_job_sensitive

BOOST_HANA_ADAPT_STRUCT(unit_job_sensitive::sensitive_jobs::plain, a, b);
BOOST_HANA_ADAPT_STRUCT(unit_job_sensitive::sensitive_jobs::login, user, password);
BOOST_HANA_ADAPT_STRUCT(unit_job_sensitive::sensitive_jobs::tree, name, children);
BOOST_HANA_ADAPT_STRUCT(unit_job_sensitive::sensitive_jobs::secret_tree, children, pin);
BOOST_HANA_ADAPT_STRUCT(unit_job_sensitive::sensitive_jobs::deep, logins);
BOOST_HANA_ADAPT_STRUCT(unit_job_sensitive::sensitive_jobs::boxed<unit_job_sensitive::sensitive_jobs::login>, inside);

namespace unit_job_sensitive {

using namespace pgq;
using namespace sensitive_jobs;

static_assert(holds_sensitive<sensitive<int>> && holds_sensitive<login> && holds_sensitive<deep>);
static_assert(holds_sensitive<std::optional<login>> && holds_sensitive<std::array<login, 2>>);
static_assert(holds_sensitive<std::variant<int, sensitive<int>>> && holds_sensitive<std::pair<int, login>>);
static_assert(holds_sensitive<secret_tree> && holds_sensitive<boxed<login>> && holds_sensitive<std::vector<vault>>);
static_assert(!holds_sensitive<int> && !holds_sensitive<std::string> && !holds_sensitive<plain>);
static_assert(!holds_sensitive<tree> && !holds_sensitive<std::function<void(int)>>);

template <class T>
concept prints = requires(std::ostream& out, const T& value) {
    out << value;
};

static_assert(prints<std::string> && !prints<sensitive<std::string>> && !prints<sensitive<int>>);
static_assert(!std::convertible_to<sensitive<std::string>, std::string>);
static_assert(!std::convertible_to<sensitive<int>, int> && !std::convertible_to<sensitive<int>, bool>);
static_assert(std::convertible_to<const char*, sensitive<std::string>>);
static_assert(!std::convertible_to<int, sensitive<std::string>>);
static_assert(sizeof(sensitive<int>) == sizeof(int));
static_assert(std::is_trivially_copyable_v<sensitive<int>>);

TEST_CASE("a sensitive value is made from a plain one, and only reveal() returns it", "[job][sensitive]") {
    const login l{.user = "ada", .password = "engine"};
    CHECK(l.password.reveal() == "engine");
    login other = l;
    CHECK(other.password == l.password);
    other.password = "loom";
    CHECK_FALSE(other.password == l.password);
    other.password.reveal() += "s";
    CHECK(other.password.reveal() == "looms");
}

TEST_CASE("a sensitive value can be moved out", "[job][sensitive]") {
    sensitive<std::unique_ptr<int>> s{std::make_unique<int>(7)};
    const std::unique_ptr<int> out = std::move(s).reveal();
    CHECK(*out == 7);
}

TEST_CASE("Catch and other printers do not print a sensitive value", "[job][sensitive]") {
    CHECK(Catch::Detail::stringify(sensitive<std::string>{"engine"}).find("engine") == std::string::npos);
}

}  // namespace unit_job_sensitive
