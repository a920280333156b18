#!/usr/bin/env bash
# pausing.sh PGQ: pause, drain and resume.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pgq install >/dev/null
add_jobs default mail 1
add_jobs default report 1
add_jobs orders mail 1
rules() { sql 'SELECT queue, entrypoint, kind, reason FROM pgq_jobs.paused ORDER BY 1, 2, 3'; }
states() { pgq queues --format csv | tr -d '\r' | awk -F, 'NR > 1 { print $1, $2, $(NF - 1), $NF }'; }

prints 'entrypoint "mail" of queue "default" is paused' pause default mail --reason 'the server moves'
prints 'entrypoint "mail" of queue "default" was paused before; the reason is new' pause default mail --reason later
prints 'queue "orders" is draining' drain orders --reason "O'Brien \\ \"x\""
expect "rules" "$(rules)" 'default|mail|paused|later
orders||draining|O'"'"'Brien \ "x"'
expect "states" "$(states)" 'default mail true false
default report false false
orders mail false true'
expect_like "health" "$(pgq health || true)" $'\npauses +warning +2 entrypoints paused or draining'
expect "listing" "$(pgq paused --format csv | tr -d '\r' | cut -d, -f1-3,5-)" 'queue,entrypoint,kind,reason
default,mail,paused,later
orders,,draining,"O'"'"'Brien \ ""x"""'
refuses 1 'queue "default" is neither paused nor draining; "pgq paused" shows' resume default
prints 'entrypoint "mail" of queue "default" goes on' resume default mail
prints 'queue "orders" goes on' resume orders
refuses 1 'queue "orders" is neither paused nor draining' resume orders

# A pause of more than the line names.
pgq pause orders mail --reason deploy >/dev/null
pgq pause orders --reason whole >/dev/null
prints 'this pause of entrypoint "mail" of queue "orders" ends; it stays paused, because queue "orders" is' resume orders mail
refuses 1 'entrypoint "mail" of queue "orders" is paused, because queue "orders" is; "pgq resume orders" ends that' resume orders mail
pgq drain --all --reason night >/dev/null
prints 'this pause of queue "orders" ends; it stays draining, because everything is' resume orders
refuses 1 'queue "orders" is draining, because everything is; "pgq resume --all" ends that' resume orders
prints 'everything goes on' resume --all
expect "listing" "$(pgq paused --format csv | wc -l)" 1

prints 'everything is paused' pause --all --reason 'maintenance'
expect "rules" "$(rules)" '||paused|maintenance'
prints 'everything goes on' resume --all
expect "rules" "$(rules)" ''

# The last lane; a name of nothing widens nothing.
expect "rules" "$(rules)" ''

# As data.
prints '[
{"message":"queue \"orders\" is paused"}
]' pause orders --reason x --format json
prints $'message\r\n"queue ""orders"" goes on"\r' resume orders --format csv

# What does not exist, and what the line lacks.
refuses 1 'there is no queue "ordres"; there are "default", "orders"; --new if it comes later' pause ordres --reason x
refuses 1 'there is no entrypoint "ship" of queue "orders"; there are "default mail", ' drain orders ship --reason x
refuses 2 'a queue is missing; name one, or say --all' pause --reason x
refuses 2 'a queue is missing' resume
refuses 2 '.*--reason' pause orders
refuses 2 '.*excludes' pause orders --all --reason x
refuses 2 '.*more' pause orders mail more --reason x
expect "rules" "$(rules)" ''
prints 'queue "later" is paused' pause later --new --reason x
prints 'queue "later" goes on' resume later

# A queue may have the name of a sub-command, or begin with a hyphen.
for name in stats set pause -x --yes; do
    add_jobs " $name" mail 0
    sql "UPDATE pgq_jobs.lane SET queue = trim(queue) WHERE queue LIKE ' %'"
    prints "queue \"$name\" is paused" pause --reason x -- "$name"
    prints "queue \"$name\" goes on" resume -- "$name"
done
prints 'queue "stats" is paused' pause stats --reason x
prints 'queue "stats" goes on' resume stats
