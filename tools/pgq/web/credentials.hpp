#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::web {

/// Compares all bytes, so the time does not say where the texts differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// Whether a header `Authorization` has the scheme "Bearer". A browser never sends such a header by itself.
bool is_bearer(std::string_view authorization) noexcept;

/// Who may use the page. They come from files or from the environment, never from the command line.
class credentials {
public:
    /// The token is the first line of the text. Throws `failure` if it is shorter than 16 bytes.
    void add_token(std::string_view text);
    /// A line "NAME:PASSWORD" for each user. Throws `failure` if a line has another form.
    void add_users(std::string_view text);

    bool empty() const noexcept { return token_.empty() && users_.empty(); }
    /// The name for the audit line, if the header `Authorization` has a user with its password, or the token: as
    /// "Bearer TOKEN", or as the password of any user name.
    std::optional<std::string> user_of(std::string_view authorization) const;

private:
    struct user {
        std::string name{};
        std::string password{};
    };

    std::string token_{};
    std::vector<user> users_{};
};

}  // namespace pgq::web
