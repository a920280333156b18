#pragma once

#include <pgq/cli/tree/node.hpp>

#include <string>
#include <string_view>
#include <vector>

/// Scripts for shells. Words of the tree have no quotes in them; descriptions may.
namespace pgq::cli {

inline std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& w : words) out += (out.empty() ? "" : " ") + w;
    return out;
}

/// The names of sub-commands and options, and the values of an argument that has only some.
inline std::vector<std::string> words_of(const node& n) {
    std::vector<std::string> words;
    for (const auto& child : n.children) words.push_back(child.name);
    for (const auto& o : n.options)
        for (const auto& word : o.is_argument ? o.choices() : o.each_name()) words.push_back(word);
    return words;
}

/// Calls `f` for the node and all below it.
template <class F>
void each_node(const node& n, const F& f) {
    f(n);
    for (const auto& child : n.children) each_node(child, f);
}

/// A script whose variable `path` is the sub-command of the line, and that chooses its words by it.
inline std::string bash_completion(const node& root) {
    std::string words, values, paths;
    each_node(root, [&](const node& n) {
        words += "    \"" + n.path + "\") words=\"" + joined(words_of(n)) + " --help\" ;;\n";
        if (&n != &root) paths += '|' + n.path;
        for (const auto& o : n.options)
            if (!o.is_argument && !o.value.empty())
                for (const auto& name : o.each_name()) {
                    values += "    \"" + n.path + ' ' + name;
                    values += "\" | \"" + n.path + " \"*\" " + name;
                    values += "\") words=\"" + joined(o.choices()) + "\"; words_of_root= ;;\n";
                }
    });
    return "# bash completion for " + root.name + "; made by \"" + root.name + " completion bash\"\n_" + root.name +
           "() {\n"
           "    local path=" +
           root.name + " word words= words_of_root=\"" + joined(words_of(root)) + "\" paths='" + paths +
           "|'\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        [[ $paths != *\"|$path $word|\"* ]] || path=\"$path $word\"\n"
           "    done\n"
           "    case $path in\n" +
           words +
           "    esac\n"
           "    case \"$path ${COMP_WORDS[COMP_CWORD-1]}\" in\n" +
           values +
           "    esac\n"
           "    [[ ${COMP_WORDS[COMP_CWORD]} != -* ]] || words=\"$words $words_of_root\"\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -F _" +
           root.name + ' ' + root.name + '\n';
}

/// In single quotes.
inline std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
    return out + '\'';
}

/// The same as a function of zsh, with descriptions.
inline std::string zsh_completion(const node& root) {
    std::string cases, paths;
    const auto described = [](const std::string& word, const std::string& what) {
        std::string escaped;
        for (const char c : word) escaped += c == ':' ? "\\:" : std::string(1, c);
        return ' ' + shell_quoted(escaped + ':' + what);
    };
    const auto options_of = [&](const node& n) {
        std::string out;
        for (const auto& o : n.options)
            for (const auto& word : o.is_argument ? o.choices() : o.each_name()) out += described(word, o.what);
        return out;
    };
    each_node(root, [&](const node& n) {
        std::string words;
        for (const auto& child : n.children) words += described(child.name, child.what);
        cases += "    " + shell_quoted(n.path) + ") all+=(" + words + options_of(n) + " ) ;;\n";
        if (&n != &root) paths += ' ' + shell_quoted(n.path);
    });
    const std::string& name = root.name;
    return "#compdef " + name + "\n# made by \"" + name + " completion zsh\"\n_" + name +
           "() {\n"
           "    local at=" +
           name +
           " word\n"
           "    local -a paths=(" +
           paths +
           " ) all=()\n"
           "    for word in ${words[2,CURRENT-1]}; do\n"
           "        (( ${paths[(Ie)$at $word]} )) && at=\"$at $word\"\n"
           "    done\n"
           "    case $at in\n" +
           cases +
           "    esac\n"
           "    [[ $at == " +
           name + " ]] || [[ $PREFIX != -* ]] || all+=(" + options_of(root) +
           " )\n"
           "    _describe " +
           name +
           " all\n"
           "}\n"
           "if [[ $funcstack[1] == _" +
           name + " ]]; then _" + name + " \"$@\"; else compdef _" + name + ' ' + name + "; fi\n";
}

/// One `complete` for each word of fish. A function finds the sub-command of the line, as in the other two.
inline std::string fish_completion(const node& root) {
    const std::string& name = root.name;
    const std::string is_at = "__" + name + "_is_at", begin = "complete -c " + name;
    std::string paths, completions;
    each_node(root, [&](const node& n) {
        if (&n != &root) paths += ' ' + shell_quoted(n.path);
        const auto complete = [&](bool everywhere, const std::string& rest) {
            const std::string condition = everywhere ? "" : " -n " + shell_quoted(is_at + " \"" + n.path + '"');
            completions += begin + condition + rest + '\n';
        };
        for (const auto& child : n.children) complete(false, " -a " + child.name + " -d " + shell_quoted(child.what));
        for (const auto& o : n.options) {
            const std::string values = o.choices().empty() ? "" : " -a " + shell_quoted(joined(o.choices()));
            if (o.is_argument && !values.empty()) complete(false, values);
            if (o.is_argument) continue;
            std::string names;
            for (const auto& each : o.each_name())
                names += each.starts_with("--") ? " -l " + each.substr(2) : " -s " + each.substr(1);
            if (!o.value.empty()) names += " -x";
            names += values;
            complete(&n == &root, names + " -d " + shell_quoted(o.what));
        }
    });
    return "# fish completion for " + name + "; made by \"" + name + " completion fish\"\nfunction " + is_at +
           "\n    set -l at " + name + "\n    set -l paths" + paths +
           "\n    for word in (commandline -opc)[2..-1]\n"
           "        contains -- \"$at $word\" $paths; and set at \"$at $word\"\n"
           "    end\n"
           "    test \"$at\" = $argv[1]\n"
           "end\n" +
           begin + " -f\n" + completions;
}

}  // namespace pgq::cli
