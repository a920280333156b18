# apply.awk LIST...: applies all mutations of the lists to the headers at once, each behind a switch, and prints a table
# of them: number, program, test, sections, name. Variables: root (of the sources), out (where the headers go).
#
# A mutation is a block of lines `key: value`; blocks are separated by blank lines, `#` begins a comment:
#
#   name: what would be wrong
#   in: a header, or `sql` for every text that is sent to the server
#   from: a text that is there exactly once
#   to: what stands there instead
#   test: PROGRAM: the name of the test case that must fail
#   section: a section of it (for each level one line)
#   survives: why no test can fail (instead of `test`)

function fail(what) { print what > "/dev/stderr"; failed = 1; exit 1 }
function trim(s) { sub(/^[ \t]+/, "", s); sub(/[ \t]+$/, "", s); return s }

function finish(    key) {
    if (!("name" in m)) return
    ++n
    for (key in m) all[n, key] = m[key]
    if (!("in" in m) || !("from" in m) || !("to" in m)) fail(FILENAME ": " m["name"] ": it needs in, from and to")
    if (!("test" in m) && !("survives" in m)) fail(FILENAME ": " m["name"] ": it needs a test")
    delete m
}

FNR == 1 { finish() }
/^#/ { next }
/^[ \t]*$/ { finish(); next }
{
    at = index($0, ":")
    key = substr($0, 1, at - 1)
    value = trim(substr($0, at + 1))
    if (key !~ /^(name|in|from|to|test|section|survives)$/) fail(FILENAME ":" FNR ": " key " is unknown")
    if (key == "section") m[key] = m[key] "\t" value
    else m[key] = value
}

# How often `what` is in `text`.
function count(text, what,    found, at) {
    while ((at = index(text, what)) > 0) { ++found; text = substr(text, at + length(what)) }
    return found + 0
}

# One place, with all mutations that have it. A statement ends with a semicolon, anything else is an expression.
function switched(file, from,    i, text) {
    if (from ~ /;$/) {
        text = ""
        for (i = 1; i <= n; ++i)
            if (all[i, "in"] == file && all[i, "from"] == from)
                text = text "if (pgq_mutations::on(" i ")) { " all[i, "to"] " } else "
        return "{ " text "{ " from " } }"
    }
    text = "("
    for (i = 1; i <= n; ++i)
        if (all[i, "in"] == file && all[i, "from"] == from)
            text = text "pgq_mutations::on(" i ") ? (" all[i, "to"] ") : "
    return text "(" from "))"
}

function mutate_file(file,    text, line, i, from, done, at) {
    text = ""
    while ((getline line < (root "/" file)) > 0) text = text line "\n"
    close(root "/" file)
    if (text == "") fail(file ": there is no such header")
    for (i = 1; i <= n; ++i) {
        from = all[i, "from"]
        if (all[i, "in"] != file || (from in done)) continue
        done[from] = 1
        if (count(text, from) != 1) fail(file ": " count(text, from) " times in it: " from)
        at = index(text, from)
        text = substr(text, 1, at - 1) switched(file, from) substr(text, at + length(from))
    }
    printf "%s", text > (out "/" file)
    close(out "/" file)
}

function quoted(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }

END {
    if (failed) exit 1
    finish()
    sql = out "/in_sql.inc"
    printf "" > sql
    for (i = 1; i <= n; ++i) {
        if (all[i, "in"] == "sql")
            printf "{%d, %s, %s},\n", i, quoted(all[i, "from"]), quoted(all[i, "to"]) > sql
        else if (!(all[i, "in"] in seen)) {
            seen[all[i, "in"]] = 1
            mutate_file(all[i, "in"])
        }
        at = index(all[i, "test"], ": ")
        program = substr(all[i, "test"], 1, at - 1)
        test = substr(all[i, "test"], at + 2)
        printf "%d\037%s\037%s\037%s\037%s\037%s\n", i, program, test, substr(all[i, "section"], 2), all[i, "survives"], all[i, "name"]
    }
}
