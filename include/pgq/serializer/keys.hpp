#pragma once

#include <pgq/error/result.hpp>

#include <sodium.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::serializer {

namespace detail {

/// Initializes libsodium once. Returns false if the system gives it no random numbers.
inline bool sodium_is_ready() noexcept {
    static const bool ready = sodium_init() >= 0;
    return ready;
}

inline bool is_key_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace detail

/// A key for `encrypted`: 32 secret bytes and an id. Payloads contain the id, so it is no secret. The destructor
/// overwrites the bytes. Nothing in pgq prints them.
class secret_key {
public:
    static constexpr std::size_t size = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;

    /// Returns errc::invalid_option unless the id has 1 to 64 visible ASCII characters and the secret has 32 bytes.
    static result<secret_key> make(std::string id, std::span<const std::byte> secret) {
        if (!detail::is_key_id(id))
            return error_info{errc::invalid_option, "the id of a key must be 1 to 64 visible ASCII characters",
                              "choose an id that changes with each key, for example \"2026-01\""};
        if (secret.size() != size)
            return error_info{errc::invalid_option, "key '" + id + "' must have 32 bytes",
                              "make it with: openssl rand -hex 32"};
        return secret_key{std::move(id), secret};
    }
    /// The same from 64 hexadecimal digits, for example the output of `openssl rand -hex 32`.
    static result<secret_key> from_hex(std::string id, std::string_view digits) {
        std::byte bytes[size] = {};
        std::size_t count = 0;
        const char* end = nullptr;
        const bool read = sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes), size, digits.data(), digits.size(),
                                         nullptr, &count, &end) == 0;
        const bool whole = read && end == digits.data() + digits.size();
        auto made = make(std::move(id), std::span{bytes, whole ? count : 0});
        sodium_memzero(bytes, size);
        return made;
    }
    /// A random key, for tests. When the process ends, the key is lost, and its payloads cannot be read any more.
    static secret_key random(std::string id) {
        std::byte bytes[size];
        (void)detail::sodium_is_ready();
        randombytes_buf(bytes, size);
        auto made = make(std::move(id), bytes);
        sodium_memzero(bytes, size);
        return std::move(made).value();
    }

    secret_key(const secret_key&) = default;
    secret_key(secret_key&&) noexcept = default;
    secret_key& operator=(const secret_key&) = default;
    secret_key& operator=(secret_key&&) noexcept = default;
    ~secret_key() { sodium_memzero(bytes_, size); }

    const std::string& id() const noexcept { return id_; }
    const unsigned char* data() const noexcept { return bytes_; }

private:
    secret_key(std::string id, std::span<const std::byte> secret) : id_{std::move(id)} {
        std::memcpy(bytes_, secret.data(), size);
    }

    std::string id_;
    unsigned char bytes_[size];
};

template <class P>
concept points_to_key = requires(const P& p) {
    {static_cast<bool>(p)};
    { *p } -> std::convertible_to<const secret_key&>;
};

/// The source of the keys of `encrypted`. `current()` returns the key to encrypt with; `find(id)` returns the key of a
/// payload. Both return a pointer of any kind, null if there is no such key. The key must stay valid as long as the
/// pointer exists. `encrypted` default-constructs a source for each use, from several threads at once.
template <class K>
concept key_source = std::default_initializable<K> && requires(const K& keys, std::string_view id) {
    { keys.current() } -> points_to_key;
    { keys.find(id) } -> points_to_key;
};

/// The keys of a program. They may change while the program runs. All functions may be called from any thread.
///
/// To change to a new key: `add` it in every program that reads. Then `use` it in the programs that write. `forget` the
/// old key when no payload uses it any more.
class key_ring {
public:
    using pointer = std::shared_ptr<const secret_key>;

    /// Adds a key for reading. It replaces a key with the same id.
    void add(secret_key key) {
        auto added = std::make_shared<const secret_key>(std::move(key));
        const std::lock_guard lock{mutex_};
        put(std::move(added));
    }
    /// Adds a key for reading, and makes it the key for writing.
    void use(secret_key key) {
        auto added = std::make_shared<const secret_key>(std::move(key));
        const std::lock_guard lock{mutex_};
        current_ = added;
        put(std::move(added));
    }
    /// Removes a key. Its payloads cannot be read any more.
    void forget(std::string_view id) {
        const std::lock_guard lock{mutex_};
        std::erase_if(keys_, [&](const pointer& k) { return k->id() == id; });
        if (current_ && current_->id() == id) current_.reset();
    }

    pointer current() const {
        const std::lock_guard lock{mutex_};
        return current_;
    }
    pointer find(std::string_view id) const {
        const std::lock_guard lock{mutex_};
        for (const pointer& k : keys_)
            if (k->id() == id) return k;
        return nullptr;
    }

private:
    void put(pointer added) {
        std::erase_if(keys_, [&](const pointer& k) { return k->id() == added->id(); });
        if (current_ && current_->id() == added->id()) current_ = added;
        keys_.push_back(std::move(added));
    }

    mutable std::mutex mutex_;
    pointer current_;
    std::vector<pointer> keys_;
};

/// Turns a global `key_ring` into a type: `encrypted<json, keys_of<app::keys>>`.
template <auto& Ring>
struct keys_of {
    auto current() const { return Ring.current(); }
    auto find(std::string_view id) const { return Ring.find(id); }
};

}  // namespace pgq::serializer
