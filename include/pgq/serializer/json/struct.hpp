#pragma once

#include <pgq/job/members.hpp>
#include <pgq/serializer/json/codec.hpp>
#include <pgq/serializer/json/sums.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace pgq {

namespace serializer::detail {

template <class Members>
struct member_types;
template <class... Ms>
struct member_types<type_list<Ms...>> {
    using type = type_list<typename Ms::type...>;
};

/// The name with quotes and colon. A name is an identifier, so it needs no escapes.
template <class Member>
inline constexpr auto quoted_name = [] {
    std::array<char, Member::name.size() + 3> text{};
    std::size_t at = 0;
    text[at++] = '"';
    for (const char c : Member::name) text[at++] = c;
    text[at++] = '"';
    text[at++] = ':';
    return text;
}();

// The compiler knows the length, so this is one or two comparisons and no call.
template <class Member>
bool is_name_of(std::string_view name) noexcept {
    return name.size() == Member::name.size() &&
           std::memcmp(name.data(), Member::name.data(), Member::name.size()) == 0;
}

template <class T, class Members>
struct struct_codec;

template <class T, class... Ms>
struct struct_codec<T, type_list<Ms...>> {
    static void write(const T& value, json_writer& out) {
        if (!out.begin_object()) return;
        if ((write_member<Ms>(value, out) && ...)) out.end_object();
    }

    static bool read(json_value in, T& out) {
        if (!in.is_object()) return in.expected("an object");
        seen_flags seen{};
        const auto members = in.members();
        auto at = members.begin();
        const auto end = members.end();
        // A payload of this serializer has the members in their order, so each is found with one comparison.
        [[maybe_unused]] std::size_t i = 0;
        if (!(read_next<Ms>(at, end, out, seen[i++]) && ...)) return false;
        for (; at != end; ++at) {
            if (!read_by_name(*at, out, seen)) return false;
        }
        return in.options().missing == if_missing::use_default || has_all(in, seen);
    }

private:
    using seen_flags = std::array<bool, sizeof...(Ms) + 1>;  // plus one, for a struct without members

    template <class M>
    static bool write_member(const T& value, json_writer& out) {
        out.key_as_is({quoted_name<M>.data(), quoted_name<M>.size()});
        encode(M::get(value), out);
        return out.wrote_member(M::name);
    }

    template <class M>
    static bool read_member(json_value in, T& out) {
        return decode(in, M::get(out)) || in.failed_in_member(M::name);
    }

    using iterator = json_range<json_member>::iterator;

    template <class M>
    static bool read_next(iterator& at, const iterator& end, T& out, bool& seen) {
        if (at == end) return true;
        const json_member member = *at;
        if (!is_name_of<M>(member.name)) return true;
        ++at;
        seen = true;
        return read_member<M>(member.value, out);
    }

    static bool read_by_name(const json_member& member, [[maybe_unused]] T& out, [[maybe_unused]] seen_flags& seen) {
        [[maybe_unused]] std::size_t index = 0;
        bool ok = true;
        const bool known = ((is_name_of<Ms>(member.name) ? (ok = read_once<Ms>(member.value, out, seen[index]), true)
                                                         : (++index, false)) ||
                            ...);
        if (known || member.value.options().unknown == if_unknown::ignore) return ok;
        (void)member.value.fail("the job type has no such member", errc::unknown_member);
        return member.value.failed_in_member(member.name);
    }

    template <class M>
    static bool read_once(json_value in, T& out, bool& seen) {
        if (!std::exchange(seen, true)) return read_member<M>(in, out);
        (void)in.fail("the payload has it twice");
        return in.failed_in_member(M::name);
    }

    static bool has_all([[maybe_unused]] json_value in, const seen_flags& seen) {
        [[maybe_unused]] std::size_t i = 0;
        return ((seen[i++] || is_optional<typename Ms::type> || misses(in, Ms::name)) && ...);
    }
    static bool misses(json_value in, std::string_view name) {
        (void)in.fail("the payload lacks it", errc::missing_member);
        return in.failed_in_member(name);
    }
};

}  // namespace serializer::detail

/// Written as an object of the adapted members. Other members are not written, and have their defaults after reading.
template <adapted T>
struct codec<T> : serializer::detail::struct_codec<T, members_of<T>> {
    using parts = typename serializer::detail::member_types<members_of<T>>::type;
};

}  // namespace pgq
