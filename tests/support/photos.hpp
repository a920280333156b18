#pragma once

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// Five versions of one job type. Each can be converted from the version before.
namespace test::photos {

inline constexpr std::string_view name = "photo";

struct v1 {
    static constexpr std::string_view entrypoint = name;
    std::int64_t n = 0;
};
struct v2 {
    static constexpr std::string_view entrypoint = name;
    using previous = v1;
    static v2 from(v1&& old) { return {.n = old.n, .path = "untitled"}; }
    std::int64_t n = 0;
    std::string path{};
};
struct v3 {
    static constexpr std::string_view entrypoint = name;
    using previous = v2;
    static v3 from(v2&& old) { return {.n = old.n, .path = std::move(old.path), .edge = 256}; }
    std::int64_t n = 0;
    std::string path{};
    int edge = 0;
};
struct v4 {  // a member has another name
    static constexpr std::string_view entrypoint = name;
    using previous = v3;
    static v4 from(v3&& old) { return {.n = old.n, .file = std::move(old.path), .edge = old.edge}; }
    std::int64_t n = 0;
    std::string file{};
    int edge = 0;
};
struct v5 {  // a member has another type
    static constexpr std::string_view entrypoint = name;
    using previous = v4;
    static v5 from(v4&& old) {
        return {.n = old.n, .file = std::move(old.file), .edge = std::to_string(old.edge) + "px"};
    }
    std::int64_t n = 0;
    std::string file{};
    std::string edge{};
};

}  // namespace test::photos

BOOST_HANA_ADAPT_STRUCT(test::photos::v1, n);
BOOST_HANA_ADAPT_STRUCT(test::photos::v2, n, path);
BOOST_HANA_ADAPT_STRUCT(test::photos::v3, n, path, edge);
BOOST_HANA_ADAPT_STRUCT(test::photos::v4, n, file, edge);
BOOST_HANA_ADAPT_STRUCT(test::photos::v5, n, file, edge);
