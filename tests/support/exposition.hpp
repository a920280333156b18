#pragma once

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <cstddef>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

namespace test {

/// What a scrape of a collectable answers, by the text of prometheus-cpp.
class exposition {
public:
    explicit exposition(const prometheus::Collectable& from) : text_{text_of(from)} {
        std::istringstream lines{text_};
        for (std::string line; std::getline(lines, line);) {
            if (line.empty() || line.front() == '#') continue;
            const auto end = line.rfind(' ');
            values_[line.substr(0, end)] = std::strtod(line.c_str() + end, nullptr);
        }
    }
    /// The names of all families.
    static std::set<std::string> names(const prometheus::Collectable& from) {
        std::set<std::string> all;
        for (const auto& family : from.Collect()) all.insert(family.name);
        return all;
    }

    bool has(const std::string& series) const { return values_.contains(series); }
    /// Of a series, written as in the answer: name{label="value",...}.
    double value(const std::string& series) const {
        const auto found = values_.find(series);
        if (found == values_.end()) throw std::runtime_error{"no series " + series + " in:\n" + text_};
        return found->second;
    }
    /// How many series a name has.
    std::size_t series(const std::string& name) const {
        std::size_t n = 0;
        for (const auto& [series, value] : values_) n += series.starts_with(name + "{") ? 1 : 0;
        return n;
    }
    const std::string& text() const noexcept { return text_; }

private:
    static std::string text_of(const prometheus::Collectable& from) {
        return prometheus::TextSerializer{}.Serialize(from.Collect());
    }

    std::string text_;
    std::map<std::string, double> values_{};
};

}  // namespace test
