#pragma once

#include <pgq/error/error_info.hpp>

#include <cassert>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace pgq {

/// The exception that `result::value()` throws.
class failure : public std::system_error {
public:
    explicit failure(error_info info) : std::system_error{info.code}, info_{std::move(info)}, text_{info_.text()} {}

    /// `info().text()`, without the text that std::system_error would append.
    const char* what() const noexcept override { return text_.c_str(); }
    const error_info& info() const noexcept { return info_; }

private:
    error_info info_;
    std::string text_;
};

/// A `T`, or the error that explains why there is none.
///
/// `value()` throws `failure` if there is an error. `*` and `->` do not check, except by assert() in debug builds: test
/// the result first.
template <class T>
class [[nodiscard]] result {
public:
    result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_{std::move(value)}, has_value_{true} {}
    result(error_info error) noexcept : error_{std::move(error)}, has_value_{false} {}
    result(errc code) : result{error_info{code}} {}

    result(const result& other) requires std::is_copy_constructible_v<T> : has_value_{other.has_value_} {
        if (has_value_) std::construct_at(&value_, other.value_);
        else std::construct_at(&error_, other.error_);
    }
    // NOLINTNEXTLINE(performance-noexcept-move-constructor): as noexcept as that of T
    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : has_value_{other.has_value_} {
        if (has_value_) std::construct_at(&value_, std::move(other.value_));
        else std::construct_at(&error_, std::move(other.error_));
    }
    /// Takes `other` by value: a copy that throws does so before this result changes.
    result& operator=(result other) noexcept {
        static_assert(std::is_nothrow_move_constructible_v<T>, "a result is assigned only where moving cannot fail");
        std::destroy_at(this);
        return *std::construct_at(this, std::move(other));
    }
    ~result() {
        if (has_value_) std::destroy_at(&value_);
        else std::destroy_at(&error_);
    }

    bool has_value() const noexcept { return has_value_; }
    explicit operator bool() const noexcept { return has_value_; }

    T& value() & { return check(), value_; }
    const T& value() const& { return check(), value_; }
    /// Returns by value: in `for (auto& x : f().value())` the result is destroyed before the loop begins.
    T value() && { return check(), std::move(value_); }

    T& operator*() & noexcept { return assume(), value_; }
    const T& operator*() const& noexcept { return assume(), value_; }
    /// By value, for the same reason.
    T operator*() && noexcept(std::is_nothrow_move_constructible_v<T>) { return assume(), std::move(value_); }
    T* operator->() noexcept { return assume(), &value_; }
    const T* operator->() const noexcept { return assume(), &value_; }

    /// Call it only if there is no value.
    error_info& error() noexcept { return error_; }
    const error_info& error() const noexcept { return error_; }

private:
    void assume() const noexcept { assert(has_value_ && "the result has an error: test it before you use * or ->"); }
    void check() const {
        if (!has_value_) throw failure{error_};
    }

    // A union: std::variant takes the compiler several times as long for each `T`.
    union {
        T value_;
        error_info error_;
    };
    bool has_value_;
};

/// Success without a value, or an error. `error()` of a success is an empty error_info.
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
