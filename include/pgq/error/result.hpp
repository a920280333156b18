#pragma once

#include <pgq/error/error_info.hpp>

#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace pgq {

/// What `result::value()` throws: the same error as an exception.
class failure : public std::system_error {
public:
    explicit failure(error_info info) : std::system_error{info.code}, info_{std::move(info)}, text_{info_.text()} {}

    /// `info().text()`; not what std::system_error would add to it.
    const char* what() const noexcept override { return text_.c_str(); }
    const error_info& info() const noexcept { return info_; }

private:
    error_info info_;
    std::string text_;
};

/// A `T`, or why there is none. Look before you read: `value()` of an error throws `failure`.
template <class T>
class [[nodiscard]] result {
public:
    result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
    result(error_info error) : state_{std::in_place_index<1>, std::move(error)} {}
    result(errc code) : result{error_info{code}} {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & { return check(), *std::get_if<0>(&state_); }
    const T& value() const& { return check(), *std::get_if<0>(&state_); }
    /// By value: in `for (auto& x : f().value())` the result itself is gone when the loop begins.
    T value() && { return check(), std::move(*std::get_if<0>(&state_)); }

    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    /// Only when there is no value.
    error_info& error() noexcept { return *std::get_if<1>(&state_); }
    const error_info& error() const noexcept { return *std::get_if<1>(&state_); }

private:
    void check() const {
        if (!has_value()) throw failure{error()};
    }

    std::variant<T, error_info> state_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    result() = default;
    result(error_info error) : error_{std::move(error)}, failed_{true} {}
    result(errc code) : result{error_info{code}} {}

    bool has_value() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (failed_) throw failure{error_};
    }

    error_info& error() noexcept { return error_; }
    const error_info& error() const noexcept { return error_; }

private:
    error_info error_{};
    bool failed_ = false;
};

}  // namespace pgq
