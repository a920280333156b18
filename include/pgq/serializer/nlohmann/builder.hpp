#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/serializer/nlohmann/codec.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::serializer::detail {

/// Builds a document from the events of the library's parsers, and limits its depth. The library's own builder has no
/// limit: a hostile payload could overflow the stack. It also lets the last value count if a name appears twice.
class dom_builder {
public:
    dom_builder(dom& root, std::size_t max_depth) : root_{&root}, max_depth_{max_depth} {}

    bool null() { return put(nullptr); }
    bool boolean(bool value) { return put(value); }
    bool number_integer(dom::number_integer_t value) { return put(value); }
    bool number_unsigned(dom::number_unsigned_t value) { return put(value); }
    bool number_float(dom::number_float_t value, const std::string&) { return put(value); }
    bool string(std::string& value) { return put(std::move(value)); }
    bool binary(dom::binary_t& value) { return put(std::move(value)); }

    bool start_object(std::size_t) { return open(dom::object()); }
    bool key(std::string& name) {
        const auto [entry, is_new] = open_.back()->get_ref<dom::object_t&>().try_emplace(name);
        at_ = &entry->second;
        if (open_.size() == 1) member_ = &entry->first;
        twice_ = !is_new;
        return is_new;
    }
    bool end_object() { return close(); }
    bool start_array(std::size_t) { return open(dom::array()); }
    bool end_array() { return close(); }

    /// The library's message is dropped, because it contains parts of the payload.
    bool parse_error(std::size_t position, const std::string&, const dom::exception&) {
        position_ = position;
        return false;
    }

    /// A name appears twice in one object. Only the names of the outermost object are those of a job's members; other
    /// ones may be data.
    bool fail_if_twice(dom_pass& pass) const {
        if (!twice_) return false;
        (void)pass.fail(open_.size() == 1 ? "the payload has it twice" : "an object in it has a name twice");
        if (member_ != nullptr) (void)pass.in_member(*member_);
        return true;
    }
    bool too_deep() const noexcept { return too_deep_; }
    std::size_t position() const noexcept { return position_; }

private:
    dom* place(dom&& value) {
        dom* at = root_;
        if (!open_.empty()) at = open_.back()->is_array() ? &open_.back()->emplace_back() : at_;
        *at = std::move(value);
        return at;
    }
    bool put(dom value) { return place(std::move(value)), true; }
    bool open(dom&& container) {
        if (open_.size() == max_depth_) return too_deep_ = true, false;
        open_.push_back(place(std::move(container)));
        return true;
    }
    bool close() { return open_.pop_back(), true; }

    dom* root_;
    std::size_t max_depth_;
    std::vector<dom*> open_{};
    dom* at_ = nullptr;  // the place for the value of the latest key
    std::size_t position_ = 0;
    bool too_deep_ = false;
    bool twice_ = false;
    const std::string* member_ = nullptr;  // the latest name in the outermost object
};

inline bool parse_dom(std::string_view body, dom& out, dom_pass& pass) {
    if (body.size() > pass.options.max_bytes)
        return pass.fail("the payload is larger than max_bytes", errc::payload_too_large);
    const bool text = pass.form == dom_form::text;
    dom_builder builder{out, pass.options.max_depth};
    if (dom::sax_parse(body.begin(), body.end(), &builder,
                       text ? dom::input_format_t::json : dom::input_format_t::msgpack))
        return true;
    if (builder.fail_if_twice(pass)) return false;
    if (builder.too_deep()) return pass.fail("nested too deeply", errc::too_deep);
    return pass.fail(std::string{text ? "not JSON" : "not MessagePack"} + " at byte " +
                     std::to_string(builder.position()));
}

}  // namespace pgq::serializer::detail
