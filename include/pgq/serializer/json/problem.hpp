#pragma once

#include <pgq/error/error_info.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace pgq::serializer {

/// The first error of a read or a write, and its place. The path is built from the inside out while the calls return,
/// so a success costs nothing.
class json_problem {
public:
    bool failed() const noexcept { return failed_; }

    void fail(std::string what, errc code) {
        if (failed_) return;
        failed_ = true;
        code_ = code;
        what_ = std::move(what);
    }
    /// Removes the message and the path recorded so far, because they may contain a part of a sensitive value.
    void redact() {
        if (!failed_) return;
        what_ = "an invalid value for a sensitive member";
        path_.clear();
    }
    void in_member(std::string_view name) { path_ = "." + printable(name) + path_; }
    void in_element(std::size_t index) { path_ = "." + std::to_string(index) + path_; }

    error_info error() const { return {code_, "$" + path_ + ": " + what_, remedy()}; }

    /// A name for an error message. A name from a payload may contain any bytes: at most 64 are shown, and those that
    /// are not printable ASCII become '?'.
    static std::string printable(std::string_view name) {
        std::string text{name.substr(0, 64)};
        for (char& c : text) {
            if (c < ' ' || c > '~') c = '?';
        }
        return text;
    }

private:
    const char* remedy() const noexcept {
        switch (code_) {
        case errc::unknown_member: return "update the job type of this worker, or read with if_unknown::ignore";
        case errc::missing_member: return "write it in the producer, or read with if_missing::use_default";
        case errc::too_deep: return "nest less, or raise json_options::max_depth";
        case errc::payload_too_large: return "enqueue a reference to the data, or raise json_options::max_bytes";
        case errc::invalid_text: return "convert it to UTF-8, or use std::vector<std::byte> for other bytes";
        default: return "let the producer write what this job type reads";
        }
    }

    std::string what_{};
    std::string path_{};
    errc code_ = errc::invalid_payload;
    bool failed_ = false;
};

}  // namespace pgq::serializer
