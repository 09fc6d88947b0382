#!/usr/bin/env bash
# `cleaner` as a child process that stays: a record in, the same record out, one model for all.
#
#     ./clean_stream.sh < articles.jsonl > clean.jsonl
set -euo pipefail

coproc cleaner { cleaner --format jsonl -; }
child=$cleaner_PID to=${cleaner[1]} from=${cleaner[0]}

while IFS= read -r record; do
    printf '%s\n' "$record" >&"$to"
    IFS= read -r answer <&"$from" || break # the child has ended: it has said why
    printf '%s\n' "$answer"
done

exec {to}>&- # no more records: the child ends
wait "$child"
