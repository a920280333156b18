#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace pgq::observer {

struct span_attribute {
    std::string_view name{};  ///< lives for ever
    std::variant<std::int64_t, bool, std::string_view> value{};
};

namespace detail {

/// What messaging::describe puts, without memory from the heap unless a text is long.
class attribute_list {
public:
    void operator()(std::string_view name, std::int64_t value) noexcept { all_[count_++] = {name, value}; }
    void operator()(std::string_view name, bool value) noexcept { all_[count_++] = {name, value}; }
    void operator()(std::string_view name, std::string_view value) noexcept { all_[count_++] = {name, value}; }
    void operator()(std::string_view name, std::string&& value) noexcept {
        texts_[text_count_] = std::move(value);
        (*this)(name, std::string_view{texts_[text_count_++]});
    }
    std::span<const span_attribute> all() const noexcept { return {all_.data(), count_}; }

private:
    std::array<span_attribute, 12> all_{};
    std::array<std::string, 2> texts_{};
    std::size_t count_ = 0, text_count_ = 0;
};

}  // namespace detail

}  // namespace pgq::observer
