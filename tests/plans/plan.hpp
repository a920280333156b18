#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// One node of a plan with what its execution did. The numbers are sums over all loops.
struct plan_node {
    std::string what{};       ///< for readers: "Index Scan using ready_order"
    std::string type{};       ///< "Index Scan"
    std::string relation{};   ///< empty if the node reads no table
    std::string part{};       ///< "CTE got", "InitPlan 1 (returns $1)"
    double rows = 0;          ///< that the node returned
    double discarded = 0;     ///< that the node read and filtered out
    std::int64_t blocks = 0;  ///< shared buffers, hit or read, with those of the child nodes
    std::vector<plan_node> below{};

    explicit plan_node(const boost::json::object& o)
        : type{text(o, "Node Type")}, relation{text(o, "Relation Name")}, part{text(o, "Subplan Name")} {
        what = type == "ModifyTable" ? text(o, "Operation") : type;
        if (const auto index = text(o, "Index Name"); !index.empty()) what += " using " + index;
        const double loops = number(o, "Actual Loops");
        rows = number(o, "Actual Rows") * loops;
        for (const auto* key : {"Filter", "Index Recheck", "Join Filter"})
            discarded += number(o, std::string{"Rows Removed by "} + key) * loops;
        blocks = static_cast<std::int64_t>(number(o, "Shared Hit Blocks") + number(o, "Shared Read Blocks"));
        if (const auto* plans = o.if_contains("Plans"))
            for (const auto& p : plans->as_array()) below.emplace_back(p.as_object());
    }

    /// Calls `visit` for this node and all nodes below it.
    template <class Visit>
    void each(const Visit& visit) const {
        visit(*this);
        for (const auto& b : below) b.each(visit);
    }

    void write(std::string& out, std::size_t depth) const {
        out.append(depth * 2, ' ');
        if (!part.empty()) out += part + ": ";
        out += what;
        if (!relation.empty()) out += " on " + relation;
        out += " (rows " + std::to_string(static_cast<std::int64_t>(rows));
        if (discarded > 0) out += ", discarded " + std::to_string(static_cast<std::int64_t>(discarded));
        out += ", blocks " + std::to_string(blocks) + ")\n";
        for (const auto& b : below) b.write(out, depth + 1);
    }

private:
    static std::string text(const boost::json::object& o, std::string_view key) {
        const auto* v = o.if_contains(key);
        return v == nullptr ? std::string{} : std::string{v->as_string().c_str()};
    }
    static double number(const boost::json::object& o, std::string_view key) {
        const auto* v = o.if_contains(key);
        return v == nullptr ? 0.0 : v->to_number<double>();
    }
};

/// The answer of EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) for one statement.
class plan {
public:
    /// `name` is for messages.
    plan(std::string name, const boost::json::object& explanation)
        : name_{std::move(name)}, root_{explanation.at("Plan").as_object()} {}

    std::string text() const {
        std::string out = name_ + "\n";
        root_.write(out, 1);
        return out;
    }

    /// How a table is read: "Index Scan using ready_order", "Tid Scan", ...
    std::set<std::string> ways_to_read(std::string_view relation) const {
        std::set<std::string> found;
        each_reader_of(relation, [&](const plan_node& n) { found.insert(n.what); });
        return found;
    }
    /// Rows of a table that were read, with those that a filter then removed. A row counts each time.
    double rows_read(std::string_view relation) const {
        double sum = 0;
        each_reader_of(relation, [&](const plan_node& n) { sum += n.rows + n.discarded; });
        return sum;
    }
    /// Rows that were sorted, not read in the order of an index.
    double rows_sorted() const {
        double sum = 0;
        root_.each([&](const plan_node& n) {
            if (n.type == "Sort" || n.type == "Incremental Sort")
                for (const auto& b : n.below) sum += b.rows;
        });
        return sum;
    }

private:
    template <class Visit>
    void each_reader_of(std::string_view relation, const Visit& visit) const {
        root_.each([&](const plan_node& n) {
            if (n.relation == relation && n.type != "ModifyTable" && n.type != "LockRows") visit(n);
        });
    }

    std::string name_;
    plan_node root_;
};

}  // namespace test
