#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

namespace quickstart {

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};
using word_counts = std::unordered_map<std::string, std::int64_t, text_hash, std::equal_to<>>;

inline constexpr std::uintmax_t largest_file = std::uintmax_t{8} << 20;

inline bool is_compressed(const std::filesystem::path& p) {
    static constexpr std::array<std::string_view, 12> endings = {".gz",  ".bz2", ".xz",  ".zst",  ".zip",  ".png",
                                                                 ".jpg", ".gif", ".pdf", ".svgz", ".woff", ".woff2"};
    return std::find(endings.begin(), endings.end(), p.extension().native()) != endings.end();
}

/// JSON and the database need file names in UTF-8. This asks the C library, so the program's locale must be UTF-8.
inline bool is_utf8(const std::string& s) {
    return std::mbstowcs(nullptr, s.c_str(), 0) != static_cast<std::size_t>(-1);
}

/// Files that may contain text, directory by directory, sorted by name. It skips what it cannot read, and does not
/// follow links.
inline std::vector<std::string> list_files(const std::vector<std::string>& directories, std::int64_t at_most) {
    namespace fs = std::filesystem;
    const auto wanted = [](const fs::directory_entry& e) {
        std::error_code failed;
        return !e.is_symlink(failed) && e.is_regular_file(failed) && !is_compressed(e.path()) &&
               e.file_size(failed) <= largest_file && !failed && is_utf8(e.path().native());
    };
    std::vector<std::string> all;
    for (const auto& directory : directories) {
        const auto before = static_cast<std::ptrdiff_t>(all.size());
        std::error_code failed;
        auto it = fs::recursive_directory_iterator{directory, fs::directory_options::skip_permission_denied, failed};
        for (; !failed && it != fs::recursive_directory_iterator{}; it.increment(failed))
            if (wanted(*it)) all.push_back(it->path().native());
        std::sort(all.begin() + before, all.end());
    }
    if (all.size() > static_cast<std::size_t>(at_most)) all.resize(static_cast<std::size_t>(at_most));
    return all;
}

/// The content of a file; empty if the file cannot be read or has a zero byte, which text does not have.
inline std::optional<std::string> read_text(const std::string& path) {
    std::ifstream in{path, std::ios::binary | std::ios::ate};
    if (!in) return std::nullopt;
    std::string bytes(static_cast<std::size_t>(std::max<std::streamoff>(in.tellg(), 0)), '\0');
    in.seekg(0);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (in.bad() || static_cast<std::size_t>(in.gcount()) != bytes.size()) return std::nullopt;
    if (bytes.find('\0') != std::string::npos) return std::nullopt;
    return bytes;
}

/// Counts the words of a text. A word is 2 to 40 ASCII letters in a row, in lower case.
inline std::int64_t count_words(std::string_view text, word_counts& counts) {
    std::int64_t sum = 0;
    std::array<char, 40> word;
    std::size_t length = 0;
    const auto end_word = [&] {
        if (length >= 2 && length <= word.size()) {
            const std::string_view w{word.data(), length};
            const auto found = counts.find(w);
            if (found != counts.end()) ++found->second;
            else counts.emplace(w, 1);
            ++sum;
        }
        length = 0;
    };
    for (const char c : text) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        if (lower < 'a' || lower > 'z') {
            if (length > 0) end_word();
            continue;
        }
        if (length < word.size()) word[length] = lower;
        ++length;
    }
    end_word();
    return sum;
}

}  // namespace quickstart
