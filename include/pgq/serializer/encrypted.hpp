#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/serializer/decorator.hpp>
#include <pgq/serializer/keys.hpp>

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace pgq::serializer {

namespace detail {

// An encrypted payload consists of: a version byte, the length of the key's id, the id, a random nonce, the ciphertext,
// its tag. The head (everything before the nonce) is authenticated together with the text. So is the entrypoint, which
// is not stored in the payload.
inline constexpr char sealed_version = 1;
inline constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
inline constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

inline unsigned char* bytes_of(std::string& s, std::size_t at) noexcept {
    return reinterpret_cast<unsigned char*>(s.data() + at);
}
inline const unsigned char* bytes_of(std::string_view s) noexcept {
    return reinterpret_cast<const unsigned char*>(s.data());
}

/// The data that is authenticated together with the text: the head and the entrypoint. The head contains the length of
/// the id, so two different pairs never give the same bytes.
class sealed_context {
public:
    sealed_context(std::string_view head, std::string_view entrypoint) noexcept
        : size_{head.size() + entrypoint.size()} {
        std::memcpy(bytes_.data(), head.data(), head.size());
        std::memcpy(bytes_.data() + head.size(), entrypoint.data(), entrypoint.size());
    }
    const unsigned char* data() const noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return size_; }

private:
    std::array<unsigned char, 2 + 255 + max_name_bytes> bytes_;
    std::size_t size_;
};

/// The parts of an encrypted payload. `ok` is false if the payload cannot be an encrypted one.
struct sealed_parts {
    explicit sealed_parts(std::string_view body) noexcept {
        if (body.size() < 2 || body[0] != sealed_version) return;
        const std::size_t id_bytes = static_cast<unsigned char>(body[1]);
        if (id_bytes == 0 || body.size() < 2 + id_bytes + nonce_bytes + tag_bytes) return;
        head = body.substr(0, 2 + id_bytes);
        id = head.substr(2);
        nonce = body.substr(head.size(), nonce_bytes);
        text = body.substr(head.size() + nonce_bytes);
        ok = true;
    }
    std::string_view head{}, id{}, nonce{}, text{};
    bool ok = false;
};

/// The id for an error message. The id of a payload may contain any bytes: at most 64 are shown, and those that are not
/// printable ASCII become '?'.
inline std::string quoted_id(std::string_view id) {
    std::string text{id.substr(0, 64)};
    for (char& c : text)
        if (c < ' ' || c > '~') c = '?';
    return "'" + text + "'";
}

inline error_info no_sodium() { return {errc::invalid_option, "the system gives libsodium no random numbers"}; }
inline error_info no_current_key() {
    return {errc::invalid_option, "there is no key to encrypt with", "set one with key_ring::use()"};
}
inline error_info not_sealed() {
    return {errc::invalid_payload, "the payload is not encrypted, or a later version of pgq encrypted it",
            "encrypt in the producer, or update this program"};
}
inline error_info unknown_key(std::string_view id) {
    return {errc::invalid_payload,
            "the payload was encrypted with key " + quoted_id(id) + ", which this program does not have",
            "add that key, then requeue the job"};
}
inline error_info does_not_open(std::string_view id) {
    return {errc::invalid_payload,
            "the payload cannot be decrypted with key " + quoted_id(id) +
                ": it was changed, it belongs to another entrypoint, or the key has other bytes",
            "compare the keys of the producer and the worker"};
}

/// Text that the destructor overwrites.
struct plain_text {
    explicit plain_text(std::size_t size) : bytes(size, '\0') {}
    plain_text(const plain_text&) = delete;
    plain_text& operator=(const plain_text&) = delete;
    ~plain_text() { sodium_memzero(bytes.data(), bytes.size()); }
    std::string bytes;
};

}  // namespace detail

/// Encrypts and authenticates the payloads of `Inner` with XChaCha20-Poly1305 (libsodium).
///
/// The payload contains the id of its key, so several keys may be in use at once. It is bound to its entrypoint: a job
/// of another entrypoint cannot read it. The payload shows nothing of its contents but their length. If the key is
/// missing or a byte was changed, reading returns errc::invalid_payload, and the job is held unchanged. Without a
/// current key, writing returns errc::invalid_option.
///
/// `sensitive` members can be written only inside `encrypted`.
template <class Inner, class Keys>
class encrypted : public detail::decorator<detail::revealing_t<Inner>> {
    using inner_type = detail::revealing_t<Inner>;

public:
    static constexpr bool encrypts = true;
    static constexpr serializer_error flaw = serializer_error_of<Inner> != serializer_error::none
                                                 ? serializer_error_of<Inner>
                                             : key_source<Keys> ? serializer_error::none
                                                                : serializer_error::incomplete_keys;

    template <class Job>
        requires(has_entrypoint<Job>&& can_write<inner_type, Job>)
    result<void> write(const Job& job, std::string& out)
    const {
        if (!detail::sodium_is_ready()) return detail::no_sodium();
        const auto key = Keys{}.current();
        if (!key) return detail::no_current_key();
        const secret_key& secret = *key;
        const std::size_t head = out.size();
        out += detail::sealed_version;
        out += static_cast<char>(secret.id().size());
        out += secret.id();
        const std::size_t nonce = out.size();
        const std::size_t text = nonce + detail::nonce_bytes;
        out.resize(text);
        if (auto written = inner_type{}.write(job, out); !written) {
            sodium_memzero(out.data() + text, out.size() - text);
            return written;
        }
        seal(out, head, nonce, secret, entrypoint_of<Job>);
        return {};
    }

    template <class Job>
        requires(has_entrypoint<Job>&& can_read<inner_type, Job>)
    result<void> read(std::string_view body, Job& job)
    const {
        const detail::sealed_parts parts{body};
        if (!parts.ok) return detail::not_sealed();
        const auto key = Keys{}.find(parts.id);
        if (!key) return detail::unknown_key(parts.id);
        const secret_key& secret = *key;
        detail::plain_text plain{parts.text.size() - detail::tag_bytes};
        if (!open(parts, secret, entrypoint_of<Job>, plain.bytes)) return detail::does_not_open(parts.id);
        return inner_type{}.read(plain.bytes, job);
    }

private:
    /// Encrypts the text after the nonce in place and appends the tag.
    static void seal(std::string& out, std::size_t head, std::size_t nonce, const secret_key& key,
                     std::string_view entrypoint) {
        const std::size_t text = nonce + detail::nonce_bytes;
        const std::size_t tag = out.size();
        out.resize(tag + detail::tag_bytes);
        const detail::sealed_context context{std::string_view{out}.substr(head, nonce - head), entrypoint};
        // With 24 random bytes, two payloads of one key never get the same nonce in practice.
        randombytes_buf(out.data() + nonce, detail::nonce_bytes);
        crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
            detail::bytes_of(out, text), detail::bytes_of(out, tag), nullptr, detail::bytes_of(out, text), tag - text,
            context.data(), context.size(), nullptr, detail::bytes_of(out, nonce), key.data());
    }

    static bool open(const detail::sealed_parts& parts, const secret_key& key, std::string_view entrypoint,
                     std::string& plain) noexcept {
        const detail::sealed_context context{parts.head, entrypoint};
        return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
                   detail::bytes_of(plain, 0), nullptr, detail::bytes_of(parts.text), plain.size(),
                   detail::bytes_of(parts.text.substr(plain.size())), context.data(), context.size(),
                   detail::bytes_of(parts.nonce), key.data()) == 0;
    }
};

}  // namespace pgq::serializer
